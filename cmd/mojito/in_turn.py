"""Requests on one connection are answered in their turn, and the last answer is read before it ends.

The server behind this tells only the latest request that the caller has gone, and answers what is no request
at once: whoever sends rubbish behind a whole request would take that answer for the one to his request.

Closed while the caller still sends, what is on its way would meet a closed door, and the caller's own system
would throw away the answer that told why: whoever sends a large body with `Connection: close` and a wrong key
would hear of a broken connection instead of a 401.
"""

import asyncio
from collections import deque
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mojito.answers import LastIfUninvited, WithoutChunks
from mojito.one_write import OneWrite
from mojito.unreadable import head_too_long, not_http

LINGER_SECONDS = 30.0
"""As long as a caller may take to send what nobody reads."""
LONGEST_HEAD = 64 * 1024


class InTurnProtocol(HttpToolsProtocol):
    """Knows which answers are owed, and whether a request is half read."""

    linger_seconds: ClassVar[float] = LINGER_SECONDS
    longest_head: ClassVar[int] = LONGEST_HEAD
    is_refused = False
    """Whether what came last was no request."""
    is_lingering = False
    """Whether the end of the last answer was told, and the caller may still send."""
    is_in_head = True
    _head_bytes = 0
    """Since the last piece of a body; behind a body headers may follow, too."""
    _refusal: bytes = b""
    _end: asyncio.TimerHandle | None = None
    _held: OneWrite
    _owed: deque[RequestResponseCycle]
    """The first one is being answered, the last one may be half read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Nothing was asked so far; whoever closes it closes it so."""
        super().connection_made(transport)
        self._owed = deque()
        self._held = OneWrite(transport, self.loop, lambda: self._close(transport))
        self.transport = self._held  # pyright: ignore[reportAttributeAccessIssue]  # has all that is used of one

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for any of them."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)
        self._held.let_go()
        while self._owed:
            _dismiss(self._owed.popleft())
        self.pipeline.clear()

    @property
    def is_deaf(self) -> bool:
        """Whether nothing that comes counts any more."""
        return self.is_lingering or self.is_refused

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or of several."""
        if self.is_deaf:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > self.longest_head and not self.is_refused:
            self._refuse(head_too_long(self.longest_head))

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # as asyncio has it
        """Whoever has asked and says that he asks nothing more still reads; an open stream is not for him,
        since a caller who has gone says nothing else."""
        if not self._owed or self._owed[-1].more_body or self._owed[0].response_started:
            return False
        self._owed[-1].keep_alive = False
        return True

    def on_header(self, name: bytes, value: bytes) -> None:
        """What follows a body says nothing about the request that was not known before it."""
        if self.is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """One more answer is owed."""
        self.is_in_head, self._head_bytes = False, 0
        super().on_headers_complete()
        # nobody else says which class it is made of
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = WithoutChunks
            self.cycle.waiting_for_100_continue = False  # it does not know that either
        elif self.expect_100_continue:
            self.cycle.__class__ = LastIfUninvited
        self._owed.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Its length is for others to bound."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes now is the head of the next one."""
        self.is_in_head, self._head_bytes = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next one is due, or what was no request."""
        self._owed.popleft()
        super().on_response_complete()
        self._refuse_in_turn()

    def send_400_response(self, msg: str) -> None:
        """Where no request can be found in what came."""
        del msg
        self._refuse(not_http())

    def _refuse(self, answer: bytes) -> None:
        """What came last, and the request that it broke off."""
        self.is_refused, self._refusal = True, answer
        if self._owed and self._owed[-1].more_body:
            broken = self._owed.pop()
            if broken.response_started:
                self._refusal = b""
            if self._owed:
                self.pipeline.popleft()
            _dismiss(broken)
        self._refuse_in_turn()

    def _refuse_in_turn(self) -> None:
        if self.is_refused and not self._owed and not self.transport.is_closing():
            self.transport.write(self._refusal)
            self.transport.close()

    def _close(self, transport: asyncio.Transport) -> None:
        """Where a request is half read, the end of the answer is told and the rest passed over. For the
        second time, it is at once: the program stops."""
        is_between = self.is_in_head and not self._head_bytes and not self.is_refused
        if is_between or self.is_lingering or transport.is_closing():
            transport.close()
            return
        self.is_lingering = True
        self.connections.discard(self)  # nobody who stops waits for it
        transport.write_eof()
        self.flow.resume_reading()
        self._end = self.loop.call_later(self.linger_seconds, transport.abort)


def _dismiss(cycle: RequestResponseCycle) -> None:
    cycle.disconnected = True
    cycle.message_event.set()

"""A connection on which a request does not arrive in time, or whose head has no end, is closed."""

import asyncio
from typing import ClassVar

import structlog

from mojito.answers import LastIfUninvited, WithoutChunks
from mojito.in_turn import InTurnProtocol
from mojito.unreadable import head_too_long, not_http

UNHEARD_SECONDS = 30.0
"""For the whole head of a request, and for each further piece of its body."""
LONGEST_HEAD = 64 * 1024

log = structlog.get_logger()


class PunctualProtocol(InTurnProtocol):
    """The server behind this bounds neither: each such connection would cost memory and a place for ever."""

    unheard_seconds: ClassVar[float] = UNHEARD_SECONDS
    longest_head: ClassVar[int] = LONGEST_HEAD
    _alarm: asyncio.TimerHandle | None = None
    _due: float | None = None
    """When something must have come; None while nothing is awaited. The alarm may ring earlier than that:
    to set it anew for each request would cost more than to look once too often."""
    _is_in_head = True
    _is_heard = False
    _head_bytes = 0
    """Since the last piece of a body; behind a body headers may follow, too."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Something must come soon."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or of several."""
        if self.is_lingering or self.is_refused:
            return
        self._is_heard = True
        if self._due is None:
            self._expect()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > self.longest_head and not self.is_refused:
            self.refuse(head_too_long(self.longest_head))

    def refuse(self, answer: bytes) -> None:
        """Nothing more is awaited."""
        self._due = None
        super().refuse(answer)

    def send_400_response(self, msg: str) -> None:
        """Where no request can be found in what came."""
        del msg
        self.refuse(not_http())

    def on_headers_complete(self) -> None:
        """The body, if there is one, may take its time."""
        self._is_in_head, self._head_bytes = False, 0
        super().on_headers_complete()
        # nobody else says which class it is made of
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = WithoutChunks
            self.cycle.waiting_for_100_continue = False  # it does not know that either
        elif self.expect_100_continue:
            self.cycle.__class__ = LastIfUninvited

    def on_header(self, name: bytes, value: bytes) -> None:
        """What follows a body says nothing about the request that was not known before it."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Its length is for others to bound."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """How long the next request may be awaited is the server's to say."""
        self._is_in_head, self._head_bytes = True, 0
        self._due = None
        super().on_message_complete()

    @property
    def is_between(self) -> bool:
        """Nothing of the next one has come."""
        return self._is_in_head and not self._head_bytes and not self.is_refused

    def _expect(self) -> None:
        self._is_heard = False
        self._due = self.loop.time() + self.unheard_seconds
        if self._alarm is None:
            self._alarm = self.loop.call_at(self._due, self._look_for_more)

    def _look_for_more(self) -> None:
        """Nobody is blamed while it is we who do not read."""
        self._alarm = None
        if self._due is None or self.is_lingering:
            return
        if self._due > self.loop.time():
            self._alarm = self.loop.call_at(self._due, self._look_for_more)
            return
        if self.flow.read_paused or (self._is_heard and not self._is_in_head):
            self._expect()
            return
        log.info("sender.cut_off", reason="silent", unheard_seconds=self.unheard_seconds)
        self.transport.abort()

"""Several requests on one connection: each is answered in its turn, and all of them hear when it ends.

The server behind this tells only the latest one that the caller has gone, and answers what is no request at
once: whoever sends rubbish behind a whole request would take that answer for the one to his request.
"""

import asyncio
from collections import deque

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from mojito.last_words import LastWordsProtocol


class InTurnProtocol(LastWordsProtocol):
    """Knows which answers are owed."""

    is_refused = False
    """Whether what came last was no request, and nothing that follows it is looked at."""
    _refusal: bytes = b""
    _owed: deque[RequestResponseCycle]
    """The first one is being answered, the last one may be half read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Nothing was asked so far."""
        super().connection_made(transport)
        self._owed = deque()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits for any of them."""
        super().connection_lost(exc)
        while self._owed:
            _dismiss(self._owed.popleft())
        self.pipeline.clear()

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # as asyncio has it
        """Whoever has asked and says that he asks nothing more still reads; an open stream is not for him,
        since a caller who has gone says nothing else."""
        if not self._owed or self._owed[-1].more_body or self._owed[0].response_started:
            return False
        self._owed[-1].keep_alive = False
        return True

    def on_headers_complete(self) -> None:
        """One more answer is owed."""
        super().on_headers_complete()
        self._owed.append(self.cycle)

    def on_response_complete(self) -> None:
        """The next one is due, or what was no request."""
        self._owed.popleft()
        super().on_response_complete()
        self._refuse_in_turn()

    def refuse(self, answer: bytes) -> None:
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


def _dismiss(cycle: RequestResponseCycle) -> None:
    cycle.disconnected = True
    cycle.message_event.set()

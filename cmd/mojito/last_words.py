"""A connection that ends while its caller still sends: the answer is read first.

Closed at once, what is on its way would meet a closed door, and the caller's own system would throw away
the answer that told why: whoever sends a large body with `Connection: close` and a wrong key would hear of a
broken connection instead of a 401.
"""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mojito.one_write import OneWrite

LINGER_SECONDS = 30.0
"""As long as a caller may take to send what nobody reads."""


class LastWordsProtocol(HttpToolsProtocol):
    """Where a request was not read whole, the end of the answer is told and the rest passed over."""

    linger_seconds: ClassVar[float] = LINGER_SECONDS
    is_lingering = False
    """Whether nothing that comes counts any more."""
    _end: asyncio.TimerHandle | None = None
    _held: OneWrite

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Whoever closes it closes it so."""
        super().connection_made(transport)
        self._held = OneWrite(transport, self.loop, lambda: self._close(transport))
        self.transport = self._held  # pyright: ignore[reportAttributeAccessIssue]  # has all that is used of one

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody sends any more."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)
        self._held.let_go()

    @property
    def is_between(self) -> bool:
        """Whether no request is half read."""
        raise NotImplementedError  # only whoever follows the heads of requests knows

    def _close(self, transport: asyncio.Transport) -> None:
        """For the second time, it is at once: the program stops."""
        if self.is_between or self.is_lingering or transport.is_closing():
            transport.close()
            return
        self.is_lingering = True
        self.connections.discard(self)  # nobody who stops waits for it
        transport.write_eof()
        self.flow.resume_reading()
        self._end = self.loop.call_later(self.linger_seconds, transport.abort)

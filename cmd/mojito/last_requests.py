"""Whoever asks on a kept connection while the server stops is still answered, and told that it ends.

The server behind this closes what is idle as soon as it stops. A proxy that sends just then meets a closed
door, does not know whether its POST was carried out, and tells its caller 502.
"""

import asyncio
from typing import ClassVar

from mojito.in_turn import InTurnProtocol

LAST_SECONDS = 1.0
"""As long as an idle connection may still be asked on; new ones are refused meanwhile."""


class LastRequestsProtocol(InTurnProtocol):
    """Once the server stops each answer is the last one on its connection, and says so."""

    last_seconds: ClassVar[float] = LAST_SECONDS
    is_leaving = False
    _leave: asyncio.TimerHandle | None = None

    def shutdown(self) -> None:
        """The server stops."""
        if self.is_deaf or not self._is_idle:
            super().shutdown()
            return
        self.is_leaving = True
        self._leave = self.loop.call_later(self.last_seconds, self._close_unasked)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody asks any more."""
        if self._leave is not None:
            self._leave.cancel()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """One was on its way."""
        super().on_headers_complete()
        if self.is_leaving:
            self.cycle.keep_alive = False

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_unasked(self) -> None:
        if self._is_idle:
            self.transport.close()

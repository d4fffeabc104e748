"""A connection whose caller takes nothing of its answer for long is cut off, and its memory is free again."""

import asyncio
from typing import ClassVar

import structlog

from mojito.slow_senders import PunctualProtocol

UNREAD_SECONDS = 30.0
"""While an answer waits and not one byte of it is taken."""

log = structlog.get_logger()


class PatientProtocol(PunctualProtocol):
    """Looks after each such time whether what waits has become less."""

    unread_seconds: ClassVar[float] = UNREAD_SECONDS
    _timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """More waits than is good: nothing is added until the caller takes some."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """He has."""
        super().resume_writing()
        self._look_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody takes anything any more."""
        self._look_no_more()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._timer = self.loop.call_later(self.unread_seconds, self._look, waiting)

    def _look_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, waited: int) -> None:
        if self.transport.get_write_buffer_size() < waited:
            self._look_later()
            return
        log.info("reader.cut_off", unread_seconds=self.unread_seconds)
        self.transport.abort()

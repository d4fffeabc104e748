"""A connection is cut off while a request does not come on, or nobody takes the answer."""

import asyncio
from typing import ClassVar

import structlog

from mojito.last_requests import LastRequestsProtocol

UNHEARD_SECONDS = 30.0
"""For the whole head of a request, and for each further piece of its body."""
UNREAD_SECONDS = 30.0
"""While an answer waits and not one byte of it is taken."""

log = structlog.get_logger()


class PatientProtocol(LastRequestsProtocol):
    """The server behind this bounds neither: each such connection would cost memory and a place for ever."""

    unheard_seconds: ClassVar[float] = UNHEARD_SECONDS
    unread_seconds: ClassVar[float] = UNREAD_SECONDS
    _alarm: asyncio.TimerHandle | None = None
    _due: float | None = None
    """When something must have come; None while nothing is awaited. The alarm may ring earlier than that:
    to set it anew for each request would cost more than to look once too often."""
    _is_heard = False
    _timer: asyncio.TimerHandle | None = None
    """Rings when the caller should have taken something."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Something must come soon."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more, and nobody takes anything."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._look_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came; what is half a request is awaited to its end."""
        self._is_heard = True
        if self._due is None:
            self._expect()
        super().data_received(data)

    def on_message_complete(self) -> None:
        """How long the next request may be awaited is the server's to say."""
        super().on_message_complete()
        self._due = None

    def pause_writing(self) -> None:
        """More waits than is good: nothing is added until the caller takes some."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """He has."""
        super().resume_writing()
        self._look_no_more()

    def _expect(self) -> None:
        self._is_heard = False
        self._due = self.loop.time() + self.unheard_seconds
        if self._alarm is None:
            self._alarm = self.loop.call_at(self._due, self._look_for_more)

    def _look_for_more(self) -> None:
        """Nobody is blamed while it is we who do not read."""
        self._alarm = None
        if self._due is None or self.is_deaf:
            return
        if self._due > self.loop.time():
            self._alarm = self.loop.call_at(self._due, self._look_for_more)
            return
        if self.flow.read_paused or (self._is_heard and not self.is_in_head):
            self._expect()
            return
        log.info("sender.cut_off", reason="silent", unheard_seconds=self.unheard_seconds)
        self.transport.abort()

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

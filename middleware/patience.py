"""Ends a request that gets nowhere: a caller hears 503 in time, whatever holds the request up."""

import asyncio
from collections.abc import Callable

from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from common.errors import Unavailable

LONGEST_SECONDS = 8.0
"""Of a handler that does not say otherwise."""


class Patience:
    """Time that the caller takes to send or to read does not count; an answer that has begun may end.

    A handler that takes longer by its nature says how long in `opt["patience_seconds"]`, as a number or
    as a function of the request's scope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted: float | Callable[[Scope], float] = scope["route_handler"].opt.get(
            "patience_seconds", LONGEST_SECONDS
        )
        seconds = wanted(scope) if callable(wanted) else wanted
        watched = _Watched(seconds, receive, send)
        try:
            async with asyncio.timeout(None) as watched.timer:
                await self.app(scope, watched.receive, watched.send)
        except asyncio.CancelledError:
            if watched.has_begun:
                raise
            # the server's grace time is over; its own answer would be a 500
            raise Unavailable(
                "The server stops. Repeat the request: under one Idempotency-Key it counts once.",
                code="stopping",
                headers={"Retry-After": "2"},
            ) from None
        finally:
            watched.end()


class _Watched:
    """A request under way. No closures: one that names itself is left to the collector of garbage."""

    __slots__ = ("_alarm", "_loop", "_receive", "_seconds", "_send", "_until", "has_begun", "timer")

    def __init__(self, seconds: float, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._receive, self._send = receive, send
        self.has_begun = False
        self.timer: asyncio.Timeout
        self._until: float | None = self._loop.time() + seconds
        self._alarm = self._loop.call_at(self._until, self._look)

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        """However long the caller takes to send."""
        self._until = None
        message = await self._receive()
        if not self.has_begun:
            self._until = self._loop.time() + self._seconds
        return message

    async def send(self, message: Message) -> None:
        """However long the caller takes to read."""
        self.has_begun, self._until = True, None
        await self._send(message)

    def end(self) -> None:
        """Nobody waits any more."""
        self._alarm.cancel()

    def _look(self) -> None:
        """Looks seldom: setting a timer anew at every message would cost more than the messages."""
        if self._until is not None and self._until <= self._loop.time():
            self.timer.reschedule(self._until)
        else:
            when = self._until or self._loop.time() + self._seconds
            self._alarm = self._loop.call_at(when, self._look)

"""Ends a request that gets nowhere: a caller hears 503 in time, whatever holds the request up."""

import asyncio
import math
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
_PAUSE_SECONDS = 0.05
"""Between two looks at all requests, however many of them are over one after another."""


class Patience:
    """Time that the caller takes to send or to read does not count; an answer that has begun may end.

    A handler that takes longer by its nature says how long in `opt["patience_seconds"]`, as a number or
    as a function of the request's scope.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._alarm = _Alarm()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted: float | Callable[[Scope], float] = scope["route_handler"].opt.get(
            "patience_seconds", LONGEST_SECONDS
        )
        seconds = wanted(scope) if callable(wanted) else wanted
        watched = _Watched(seconds, receive, send)
        self._alarm.watch(watched)
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
            self._alarm.forget(watched)


class _Watched:
    """A request under way. No closures: one that names itself is left to the collector of garbage."""

    __slots__ = ("_loop", "_receive", "_send", "has_begun", "seconds", "timer", "until")

    def __init__(self, seconds: float, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self.seconds = seconds
        self._receive, self._send = receive, send
        self.has_begun = False
        self.timer: asyncio.Timeout
        self.until = self._loop.time() + seconds

    async def receive(self) -> HTTPReceiveMessage | WebSocketReceiveMessage:
        """However long the caller takes to send."""
        self.until = math.inf
        message = await self._receive()
        if not self.has_begun:
            self.until = self._loop.time() + self.seconds
        return message

    async def send(self, message: Message) -> None:
        """However long the caller takes to read."""
        self.has_begun, self.until = True, math.inf
        await self._send(message)


class _Alarm:
    """One timer for all requests under way, at the earliest moment when one of them can be over.

    One for each, set with the request and given up with it, would cost more than to look in vain at times.
    """

    def __init__(self) -> None:
        self._watched: set[_Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def watch(self, request: _Watched) -> None:
        """From now on."""
        self._watched.add(request)
        self._ring_by(request.until)

    def forget(self, request: _Watched) -> None:
        """It has ended."""
        self._watched.discard(request)

    def _ring_by(self, when: float) -> None:
        if when >= self._rings_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._ring)
        self._rings_at = when

    def _ring(self) -> None:
        self._timer, self._rings_at = None, math.inf
        now = asyncio.get_running_loop().time()
        for request in [each for each in self._watched if each.until <= now]:
            self._watched.discard(request)
            request.timer.reschedule(now)
        if self._watched:
            earliest = min(min(each.until, now + each.seconds) for each in self._watched)
            self._ring_by(max(earliest, now + _PAUSE_SECONDS))

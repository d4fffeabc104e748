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
        loop = asyncio.get_running_loop()
        began = loop.time()
        until: float | None = began + seconds
        has_begun = False

        async def receive_unhurried() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal until
            until = None
            message = await receive()
            if not has_begun:
                until = loop.time() + seconds
            return message

        async def send_unhurried(message: Message) -> None:
            nonlocal has_begun, until
            has_begun, until = True, None
            await send(message)

        def look() -> None:
            """Looks seldom: setting a timer anew at every message would cost more than the messages."""
            nonlocal alarm
            if until is not None and until <= loop.time():
                timer.reschedule(until)
            else:
                alarm = loop.call_at(until or loop.time() + seconds, look)

        alarm = loop.call_at(began + seconds, look)
        try:
            async with asyncio.timeout(None) as timer:
                await self.app(scope, receive_unhurried, send_unhurried)
        except asyncio.CancelledError:
            if has_begun:
                raise
            # the server's grace time is over; its own answer would be a 500
            raise Unavailable(
                "The server stops. Repeat the request: under one Idempotency-Key it counts once.",
                code="stopping",
                headers={"Retry-After": "2"},
            ) from None
        finally:
            alarm.cancel()

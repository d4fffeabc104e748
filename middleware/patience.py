"""Ends a request that gets nowhere: a caller hears 503 in time, whatever holds the request up."""

import asyncio

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

_LONGEST_SECONDS = 8.0


class Patience:
    """Time that the caller takes to send or to read does not count; an answer that has begun may end.

    A handler that takes longer by its nature says how long in `opt["patience_seconds"]`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = scope["route_handler"].opt.get("patience_seconds", _LONGEST_SECONDS)
        now = asyncio.get_running_loop().time
        has_begun = False

        def wait(until: float | None) -> None:
            if not timer.expired():
                timer.reschedule(until)

        async def receive_unhurried() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            wait(None)
            message = await receive()
            if not has_begun:
                wait(now() + seconds)
            return message

        async def send_unhurried(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            wait(None)
            await send(message)

        try:
            async with asyncio.timeout(seconds) as timer:
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

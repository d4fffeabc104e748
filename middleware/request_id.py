"""Gives every request an id: the caller's own where it is usable, in the answer, and in every log line."""

import os
import re
import time

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from common.log import begin_ids

_USABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_QUIET_PATHS = frozenset({"/livez", "/readyz"})

log = structlog.get_logger()


class RequestIds:
    """Stands around the whole application, so that refusals of unknown routes carry the id too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _taken_or_made(scope)
        scope["state"]["request_id"] = request_id
        begin_ids(request_id=request_id)
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(b"x-request-id", request_id.encode()), *_told(scope)]
                message["headers"] = [*message["headers"], *told]
                if scope["path"] not in _QUIET_PATHS:
                    _tell(scope, message["status"], time.perf_counter() - started)
            await send(message)

        await self.app(scope, receive, send_with_id)


def _taken_or_made(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _USABLE.fullmatch(value):
            return value.decode("ascii")
    return os.urandom(16).hex()


def _told(scope: Scope) -> list[tuple[bytes, bytes]]:
    """What others around the route wish to tell, whatever the answer is."""
    return scope["state"].get("told", [])


def _tell(scope: Scope, status: int, seconds: float) -> None:
    log.info(
        "request.answered",
        method=scope.get("method"),
        path=scope["path"],
        status=status,
        milliseconds=round(seconds * 1000, 2),
    )

"""Gives every request an id: the caller's own where it is usable, in the answer, and in every log line."""

import os
import re
import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from common.log import begin_ids
from common.tracing import FinishedSpan, Sink, Trace, new_trace, parse

_USABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LONGEST_PATH = 500
"""Of an address in a line of the log; whoever invents addresses of 64 kB fills no disk with them."""
_QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger()


class RequestIds:
    """Stands around the whole application, so that refusals of unknown routes carry the id too."""

    def __init__(
        self,
        app: ASGIApp,
        answered: Callable[[Scope, int, float], None] | None = None,
        sink: Sink | None = None,
    ) -> None:
        """`answered` is told of every answer: its request, its status, and the seconds it took; `sink`
        of every span."""
        self.app = app
        self._answered = answered
        self._sink = sink

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _taken_or_made(scope)
        scope["state"]["request_id"] = request_id
        caller, trace = _trace(scope)
        scope["state"]["traceparent"] = trace.traceparent
        begin_ids(request_id=request_id, trace_id=trace.trace_id)
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = [(b"x-request-id", request_id.encode()), *_told(scope)]
                message["headers"] = [*message["headers"], *told]
                seconds = time.perf_counter() - started
                if self._answered is not None:
                    self._answered(scope, message["status"], seconds)
                if scope["path"] not in _QUIET_PATHS:
                    _tell(scope, message["status"], seconds)
                    if self._sink is not None and trace.is_sampled:
                        self._sink(_span(scope, message["status"], seconds, caller, trace))
            await send(message)

        await self.app(scope, receive, send_with_id)


def _taken_or_made(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _USABLE.fullmatch(value):
            return value.decode("ascii")
    return os.urandom(16).hex()


def _trace(scope: Scope) -> tuple[Trace | None, Trace]:
    """The caller's span, if one was named, and the request's own."""
    told = [value for name, value in scope["headers"] if name == b"traceparent"]
    caller = parse(told[0].decode("latin-1")) if len(told) == 1 else None
    return caller, new_trace() if caller is None else caller.child()


def _span(
    scope: Scope, status: int, seconds: float, caller: Trace | None, trace: Trace
) -> FinishedSpan:
    ended_at = time.time_ns()
    method, route = scope.get("method", ""), scope.get("path_template") or "unmatched"
    return FinishedSpan(
        name=f"{method} {route}",
        kind="server",
        trace=trace,
        parent_span_id=None if caller is None else caller.span_id,
        began_at=ended_at - int(seconds * 1e9),
        ended_at=ended_at,
        attributes={
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "mojito.request_id": scope["state"]["request_id"],
        },
        is_error=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _told(scope: Scope) -> list[tuple[bytes, bytes]]:
    """What others around the route wish to tell, whatever the answer is."""
    return scope["state"].get("told", [])


def _tell(scope: Scope, status: int, seconds: float) -> None:
    log.info(
        "request.answered",
        method=scope.get("method"),
        path=scope["path"][:_LONGEST_PATH],
        status=status,
        milliseconds=seconds * 1000,
    )

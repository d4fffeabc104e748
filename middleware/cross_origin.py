"""Lets pages of other origins ask, where the installation names them; browsers alone heed it."""

from collections.abc import Sequence

from litestar import Request
from litestar.config.cors import CORSConfig
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send

from middleware.problems import problem

_SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-Id",
    "traceparent",
)
_SHOWN = (
    "Allow",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
_SAFE = frozenset({"accept", "accept-language", "content-language", "content-type"})
"""Headers that no browser asks about, though some programs do."""


def cross_origin(origins: Sequence[str]) -> CORSConfig | None:
    """None: no page of another origin may ask. Keys travel in a header, so no cookies are let through."""
    if not origins:
        return None
    return CORSConfig(
        allow_origins=list(origins),
        allow_methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        allow_headers=list(_SENT),
        expose_headers=list(_SHOWN),
    )


class Preflights:
    """Refuses what is not let in, as everything else is refused; Litestar's own words are plain text."""

    def __init__(self, app: ASGIApp, config: CORSConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Others pass."""
        refused = self._refused(Headers.from_scope(scope)) if _is_preflight(scope) else []
        if not refused:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        answer = problem(
            request,
            400,
            "cross_origin_refused",
            f"Pages of other origins may not ask so: {', '.join(refused)}.",
            headers={"Vary": "Origin"},
        )
        await answer.to_asgi_response(None, request)(scope, receive, send)

    def _refused(self, headers: Headers) -> list[str]:
        """What of the question is not let in."""
        config = self._config
        found = [] if config.is_origin_allowed(headers.get("origin", "")) else ["the origin"]
        if headers.get("access-control-request-method", "GET") not in config.allow_methods:
            found.append("the method")
        asked = headers.get("access-control-request-headers", "").lower().split(",")
        names = {name.strip() for name in asked} - {"", *_SAFE}
        return found + [f"the header {name}" for name in sorted(names - {*config.allow_headers})]


def _is_preflight(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and any(name == b"origin" for name, _ in scope["headers"])
    )

"""Lets pages of other origins ask, where the installation names them; browsers alone heed it."""

from collections.abc import Sequence

from litestar.config.cors import CORSConfig

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

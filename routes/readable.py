"""What is read answers HEAD as it answers GET: monitors and caches ask that way, the server sends no body."""

from collections.abc import Callable
from typing import Any

from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler, route

_METHODS = (HttpMethod.GET, HttpMethod.HEAD)


def readable(path: str, **rest: Any) -> Callable[[Any], HTTPRouteHandler]:
    """As Litestar's `get`, for both methods. Not for streams, which have no end to leave out."""
    return route(path, http_method=_METHODS, status_code=200, **rest)

"""Refuses requests that do not say to one host that they are for it (RFC 9112, 3.2).

Programs on the way may each heed another of two names, and one that heeds none is no HTTP/1.1.
"""

import re

from litestar import Request
from litestar.types import ASGIApp, Receive, Scope, Send

from middleware.problems import problem

_HOST = re.compile(rb"(\[[0-9A-Za-z:.%_~-]+\]|[\w.~%!$&'()*+,;=-]*)(:[0-9]*)?")


class OneHost:
    """Which host it is does not matter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Others pass."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        is_old = not hosts and scope["http_version"] == "1.0"
        if is_old or (len(hosts) == 1 and _HOST.fullmatch(hosts[0])):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        answer = problem(request, 400, "host_unclear", "A request names one host, in `Host`.")
        await answer.to_asgi_response(None, request)(scope, receive, send)

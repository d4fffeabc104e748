"""An answer that is sent as it stands: the busiest route makes its own bytes."""

from collections.abc import Mapping

import msgspec
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send


class Answer[Content]:
    """JSON with its headers, as an ASGI application.

    Litestar's own response merges headers and cookies of five layers and looks for encoders, for
    which it takes as long as the rules of a request take.
    """

    def __init__(
        self, content: Content, *, status_code: int, headers: Mapping[str, str] | None = None
    ) -> None:
        body = msgspec.json.encode(content)
        lines = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        self._start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": status_code,
            "headers": [
                *lines,
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ],
        }
        self._body: HTTPResponseBodyEvent = {
            "type": "http.response.body",
            "body": body,
            "more_body": False,
        }

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Sends both parts."""
        await send(self._start)
        await send(self._body)

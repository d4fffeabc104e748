"""Answers of unknown length to HTTP/1.0, which knows no chunks: they end with the connection."""

import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class WithoutChunks(RequestResponseCycle):
    """The server behind this closes the connection after such an answer anyway."""

    is_endless = False

    async def send(self, message: Any) -> None:
        """Where no length is told, any length is right."""
        if message["type"] == "http.response.start":
            self.is_endless = not any(
                name.lower() == b"content-length" for name, _ in message["headers"]
            )
            if self.is_endless:
                self.chunked_encoding, self.expected_content_length = False, sys.maxsize
        elif self.is_endless and not message.get("more_body", False):
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

"""Answers to callers of two kinds for whom the server behind this has none of its own."""

import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class WithoutChunks(RequestResponseCycle):
    """An answer of unknown length to HTTP/1.0, which knows no chunks, ends with the connection. The server
    behind this closes it after such an answer anyway."""

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


class LastIfUninvited(RequestResponseCycle):
    """Whoever waited for `100 Continue` and is refused instead may send the body or keep it: what comes next
    could be the body or another request, and two programs on the way may take it for different things."""

    async def send(self, message: Any) -> None:
        """What comes next is looked at only where the body was there."""
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False
        await super().send(message)

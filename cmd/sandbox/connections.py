"""Connections that can be closed without an answer, which no ordinary handler can do."""

import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "sandbox.close"
_GONE = "sandbox.gone"
_LEFT = "sandbox.left"
_HANG_UP = getattr(select, "POLLRDHUP", 0)
"""Not every system tells of a caller's end before what he sent is read."""
_LINGER_NOT = struct.pack("ii", 1, 0)


class ClosableProtocol(HttpToolsProtocol):
    """Hands each request a way to close its connection."""

    def on_message_begin(self) -> None:
        """The scope of a request is made here."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # pyright: ignore[reportAssignmentType]  # a key of ours
        scope["extensions"] = {
            EXTENSION: self._closer(),
            _GONE: self.transport.is_closing,
            _LEFT: self._has_left,
        }

    def _has_left(self) -> bool:
        connection = self.transport.get_extra_info("socket")
        if self.transport.is_closing() or connection is None or not _HANG_UP:
            return self.transport.is_closing()
        asked = select.poll()
        asked.register(connection.fileno(), _HANG_UP)
        return bool(asked.poll(0))

    def _closer(self) -> Callable[[bool], None]:
        transport = self.transport

        def close_it(hard: bool) -> None:
            connection = transport.get_extra_info("socket")
            if hard and connection is not None:
                # without lingering the other side gets a reset in place of an orderly end
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            transport.abort()

        return close_it


def is_gone(scope: Scope) -> bool:
    """Whether the client has closed the connection, so that no answer reaches it."""
    told: Any = (scope.get("extensions") or {}).get(_GONE)
    return told is not None and told()


def has_left(scope: Scope) -> bool:
    """Whether the client hung up before anybody came to read what it had sent."""
    told: Any = (scope.get("extensions") or {}).get(_LEFT)
    return told is not None and told()


class ClosedConnection(ASGIResponse):
    """In place of an answer: nothing, and the connection is gone."""

    def __init__(self, *, hard: bool) -> None:
        super().__init__()
        self._hard = hard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent
        """Returns when it is closed, so that the server sends nothing of its own."""
        close_it: Any = (scope.get("extensions") or {}).get(EXTENSION)
        if close_it is None:
            raise RuntimeError("only a server made by sandbox.app can close its connections")
        close_it(self._hard)
        while (await receive())["type"] != "http.disconnect":
            continue

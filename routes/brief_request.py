"""A request that reads its headers and its body at little cost, and leaves everything else to Litestar."""

import re
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import Headers, State
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Receive, Scope, Send

from middleware.auth import Caller


class Lines:
    """Headers of which each came once."""

    def __init__(self, lines: Mapping[bytes, bytes]) -> None:
        self._lines = lines

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._lines

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the header, by its name in small letters."""
        value = self._lines.get(name.encode())
        return default if value is None else value.decode("latin-1")

    def getall(self, name: str, default: list[str]) -> list[str]:
        """The same as a list."""
        value = self._lines.get(name.encode())
        return default if value is None else [value.decode("latin-1")]


class BriefRequest(Request[Any, Caller, State]):
    """Litestar's own part is made as soon as somebody asks for anything of it; most requests need none."""

    __slots__ = ("_lines",)

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:  # pyright: ignore[reportMissingSuperCall]  # see __getattr__
        self.scope = scope  # pyright: ignore[reportAttributeAccessIssue]  # it is one of HTTP
        self.receive = receive
        self.send = send
        told = list(scope["headers"])
        lines = dict(told)
        self._lines = Lines(lines) if len(lines) == len(told) else None

    def __getattr__(self, name: str) -> Any:
        """Asked for what was not set yet."""
        if name not in _OF_LITESTAR:
            raise AttributeError(name)
        super().__init__(self.scope, self.receive, self.send)
        return getattr(self, name)

    @property
    def auth(self) -> Caller:
        """Who asks."""
        return self.scope["auth"]

    @property
    def headers(self) -> Headers:
        """A repeated header is Litestar's to read."""
        return super().headers if self._lines is None else self._lines  # pyright: ignore[reportReturnType]  # has all that is asked of them

    async def body(self) -> bytes:
        """The whole of it. Raises RequestEntityTooLarge, and InternalServerException when it breaks off."""
        length = self.headers.get("content-length") or ""
        most = self.route_handler.resolve_request_max_body_size()
        if most is None or not _LENGTH.fullmatch(length) or int(length) > most:
            return await super().body()
        body = b""
        while True:
            message = await self.receive()
            if message["type"] != "http.request":
                raise InternalServerException("client disconnected prematurely")
            body += message["body"]
            if len(body) > most:
                raise RequestEntityTooLarge
            if not message.get("more_body", False):
                return body


_LENGTH = re.compile(r"[0-9]{1,15}")
_OF_LITESTAR = frozenset(
    name for kind in Request.__mro__ for name in getattr(kind, "__slots__", ())
)

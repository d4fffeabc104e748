"""A caller's server: keeps what is posted to it and answers what a test tells it to, byte for byte."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

OK = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
HANG = b"hang"
RESET = b"reset"
LATER = "Retry-After: 7200"
"""So that no try follows by itself while a test looks at the one before: the first pause is 5 s else."""


def status(line: str, body: bytes = b"", *headers: str) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Posted(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """Answers each request with the next of `answers`, then with `always`."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.always = OK
        self.posted: list[Posted] = []
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def types(self) -> list[str]:
        return [posted.event["type"] for posted in self.posted]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            self.posted.append(await _read(reader))
            answer = self.answers.pop(0) if self.answers else self.always
            if answer == RESET:
                writer.transport.abort()
            elif answer == HANG:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncGenerator["Receiver"]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._open:
                writer.close()
            await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Posted:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Posted(first.split()[1], headers, body)

"""A server that stops answers who was just about to ask."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server

ASK = b"POST /%d HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\n{}"


async def answer(scope, receive, send) -> None:
    """The path."""
    while (await receive())["more_body"]:
        pass
    body = scope["path"].encode()
    told = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    await send({"type": "http.response.body", "body": body})


def told_by(told: asyncio.Event, seconds: float) -> type[OneProtocol]:
    """A protocol that says when it has heard that the server stops."""

    class Told(OneProtocol):
        last_seconds = seconds

        def shutdown(self) -> None:
            super().shutdown()
            told.set()

    return Told


@contextlib.asynccontextmanager
async def stopping(seconds: float, before: bytes) -> AsyncGenerator[tuple]:
    """A connection to a server that has answered so much and stops; whoever leaves waits for its end."""
    told = asyncio.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    protocol = told_by(told, seconds)
    config = uvicorn.Config(answer, http=protocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(before)
        for nth in range(before.count(b"POST ")):
            await reader.readuntil(b"\r\n\r\n/%d" % nth)
        server.should_exit = True
        await told.wait()
        yield reader, writer
        writer.close()
        await task


@pytest.mark.parametrize("before", [b"", ASK % 0, ASK % 0 + ASK % 1], ids=["new", "once", "twice"])
async def test_what_comes_on_an_idle_connection_of_a_server_that_stops_is_answered(before: bytes):
    async with stopping(60.0, before) as (reader, writer):
        writer.write(ASK % 9)
        received = await reader.read()

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"200"]
    assert b"\r\nconnection: close\r\n" in received
    assert received.endswith(b"\r\n\r\n/9")


@pytest.mark.parametrize("before", [b"", ASK % 0], ids=["new", "once"])
async def test_who_asks_nothing_holds_nobody_up(before: bytes):
    async with stopping(0.01, before) as (reader, _):
        received = await reader.read()

    assert received == b""

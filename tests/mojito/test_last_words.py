"""Whoever is answered before he has sent everything reads the answer, whatever he speaks."""

import asyncio
import contextlib
import gc
import json
import socket
import weakref
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server
from mojito.slow_callers import PatientProtocol

LARGE = 8_000_000
"""More than both systems keep of what nobody reads."""


async def refuse(scope, receive, send) -> None:
    """Answers without a look at the body; what it says about its length the address says."""
    body = b"no key"
    told = [] if scope["path"] == "/endless" else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 401, "headers": told})
    await send({"type": "http.response.body", "body": body[:3], "more_body": True})
    await send({"type": "http.response.body", "body": body[3:]})


class Brief(PatientProtocol):
    """For tests."""

    linger_seconds = 0.3


@contextlib.asynccontextmanager
async def served(protocol: type[PatientProtocol] = PatientProtocol) -> AsyncGenerator[tuple]:
    """Where it listens, and the server."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(refuse, http=protocol, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve([listening]))
    try:
        async with asyncio.timeout(20):
            yield listening.getsockname(), server
    finally:
        server.should_exit = True
        await task


async def answer_to(sent: bytes, protocol: type[PatientProtocol] = PatientProtocol) -> bytes:
    """All that comes, read only after everything was sent."""
    async with served(protocol) as (address, _):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(sent)
        await writer.drain()
        received = await reader.read()
        writer.close()
        return received


@pytest.mark.parametrize(
    "line", [b"POST / HTTP/1.1\r\nConnection: close", b"POST / HTTP/1.0"], ids=["1.1", "1.0"]
)
async def test_a_refusal_is_read_by_who_sends_a_large_body_and_closes_then(line: bytes):
    received = await answer_to(line + b"\r\nContent-Length: %d\r\n\r\n" % LARGE + bytes(LARGE))

    assert received.startswith(b"HTTP/1.1 401 ")
    assert received.endswith(b"\r\n\r\nno key")


@pytest.mark.parametrize(
    "sent, status, code",
    [
        (b"GET / HTTP/1.1\r\nX: " + b"a" * LARGE, 431, "head_too_long"),
        (b"GET / HTTP/1.1\r\nno header\r\n" + bytes(LARGE), 400, "not_http"),
    ],
    ids=["head_too_long", "not_http"],
)
async def test_what_is_no_request_is_told_so(sent: bytes, status: int, code: str):
    received = await answer_to(sent)

    head, body = received.split(b"\r\n\r\n")
    problem = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert b"x-request-id: " + problem["instance"].encode() in head
    assert (problem["status"], problem["code"]) == (status, code)


async def test_who_never_ends_is_heard_for_a_while_only():
    async with served(Brief) as (address, server):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc")
        received = await reader.read()
        left = len(server.server_state.connections)
        with pytest.raises(ConnectionError):
            while True:
                writer.write(b"more")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), 0.01)

    assert received.endswith(b"no key")
    assert left == 0


@pytest.mark.parametrize(("version", "is_chunked"), [(b"1.0", False), (b"1.1", True)])
async def test_chunks_are_for_those_who_know_them(version: bytes, is_chunked: bool):
    received = await answer_to(b"GET /endless HTTP/%b\r\nConnection: close\r\n\r\n" % version)

    head, body = received.split(b"\r\n\r\n", 1)
    assert (b"transfer-encoding" in head) == is_chunked
    assert body == (b"3\r\nno \r\n3\r\nkey\r\n0\r\n\r\n" if is_chunked else b"no key")


@pytest.mark.parametrize(
    "line",
    [
        b"GET /endless HTTP/1.0\r\n",
        b"GET /endless HTTP/1.1\r\nConnection: close\r\n",
        b"POST / HTTP/1.1\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n",
    ],
)
async def test_connections_that_are_over_leave_nothing_to_the_collector_of_garbage(line: bytes):
    made: weakref.WeakSet[OneProtocol] = weakref.WeakSet()

    class Counted(OneProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            made.add(self)
            super().connection_made(transport)

    gc.collect()
    gc.disable()
    try:
        received = await answer_to(line + b"\r\n{}", Counted)
    finally:
        gc.enable()

    assert received
    assert not made

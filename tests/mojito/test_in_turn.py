"""Requests behind each other on one connection: answered in turn, and none outlives it."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server

STREAM = b"GET /stream HTTP/1.1\r\n\r\n"
ASK = b"POST /held HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
RUBBISH = [b"\x00rubbish\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000]
BROKEN = b"POST /broken HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nno length\r\n"


class Door:
    """Answers when it is opened; streams until it hears that nobody listens."""

    def __init__(self) -> None:
        self.opened, self.asked, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.heard = asyncio.Event()
        self.seen: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        """The path is the answer."""
        self.seen.append(scope["path"])
        message = await receive()
        while message.get("more_body"):
            message = await receive()
        if message["type"] == "http.disconnect":
            self.seen.append("broken off")
            return
        is_stream = scope["path"] == "/stream"
        if is_stream:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        self.asked.set()
        if is_stream:
            await receive()
            self.left.set()
            return
        await self.opened.wait()
        body = scope["path"].encode()
        told = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 202, "headers": told})
        await send({"type": "http.response.body", "body": body})


def heard_by(heard: asyncio.Event) -> type[OneProtocol]:
    """A protocol that tells when it has heard rubbish to its end, or that nothing more comes."""

    class Heard(OneProtocol):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if data.endswith((b"rubbish\r\n\r\n", b"aaa")) and self.is_refused:
                heard.set()

        def eof_received(self) -> bool:
            heard.set()
            return super().eof_received()

    return Heard


@contextlib.asynccontextmanager
async def connected(door: Door) -> AsyncGenerator[tuple]:
    """To a server with this application; how a connection is read and written."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        door, http=heard_by(door.heard), ws="none", lifespan="off", log_config=None
    )
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    try:
        async with asyncio.timeout(20):
            yield reader, writer
    finally:
        writer.close()
        door.opened.set()
        server.should_exit = server.force_exit = True
        await task


def statuses(received: bytes) -> list[bytes]:
    """Of all answers, in order."""
    return re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)


async def test_a_stream_ends_with_its_connection_although_another_request_was_sent_behind_it():
    door = Door()

    async with connected(door) as (_, writer):
        writer.write(STREAM + ASK)
        await door.asked.wait()
        writer.close()

        await door.left.wait()


@pytest.mark.parametrize("rubbish", RUBBISH, ids=["not_http", "head_too_long"])
@pytest.mark.parametrize("requests", [1, 3])
@pytest.mark.parametrize("is_late", [False, True])
async def test_what_is_no_request_is_told_behind_the_answers_to_those_before_it(
    rubbish: bytes, requests: int, *, is_late: bool
):
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(ASK * requests + (b"" if is_late else rubbish))
        await door.asked.wait()
        if is_late:
            writer.write(rubbish)
        if is_late and requests == 1:  # behind several nothing is read until they are answered
            await door.heard.wait()
        door.opened.set()
        received = await reader.read()

    assert door.seen == ["/held"] * requests
    assert statuses(received) in [[b"202"] * requests + [last] for last in (b"400", b"431")]


async def test_a_request_whose_body_breaks_off_is_refused_itself_behind_the_one_before_it():
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(ASK + BROKEN)
        await door.asked.wait()
        door.opened.set()
        received = await reader.read()

    assert statuses(received) == [b"202", b"400"]
    assert door.seen == ["/held"]


async def test_a_request_that_is_being_read_when_its_body_breaks_off_ends():
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(BROKEN)
        received = await reader.read()

    assert statuses(received) == [b"400"]
    assert door.seen == ["/broken", "broken off"]


@pytest.mark.parametrize("requests", [1, 2])
async def test_who_says_that_nothing_more_comes_reads_the_answers(requests: int):
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(ASK * requests)
        await door.asked.wait()
        writer.write_eof()
        await door.heard.wait()
        door.opened.set()
        received = await reader.read()

    assert statuses(received) == [b"202"] * requests
    assert received.endswith(b"\r\n\r\n/held")
    assert received.count(b"connection: close") == 1


async def test_a_stream_is_over_when_its_caller_says_that_nothing_more_comes():
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(STREAM)
        await door.asked.wait()
        writer.write_eof()

        await door.left.wait()
        await reader.read()


async def test_half_a_request_that_ends_is_no_request():
    door = Door()

    async with connected(door) as (reader, writer):
        writer.write(ASK[:-1])
        writer.write_eof()
        received = await reader.read()

    assert received == b""
    assert door.seen == ["/held", "broken off"]

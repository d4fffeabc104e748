"""Whoever asks before he sends his body (`Expect: 100-continue`), and what is made of what he sends then."""

import asyncio
import re
import socket

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server

BODY = b"GET /smuggled HTTP/1.1\r\nHost: api\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"


def asking(path: bytes, version: bytes = b"1.1", length: int = len(BODY)) -> bytes:
    """The head of a request that waits with its body."""
    line = b"POST %b HTTP/%b\r\nHost: api\r\nExpect: 100-continue\r\n" % (path, version)
    return line + b"Content-Length: %d\r\n\r\n" % length


class Door:
    """Reads the body below /read only."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        """The path is the answer."""
        self.seen.append(scope["path"])
        while scope["path"] == "/read" and (await receive())["more_body"]:
            pass
        body = b"<%b>" % scope["path"].encode()
        told = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": told})
        await send({"type": "http.response.body", "body": body})


async def answers_to(door: Door, first: bytes, second: bytes) -> bytes:
    """All that comes, the second piece being sent when something has come of the first."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(door, http=OneProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    async with asyncio.timeout(20):
        writer.write(first)
        received = await reader.readuntil(b"\r\n\r\n")
        writer.write(second)
        received += await reader.read()
    writer.close()
    server.should_exit = True
    await task
    return received


@pytest.mark.parametrize("second", [BODY + NEXT, NEXT * 9], ids=["the body", "another request"])
async def test_behind_an_answer_that_did_not_wait_for_the_body_nothing_is_taken_for_a_request(
    second: bytes,
):
    door = Door()

    received = await answers_to(door, asking(b"/refused"), second)

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"200"]
    assert b"\r\nconnection: close\r\n" in received
    assert received.endswith(b"\r\n\r\n</refused>")
    assert door.seen == ["/refused"]


async def test_a_body_that_was_asked_for_is_read_and_the_connection_serves_again():
    door = Door()

    received = await answers_to(door, asking(b"/read"), BODY + NEXT)

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"100", b"200", b"200"]
    assert door.seen == ["/read", "/next"]


@pytest.mark.parametrize("first", [asking(b"/refused") + BODY, asking(b"/refused", length=0)])
async def test_who_has_sent_all_of_it_is_read_on(first: bytes):
    door = Door()

    received = await answers_to(door, first, NEXT)

    assert received.count(b"connection: close") == 1
    assert door.seen == ["/refused", "/next"]


async def test_http_1_0_knows_no_other_word_before_the_answer():
    received = await answers_to(Door(), asking(b"/read", b"1.0") + BODY, b"")

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"200"]

"""Whoever offers another protocol loses nothing: body and following requests are read as without it."""

import asyncio
import socket

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
BODY = b'{"name": "POST / HTTP/1.1"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
NEXT = b"GET /next HTTP/1.1\r\nConnection: close\r\n\r\n"


async def echo(scope, receive, send) -> None:
    """Tells what it was asked, with the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = f"<{scope['method']} {scope['path']} ".encode() + body + b">"
    headers = [(b"content-length", b"%d" % len(told))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


async def answers_to(pieces: list[bytes]) -> list[bytes]:
    """What was understood of pieces that come one after another."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=OneProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    async with asyncio.timeout(20):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        received = await reader.read()
    writer.close()
    server.should_exit = True
    await task
    return [part[: part.index(b">")] for part in received.split(b"<")[1:]]


@pytest.mark.parametrize("offer", [OFFER, WEBSOCKET, b""], ids=["h2c", "websocket", "none"])
@pytest.mark.parametrize("frame, body", [(LENGTH, BODY), (CHUNKED, CHUNKS)])
@pytest.mark.parametrize("size", [3, 100_000], ids=["pieces", "whole"])
async def test_a_body_behind_an_offer_arrives_and_so_does_the_next_request(
    offer: bytes, frame: bytes, body: bytes, size: int
):
    first = b"POST /first HTTP/1.1\r\n" + offer + frame + b"\r\n" + body
    sent = first + first + NEXT

    answers = await answers_to([sent[at : at + size] for at in range(0, len(sent), size)])

    assert answers == [b"POST /first " + BODY] * 2 + [b"GET /next "]


async def test_requests_without_a_body_that_come_together_are_all_answered():
    asked = b"GET /first HTTP/1.1\r\n" + OFFER + b"\r\n"

    answers = await answers_to([asked * 300 + NEXT])

    assert answers == [b"GET /first "] * 300 + [b"GET /next "]

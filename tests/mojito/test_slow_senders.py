"""Who sends nothing, or a head without end, loses the connection; who sends slowly is heard out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from mojito.serve import Server
from mojito.slow_callers import PatientProtocol
from tests.house.conftest import until

HEAD = b"POST / HTTP/1.1\r\nHost: api\r\nContent-Length: 4\r\n\r\n"


class Impatient(PatientProtocol):
    """For tests."""

    unheard_seconds = 0.4


class ByHand(PatientProtocol):
    """Its time passes when a test says so: on a busy machine a real one passes between two pieces."""

    newest: "ByHand"
    pieces = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        ByHand.newest = self
        ByHand.pieces += 1

    def let_time_pass(self) -> None:
        """All that is borne."""
        assert self._alarm is not None
        self._alarm.cancel()
        if self._due is not None:
            self._due = self.loop.time()
        self._look_for_more()


async def arrives(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """By itself."""
    before = ByHand.pieces
    writer.write(piece)

    async def ask() -> bool:
        return ByHand.pieces > before

    await until(ask)


async def echo(scope, receive, send) -> None:
    """Answers with the body once all of it is there."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def names_of_headers(scope, receive, send) -> None:
    """Answers with them once the whole request is there."""
    while (await receive()).get("more_body"):
        pass
    names = b" ".join(name for name, _ in scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": names})


class Held:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.opened = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        self.asked.set()
        await self.opened.wait()
        await echo(scope, receive, send)


@contextlib.asynccontextmanager
async def connected(
    app=echo, protocol: type[PatientProtocol] = Impatient
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, http=protocol, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    try:
        async with asyncio.timeout(60):
            yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await task


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed, however it is."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(65536):
            received += piece
    return received


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"\r\n", HEAD, HEAD + b"ab"])
async def test_who_falls_silent_within_a_request_is_cut_off(sent: bytes):
    async with connected() as (reader, writer):
        writer.write(sent)
        received = await rest_of(reader)

    assert received == b""


async def test_a_connection_may_rest_between_requests_and_who_falls_silent_after_it_is_cut_off():
    async with connected(protocol=ByHand) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + b"idle")
            answer = await reader.readuntil(b"0\r\n\r\n")
            ByHand.newest.let_time_pass()

            assert b"HTTP/1.1 200 OK" in answer
        await arrives(writer, b"POST / HT")
        ByHand.newest.let_time_pass()
        received = await rest_of(reader)

    assert received == b""


async def test_who_sent_what_is_no_request_behind_one_is_still_answered_late():
    held = Held()

    async with connected(held, ByHand) as (reader, writer):
        writer.write(HEAD + b"late")
        await held.asked.wait()
        await arrives(writer, b"no request\r\n\r\n")
        ByHand.newest.let_time_pass()
        held.opened.set()
        received = await rest_of(reader)

    assert b"\r\nlate\r\n" in received
    assert b"HTTP/1.1 400 " in received


async def test_a_head_that_trickles_is_cut_off():
    async with connected() as (reader, writer):
        closed = asyncio.create_task(rest_of(reader))
        writer.write(b"GET / HTTP/1.1\r\n")
        while not closed.done():
            writer.write(b"X-More: y\r\n")
            await asyncio.wait([closed], timeout=0.05)

    assert closed.result() == b""


async def test_a_head_without_end_is_refused():
    async with connected(protocol=PatientProtocol) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"a" * 2_000_000)
        received = await rest_of(reader)

    assert received.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("endless", [b"1;extension=", b"0\r\nX: "], ids=["extension", "trailer"])
async def test_what_stands_between_and_behind_the_pieces_of_a_body_has_an_end(endless: bytes):
    async with connected(protocol=PatientProtocol) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(b"a" * 100_000)
                await writer.drain()
        writer.write_eof()
        received = await rest_of(reader)

    assert received.startswith(b"HTTP/1.1 431 ")


async def test_a_large_body_in_chunks_is_no_head_and_headers_behind_it_are_not_heard():
    async with connected(names_of_headers, PatientProtocol) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for _ in range(20):
            writer.write(b"%x\r\n%b\r\n" % (100_000, b"a" * 100_000))
            await writer.drain()
        writer.write(b"0\r\nIdempotency-Key: late\r\n\r\n")
        received = await rest_of(reader)

    assert received.endswith(b"transfer-encoding connection\r\n0\r\n\r\n")


async def test_a_body_that_comes_slowly_is_heard_out_and_the_connection_serves_again():
    async with connected(protocol=ByHand) as (reader, writer):
        for _ in range(2):
            await arrives(writer, HEAD)
            for letter in (b"s", b"l", b"o"):
                await arrives(writer, letter)
                ByHand.newest.let_time_pass()
            writer.write(b"w")
            answer = await reader.readuntil(b"slow")

            assert b"HTTP/1.1 200 OK" in answer


async def test_it_is_each_piece_that_is_awaited_for_so_long():
    async with connected(protocol=ByHand) as (reader, writer):
        await arrives(writer, HEAD)
        await arrives(writer, b"s")
        ByHand.newest.let_time_pass()
        ByHand.newest.let_time_pass()
        received = await rest_of(reader)

    assert received == b""

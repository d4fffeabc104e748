"""Who takes nothing of an answer loses the connection; who takes it slowly gets all of it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator

import pytest
import uvicorn

from mojito.serve import Server
from mojito.slow_callers import PatientProtocol

CHUNK = b"x" * 100_000
CHUNKS = 120


class Impatient(PatientProtocol):
    """For tests."""

    unread_seconds = 0.4


class ByHand(PatientProtocol):
    """Its time passes when a test says so: on a busy machine a real one passes between two reads."""

    newest: "ByHand"
    passed = 0
    """How often."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        ByHand.newest = self
        super().connection_made(transport)

    def let_time_pass_if_some_was_taken(self) -> None:
        """All that is borne."""
        if self._timer is None:
            return
        (waited,) = self._timer._args  # pyright: ignore[reportAttributeAccessIssue]  # of every handle
        if self.transport.get_write_buffer_size() < waited:
            self._timer.cancel()
            self.passed += 1
            self._look(waited)


class Answer:
    """An application whose answer is long."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope, receive, send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.ensure_future(receive())
        while self.sent < CHUNKS and not gone.done():
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            self.sent += 1
        gone.cancel()
        await send({"type": "http.response.body", "body": b""})
        self.is_over.set()


@contextlib.asynccontextmanager
async def asked(
    answer: Answer, protocol: type[PatientProtocol] = Impatient
) -> AsyncGenerator[tuple[asyncio.StreamReader, uvicorn.Server]]:
    """A caller who has asked, with little room for what comes, and the server."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        answer, http=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    calling = socket.socket()
    calling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    calling.setblocking(False)  # noqa: FBT003 - the standard library's signature
    await asyncio.get_running_loop().sock_connect(calling, listening.getsockname())
    reader, writer = await asyncio.open_connection(sock=calling, limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nHost: api\r\n\r\n")
    try:
        yield reader, server
    finally:
        writer.close()
        server.should_exit = True
        await task


async def test_who_takes_nothing_is_cut_off():
    answer = Answer()

    async with asked(answer) as (reader, server), asyncio.timeout(60):
        await answer.is_over.wait()
        open_connections = len(server.server_state.connections)
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(CHUNKS * len(CHUNK))

    assert 0 < answer.sent < CHUNKS
    assert open_connections == 0


async def test_who_takes_a_little_now_and_then_gets_all_of_it():
    answer = Answer()
    taken = 0

    async with asked(answer, ByHand) as (reader, _), asyncio.timeout(120):
        while taken < CHUNKS * len(CHUNK):
            taken += len(piece := await reader.read(1_000_000))
            assert piece, "cut off"
            ByHand.newest.let_time_pass_if_some_was_taken()

    assert answer.sent == CHUNKS
    assert ByHand.newest.passed > 0

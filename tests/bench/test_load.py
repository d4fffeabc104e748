"""The load generator against small servers: it counts answers, and tells when one is not as expected."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "bench" / "load.py"
BODY = b'{"name": "one"}'


class Server:
    """Answers every request with the next pieces of bytes, each sent on its own."""

    def __init__(self, answer: Callable[[int], list[bytes]]) -> None:
        self._answer = answer
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            self.requests.append((head, await reader.readexactly(len(BODY))))
            pieces = self._answer(len(self.requests))
            if not pieces:
                break
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(answer: Callable[[int], list[bytes]]) -> AsyncGenerator[Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


async def load(server: Server, folder: Path, *more: str) -> tuple[int, str, str]:
    body = folder / "body.json"
    body.write_bytes(BODY)
    url = f"http://127.0.0.1:{server.port}/ads?dry=1"
    command = [str(PROGRAM), "--url", url, "--body-file", str(body), "--header", "X-Key: k", *more]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), timeout=120)
    return process.returncode or 0, out.decode(), err.decode()


def accepted(_: int) -> list[bytes]:
    return [b"HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\nx: y\r\n\r\n", b"do", b"ne"]


async def test_every_request_is_sent_once_over_the_connections_that_were_asked_for(tmp_path):
    async with serving(accepted) as server:
        code, out, err = await load(server, tmp_path, "--requests", "50", "--connections", "4")

    figures = json.loads(out)
    assert (code, err) == (0, "")
    assert (len(server.requests), server.connections, figures["requests"]) == (50, 4, 50)
    assert figures["requests_per_second"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]


async def test_a_request_carries_path_query_headers_and_body(tmp_path):
    async with serving(accepted) as server:
        await load(server, tmp_path, "--requests", "1")

    head, body = server.requests[0]
    assert head.startswith(b"POST /ads?dry=1 HTTP/1.1\r\n")
    assert b"\r\nX-Key: k\r\n" in head
    assert body == BODY


async def test_another_status_ends_the_run_with_what_was_answered(tmp_path):
    def refused_at_last(number: int) -> list[bytes]:
        refusal = b'HTTP/1.1 422 Unprocessable\r\nContent-Length: 15\r\n\r\n{"code": "bad"}'
        return [refusal] if number == 5 else accepted(number)

    async with serving(refused_at_last) as server:
        code, out, err = await load(server, tmp_path, "--requests", "9", "--connections", "2")

    assert (code, out) == (1, "")
    assert '{"code": "bad"}' in err


async def test_a_connection_that_closes_instead_of_an_answer_ends_the_run(tmp_path):
    async with serving(lambda _: []) as server:
        code, out, err = await load(server, tmp_path, "--requests", "3", "--connections", "1")

    assert (code, out) == (1, "")
    assert "closed" in err

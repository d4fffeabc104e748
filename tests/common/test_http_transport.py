"""What a request of httpx meets over our transport, from servers on loopback that answer byte for byte."""

import asyncio
import contextlib
import gzip
import select
import socket
import zlib
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx
import pytest

from common.http_transport import BEFORE_SENDING, LONGEST_ANSWER, AnswerTooLong, Transport
from tests.common.loopback import certificates, closed_port, loopback, with_body
from tests.house.conftest import holds, until


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    transport = Transport(max_connections=2, keepalive_seconds=3)
    async with httpx.AsyncClient(transport=transport, timeout=30) as client:
        yield client


@contextlib.asynccontextmanager
async def talking(*answers: bytes) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server that gives an answer for each request of one connection; its port, and what it read.

    Behind the last answer it resets the connection.
    """
    read: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            read.append(head + await reader.readexactly(int(length or 0)))
            writer.write(answer)
            await writer.drain()
        reset = b"\x01\0\0\0\0\0\0\0"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], read


async def test_a_request_arrives_as_httpx_has_built_it(client: httpx.AsyncClient):
    request = client.build_request(
        "POST",
        "http://127.0.0.1/act_1%2F2/ads?fields=a%2Cb",
        data={"name": "ä &"},
        headers={"X-Mine": "1"},
    )

    async with talking(with_body(b"{}")) as (port, read):
        request.url = request.url.copy_with(port=port)
        await client.send(request)

    head, _, body = read[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /act_1%2F2/ads?fields=a%2Cb HTTP/1.1"
    names = [line.partition(":")[0].lower() for line in lines[1:]]
    assert sorted(names) == sorted({*names})
    assert sorted(names) == sorted(request.headers)
    assert body == b"name=%C3%A4+%26"


async def test_files_are_sent_with_their_length(client: httpx.AsyncClient):
    async with talking(with_body(b"{}")) as (port, read):
        await client.post(f"http://127.0.0.1:{port}/", files={"file": ("a.png", b"picture")})

    assert b"picture" in read[0]
    assert b"transfer-encoding" not in read[0].lower()


async def test_requests_share_a_connection(client: httpx.AsyncClient):
    async with talking(with_body(b"1"), with_body(b"2")) as (port, _):
        first = await client.get(f"http://127.0.0.1:{port}/")
        second = await client.get(f"http://127.0.0.1:{port}/")

    assert (first.text, second.text) == ("1", "2")


async def test_a_packed_answer_is_unpacked(client: httpx.AsyncClient):
    answer = with_body(gzip.compress(b'{"id": "1"}'), "Content-Encoding: gzip")

    async with loopback(answer) as server:
        got = await client.get(f"http://127.0.0.1:{server.port}/")

    assert got.json() == {"id": "1"}


async def test_a_header_of_forty_kilobytes_is_read(client: httpx.AsyncClient):
    answer = with_body(b"{}", "X-Business-Use-Case-Usage: " + "u" * 40_000)

    async with loopback(answer) as server:
        got = await client.get(f"http://127.0.0.1:{server.port}/")

    assert len(got.headers["x-business-use-case-usage"]) == 40_000


async def test_redirects_are_not_followed(client: httpx.AsyncClient):
    answer = with_body(b"", "Location: http://127.0.0.1:1/", status="302 Found")

    async with loopback(answer) as server:
        got = await client.get(f"http://127.0.0.1:{server.port}/")

    assert got.status_code == 302


async def test_only_what_no_byte_has_left_for_is_a_connect_error(client: httpx.AsyncClient):
    with closed_port() as closed:
        for url in (f"http://127.0.0.1:{closed}/", "http://nobody.invalid/"):
            with pytest.raises(httpx.ConnectError):
                await client.post(url, data={"name": "x"})
    for url in ("ftp://127.0.0.1/", "http:///nowhere"):
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.post(url, data={"name": "x"})


async def test_a_server_without_a_good_certificate_is_sent_nothing(
    client: httpx.AsyncClient, tmp_path: Path
):
    serving, _ = certificates(tmp_path, "localhost")

    async with loopback(tls=serving) as server:
        with pytest.raises(httpx.ConnectError):
            await client.post(f"https://127.0.0.1:{server.port}/", data={"name": "x"})

    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        b"nonsense\r\n\r\n",
        with_body(b"no gzip", "Content-Encoding: gzip"),
    ],
    ids=["nothing", "half_a_head", "half_a_body", "half_a_chunk", "nonsense", "not_packed"],
)
@pytest.mark.parametrize("end", [loopback, talking])
async def test_an_answer_that_breaks_off_is_no_connect_error(
    client: httpx.AsyncClient, answer: bytes, end
):
    async with end(answer) as server:
        port = server[0] if isinstance(server, tuple) else server.port
        with pytest.raises(httpx.HTTPError) as caught:
            await client.post(f"http://127.0.0.1:{port}/", data={"name": "x"})

    assert not isinstance(caught.value, httpx.ConnectError | httpx.UnsupportedProtocol)


async def test_a_used_connection_that_breaks_is_no_connect_error_either(
    client: httpx.AsyncClient,
):
    async with talking(with_body(b"1"), b"") as (port, read):
        await client.get(f"http://127.0.0.1:{port}/")
        with pytest.raises(httpx.ReadError):
            await client.post(f"http://127.0.0.1:{port}/", data={"name": "x"})

    assert read[1].startswith(b"POST ")


async def test_who_stops_waiting_closes_the_connection(client: httpx.AsyncClient):
    async with loopback(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", hold=True) as server:
        waiting = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await until(holds(lambda: server.requests))
        async with asyncio.timeout(20):
            (writer,) = server.open
            waiting.cancel()
            await asyncio.wait([waiting])
            with pytest.raises(ConnectionResetError):
                await writer.wait_closed()

    assert waiting.cancelled()
    assert writer.is_closing()


@contextlib.contextmanager
def unread() -> Generator[socket.socket]:
    """A server that takes connections and, for now, hardly a byte."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0)
        yield server


async def pieces(size: int) -> AsyncGenerator[bytes]:
    for _ in range(size // 10_000):
        yield b"x" * 10_000


async def connected(server: socket.socket) -> None:
    """Returns when somebody is."""
    await until(holds(lambda: select.select([server], [], [], 0)[0]))


async def what_arrived(server: socket.socket) -> bytes:
    """Once the connection is reset, before which nothing is read: whoever reads makes room for more."""
    connection, _ = server.accept()
    told = select.poll()
    told.register(connection, 0)  # the end of a connection is told unasked
    received = b""
    with connection, contextlib.suppress(ConnectionResetError):
        await until(holds(lambda: told.poll(0)))
        while piece := connection.recv(1 << 16):
            received += piece
    return received


@pytest.mark.parametrize("size", [40_000, 8_000_000], ids=["in the system", "in the program"])
async def test_nothing_more_is_sent_of_a_request_that_nobody_waits_for(
    client: httpx.AsyncClient, size: int
):
    with unread() as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        length = {"Content-Length": str(size)}
        waiting = asyncio.create_task(client.post(url, content=pieces(size), headers=length))
        await connected(server)
        await asyncio.wait([waiting], timeout=0.2)  # it sends as much as there is room for
        waiting.cancel()
        await asyncio.wait([waiting])
        received = await what_arrived(server)

    assert waiting.cancelled()
    assert len(received) < size


async def test_what_must_still_be_true_is_asked_when_there_is_a_connection(
    client: httpx.AsyncClient,
):
    def refuse() -> None:
        raise LookupError

    async with loopback(with_body(b"{}")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(LookupError):
            await client.post(url, content=b"first", extensions={BEFORE_SENDING: refuse})
        await client.get(url)

    assert [request.partition(" ")[0] for request in server.requests] == ["GET"]


LONG = b" " * (LONGEST_ANSWER + 1)


@pytest.mark.parametrize(
    "answer",
    [
        with_body(LONG),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + LONG,
        with_body(gzip.compress(LONG), "Content-Encoding: gzip"),
        with_body(zlib.compress(LONG), "Content-Encoding: deflate"),
    ],
    ids=["told", "untold", "gzip", "deflate"],
)
async def test_an_answer_without_an_end_is_not_read_to_its_end(
    client: httpx.AsyncClient, answer: bytes
):
    async with loopback(answer) as server:
        with pytest.raises(AnswerTooLong, match="more than"):
            await client.post(f"http://127.0.0.1:{server.port}/", data={"name": "x"})


async def test_the_longest_answer_is_read(client: httpx.AsyncClient):
    packed = with_body(gzip.compress(LONG[1:]), "Content-Encoding: gzip")

    for answer in (with_body(LONG[1:]), packed):
        async with loopback(answer) as server:
            got = await client.get(f"http://127.0.0.1:{server.port}/")

        assert len(got.content) == LONGEST_ANSWER

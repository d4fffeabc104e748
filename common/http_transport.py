"""Carries requests of httpx by aiohttp, whose connections and parser cost a third of the processor time."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterable, Callable, Generator
from contextvars import ContextVar
from functools import cache
from typing import cast

import aiohttp
import httpx
from yarl import URL

LONGEST_ANSWER = 4 * 1024**2
"""Bytes, unpacked: a list of Meta's hundred objects has a hundredth of it."""
LONGEST_HEADER = 64 * 1024
"""Bytes. Meta lists every account's usage in one; the usual limit of 8 KB would make a doubt of an answer."""

BEFORE_SENDING = "before_sending"
"""Extension of a request: called when it has a connection, right before its first byte leaves."""

_OF_PACKED = (b"content-encoding", b"content-length")
_LINGER_NOT = struct.pack("ii", 1, 0)


class AnswerTooLong(httpx.ReadError):
    """The request may have been carried out; what came back has no end that is worth waiting for."""


class Transport(httpx.AsyncBaseTransport):
    """For short answers: each is read to its end before it is handed on, and given up beyond LONGEST_ANSWER.

    A request of which no byte has left raises httpx.ConnectError or UnsupportedProtocol. Every other
    failure is a ReadError, since the request may have been carried out. The package httpx-aiohttp was not
    taken: it calls a connection that breaks after the request has been sent a ConnectTimeout, too.

    When nobody waits for the answer any more, or the process dies, no further byte of the request leaves:
    an orderly end would go on sending what the connection holds, for a minute and more if its way is
    blocked, and the request would be carried out when nobody reckons with it.
    """

    def __init__(self, *, max_connections: int, keepalive_seconds: float) -> None:
        self._max_connections = max_connections
        self._keepalive_seconds = keepalive_seconds
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Deadlines are the caller's: whoever cancels this closes its connection."""
        if self._session is None:
            self._session = self._opened()
        try:
            with _sending(request):
                return await _exchanged(self._session, request)
        except aiohttp.ClientConnectorError as error:
            raise httpx.ConnectError(type(error).__name__, request=request) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise httpx.UnsupportedProtocol(type(error).__name__, request=request) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ReadError(type(error).__name__, request=request) from error

    async def aclose(self) -> None:
        """Lets connections go."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # it belongs to the loop that runs when it is made
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            keepalive_timeout=self._keepalive_seconds,
            ssl=_trusting(),
            socket_factory=_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )


class _Sending:
    """What is asked before a request leaves, and the connection that it has left by."""

    __slots__ = ("ask", "transport")

    def __init__(self, ask: Callable[[], None] | None) -> None:
        self.ask = ask
        self.transport: asyncio.Transport | None = None


_now_sending: ContextVar[_Sending] = ContextVar("now_sending")


class _Request(aiohttp.ClientRequest):
    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """A connection may have been waited for; what was true before that need not be any more."""
        sending = _now_sending.get()
        if sending.ask is not None:
            sending.ask()
        sending.transport = conn.transport
        return await super().send(conn)


@contextlib.contextmanager
def _sending(request: httpx.Request) -> Generator[None]:
    sending = _Sending(request.extensions.get(BEFORE_SENDING))
    token = _now_sending.set(sending)
    try:
        yield
    except BaseException:
        if sending.transport is not None:
            # aiohttp has closed it, which still sends what is written already
            sending.transport.abort()
        raise
    finally:
        _now_sending.reset(token)


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """What it holds when it is closed is thrown away, by whomever it is closed."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    return made


async def _exchanged(session: aiohttp.ClientSession, request: httpx.Request) -> httpx.Response:
    async with session.request(
        request.method,
        URL(str(request.url), encoded=True),
        headers=_written_headers(request.headers),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        data=_body(request),
        allow_redirects=False,
    ) as answer:
        content = await _read(answer, request)
        _now_sending.get().transport = None  # it may serve somebody else by now
        return httpx.Response(
            answer.status, headers=_unpacked(answer), content=content, request=request
        )


async def _read(answer: aiohttp.ClientResponse, request: httpx.Request) -> bytes:
    pieces: list[bytes] = []
    length = 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        length += len(piece)
        if length > LONGEST_ANSWER:
            raise AnswerTooLong(
                f"an answer of more than {LONGEST_ANSWER:,} bytes came", request=request
            )
    return b"".join(pieces)


def _unpacked(answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """The headers without those that are about the packed body."""
    told = answer.raw_headers
    if "Content-Encoding" not in answer.headers:
        return [*told]
    return [pair for pair in told if pair[0].lower() not in _OF_PACKED]


def _written_headers(headers: httpx.Headers) -> list[tuple[str, str]]:
    """With their capital letters, which httpx only keeps in the raw ones."""
    encoding = headers.encoding
    return [(name.decode(encoding), value.decode(encoding)) for name, value in headers.raw]


def _body(request: httpx.Request) -> bytes | AsyncIterable[bytes] | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        # files are sent as they are read
        return cast("AsyncIterable[bytes]", request.stream)


@cache
def _trusting() -> ssl.SSLContext:
    """The authorities that httpx brings along, read once: that takes 30 ms."""
    return httpx.create_ssl_context(trust_env=False)

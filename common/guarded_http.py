"""The one client for addresses that others gave us: public targets only, and the checked one is called."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, Self
from urllib.parse import unquote

import httpx

from common.address_guard import Address, PrivateTargets, is_public
from common.errors import MojitoError
from common.name_lookups import NameLookups, looking_up_for

type RefusalCode = Literal[
    "url_not_allowed",
    "address_not_public",
    "redirect_refused",
    "too_large",
    "timed_out",
    "unreachable",
    "bad_status",
]
type Resolve = Callable[[str, int], Awaitable[list[str]]]

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
LOOK_UP_SECONDS = 4.0
READ_ANSWER_SECONDS = 2.0
LONGEST_URL = 8192


class DownloadFailed(MojitoError):
    """The address was refused or did not give what was asked; `status` is its answer's, if any.

    Messages name no more than the host: paths and queries of media often carry signatures.
    """

    def __init__(self, message: str, *, code: RefusalCode, status: int | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status


class Download:
    """An answer with status 200, whose bytes have still to be read."""

    def __init__(self, response: httpx.Response, *, file_name: str | None, max_bytes: int) -> None:
        self._response = response
        self._max_bytes = max_bytes
        self.file_name = file_name

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they were sent, never unpacked. Raises DownloadFailed(too_large)."""
        received = 0
        async for chunk in self._response.aiter_raw(1 << 20):
            received += len(chunk)
            if received > self._max_bytes:
                raise too_large(self._max_bytes)
            yield chunk


class Answer(NamedTuple):
    """What somebody else's server answered: only the beginning of its body is read."""

    status: int
    retry_after: str | None
    beginning: bytes


class GuardedClient:
    """Calls https addresses of strangers; http only from allowed private targets.

    A host is resolved once per request and refused if any of its addresses is neither public nor
    allowed; the connection goes to a checked address, with the original Host header and server
    name. Redirects are refused, and neither proxies nor credentials of the environment are used.
    """

    def __init__(
        self,
        *,
        allowed_private_targets: Collection[str] = (),
        allowed_ports: Collection[int] = (443,),
        total_seconds: float = 600.0,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._targets = PrivateTargets(allowed_private_targets)
        self._ports = frozenset(allowed_ports)
        self._total_seconds = total_seconds
        self._resolve = resolve or NameLookups()
        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl_context or _trusting(),
            trust_env=False,
            # a kept connection could serve another host name at the same address
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    @contextlib.asynccontextmanager
    async def download(
        self,
        url: str,
        *,
        max_bytes: int,
        total_seconds: float | None = None,
        asker: Hashable | None = None,
    ) -> AsyncIterator[Download]:
        """Opens an address for reading. Raises DownloadFailed, also while chunks are read.

        `asker`: for whom; names that never answer hold up nobody but the one who asks for them.
        """
        target = parse_url(url)
        async with (
            _in_time(total_seconds or self._total_seconds),
            self._answer(_request("GET", target), asker) as response,
        ):
            _refuse_answer(response, max_bytes)
            yield Download(response, file_name=file_name_of(target), max_bytes=max_bytes)

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        longest_answer: int,
        total_seconds: float,
        asker: Hashable | None = None,
    ) -> Answer:
        """What the address answers, whatever its status. Raises DownloadFailed when it does not."""
        request = _request("POST", parse_url(url), content, headers)
        async with _in_time(total_seconds) as limit, self._answer(request, asker) as response:
            limit.reschedule(None)  # it has answered; what follows is only for people
            return Answer(
                response.status_code,
                response.headers.get("retry-after"),
                await _beginning(response, longest_answer),
            )

    async def check(self, url: str, *, asker: Hashable | None = None) -> None:
        """Raises DownloadFailed for an address that would not be called."""
        async with _in_time(LOOK_UP_SECONDS):
            await self._checked_addresses(parse_url(url), asker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Lets connections go."""
        await self._transport.aclose()

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: httpx.Request, asker: Hashable | None
    ) -> AsyncIterator[httpx.Response]:
        addresses = await self._checked_addresses(request.url, asker)
        response = await self._send(request, addresses)
        try:
            yield response
        finally:
            await response.aclose()

    async def _send(self, request: httpx.Request, addresses: list[str]) -> httpx.Response:
        """Tries the checked addresses in turn; only a refused connection leads to the next."""
        named = request.url
        for address in addresses[:-1]:
            request.url = named.copy_with(host=address)
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._transport.handle_async_request(request)
        request.url = named.copy_with(host=addresses[-1])
        return await self._transport.handle_async_request(request)

    async def _checked_addresses(self, url: httpx.URL, asker: Hashable | None) -> list[str]:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            with looking_up_for(asker):
                found = await self._resolve(url.host, port)
        except (OSError, UnicodeError) as error:
            raise _unreachable("its name has no address") from error
        if not found:
            raise _unreachable("its name has no address")
        addresses = [ip_address(text) for text in found]
        private = [self._targets.allow(url.host, address, port) for address in addresses]
        self._refuse_url(url, port, addresses, private)
        return found

    def _refuse_url(
        self, url: httpx.URL, port: int, addresses: list[Address], private: list[bool]
    ) -> None:
        pairs = zip(addresses, private, strict=True)
        if not all(allowed or is_public(address) for address, allowed in pairs):
            raise DownloadFailed(f"{url.host} is not a public address", code="address_not_public")
        if all(private):
            return
        if url.scheme != "https":
            raise _not_allowed("only https addresses are fetched")
        if port not in self._ports:
            raise _not_allowed(f"port {port} is not among those that are fetched from")


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """What the way to an address may raise, as DownloadFailed."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield limit
    except (TimeoutError, httpx.TimeoutException) as error:
        if isinstance(error, TimeoutError) and not limit.expired():
            raise  # it is the reader's own
        raise DownloadFailed("the address did not answer in time", code="timed_out") from error
    except httpx.TransportError as error:
        raise _unreachable(_told(error)) from error


def _request(
    method: str, target: httpx.URL, content: bytes = b"", headers: Mapping[str, str] | None = None
) -> httpx.Request:
    return httpx.Request(
        method,
        target,
        content=content or None,
        headers={
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": "mojito",
            **(headers or {}),
        },
        extensions={
            "timeout": httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS).as_dict(),
            "sni_hostname": target.host,
        },
    )


async def _beginning(response: httpx.Response, longest: int) -> bytes:
    """The first bytes, as far as they come soon; a status without them is an answer all the same."""
    received = b""
    with contextlib.suppress(TimeoutError, httpx.TransportError):
        chunks = response.aiter_raw(longest)
        async with asyncio.timeout(READ_ANSWER_SECONDS), contextlib.aclosing(chunks):  # pyright: ignore[reportArgumentType]  # it is a generator
            async for chunk in chunks:
                received += chunk
                if len(received) >= longest:
                    break
    return received


def parse_url(text: str) -> httpx.URL:
    """The address in parts. Raises DownloadFailed(url_not_allowed)."""
    try:
        url = httpx.URL(text) if len(text) <= LONGEST_URL else None
        host = "" if url is None else url.host  # `xn--` begins a name and may be followed by none
    except (httpx.InvalidURL, UnicodeError):
        url, host = None, ""
    if url is None or url.scheme not in ("https", "http") or not host or "%" in host:
        raise _not_allowed("it is not a usable https address")
    if url.userinfo:
        raise _not_allowed("an address with a user name or password in it is not fetched")
    return url


def file_name_of(url: httpx.URL) -> str | None:
    """The last part of the path, which most hosts name files by.

    >>> file_name_of(httpx.URL("https://example.com/a/hero%20shot.png?size=2"))
    'hero shot.png'
    """
    return PurePosixPath(unquote(url.path)).name or None


def too_large(max_bytes: int) -> DownloadFailed:
    """More bytes than were asked for."""
    return DownloadFailed(f"it is larger than {max_bytes} bytes", code="too_large")


def _not_allowed(reason: str) -> DownloadFailed:
    return DownloadFailed(reason, code="url_not_allowed")


def _unreachable(reason: str) -> DownloadFailed:
    return DownloadFailed(f"the address cannot be reached: {reason}", code="unreachable")


def _told(error: httpx.TransportError) -> str:
    """What went wrong on the way, without the words of the libraries: they may tell of the inside."""
    match error:
        case httpx.ConnectError() if "certificate" in str(error).lower():
            return "its certificate is not valid for it"
        case httpx.ConnectError():
            return "it takes no connection"
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return "its answer broke off, or is not HTTP"
        case _:
            return type(error).__name__


def _refuse_answer(response: httpx.Response, max_bytes: int) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise DownloadFailed(
            "the address redirects, and redirects are not followed",
            code="redirect_refused",
            status=status,
        )
    if status != httpx.codes.OK:
        raise DownloadFailed(
            f"the address answered with status {status}", code="bad_status", status=status
        )
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise too_large(max_bytes)


@cache
def _trusting() -> ssl.SSLContext:
    """The authorities of the system, read once: that takes 30 ms."""
    return ssl.create_default_context()

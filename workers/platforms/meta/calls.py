"""Sends what the SDK has built, and turns every way a call can end into an outcome."""

import asyncio
import contextlib
import hashlib
import hmac
import re
from collections.abc import Callable, Generator
from functools import lru_cache, partial
from typing import Any, Literal

import httpx
import msgspec

from common import clock, tracing
from common.errors import Retry, StepError, Unknown, Wait
from common.http_transport import BEFORE_SENDING, AnswerTooLong, Transport
from models.credentials import Account, MetaCredentials
from workers.platforms.base import Called, StepContext, unmeasured
from workers.platforms.meta.files import SentFile, Unread, form
from workers.platforms.meta.outcomes import (
    THROTTLE,
    TOO_MANY_REQUESTS,
    blame,
    number,
    outcome,
)
from workers.platforms.meta.pacing import Pacing, limit_of, read_usage
from workers.platforms.meta.pointers import pointer
from workers.platforms.meta.sdk import Call
from workers.platforms.meta.strangers import mapping, parsed

type Effect = Literal["reads", "repeatable", "creates"]
"""What a call may do: only one that creates and cannot be repeated leaves a doubt behind."""

SLOWEST_UPLOAD = 256 * 1024
"""Bytes a second; what is slower is no upload. Images have up to 30 MB, chunks of videos what Meta says."""
SHORTEST_SECRET = 12
"""Shorter ones are no secrets of Meta's, and may stand in an answer by chance."""

_ID = re.compile("[0-9]{1,32}")
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "mojito",
}
_HAS_LEFT = "has_left"
_NOT_SENT = (httpx.ConnectError, httpx.UnsupportedProtocol)
_LATE = "Nothing; the job asks Meta what happened."
_AGAIN = "Nothing; the job tries again by itself."


class Refusal(Exception):
    """An error object of Meta's, for callers that know what to do with it."""

    def __init__(self, error: dict[str, Any], step_error: StepError) -> None:
        super().__init__(step_error.message)
        self.error = error
        self.code = number(error.get("code"))
        self.subcode = number(error.get("error_subcode"))
        self.step_error = step_error


class Addresses(msgspec.Struct, frozen=True):
    """Where each mode's accounts are served; a sandbox account knows no other place."""

    live: str
    live_video: str
    sandbox: str

    def base(self, mode: Literal["live", "sandbox"], *, video: bool) -> str:
        """For one call."""
        if mode == "sandbox":
            return self.sandbox
        return self.live_video if video else self.live


class Graph:
    """One pooled client for all accounts; the token travels in a header of each call."""

    def __init__(
        self,
        addresses: Addresses,
        called: Called = unmeasured,
        *,
        max_connections: int = 200,
    ) -> None:
        self._called = called
        self._addresses = addresses
        self._pacing = Pacing()
        # not through a client of httpx: redirects, cookies and its log of addresses are not wanted
        self._transport = Transport(max_connections=max_connections, keepalive_seconds=3)
        # of their own: slow ones, many at once, would keep every other call waiting for a connection
        self._of_files = Transport(max_connections=max_connections, keepalive_seconds=3)

    async def close(self) -> None:
        """Lets connections go."""
        await self._transport.aclose()
        await self._of_files.aclose()

    async def send(
        self,
        context: StepContext,
        call: Call,
        *,
        effect: Effect,
        file: SentFile | None = None,
        video_host: bool = False,
    ) -> dict[str, Any]:
        """Meta's answer. Raises Refusal for an error object, else Retry, Unknown or Wait."""
        if effect != "reads":
            pause = self._pacing.before_write(context.account.platform_account_id)
            if pause > 0:
                await asyncio.sleep(pause)
        with tracing.span(f"{call.method} META", "client", step=context.step.name):
            return await self._send(context, call, effect, file, video_host=video_host)

    async def _send(
        self,
        context: StepContext,
        call: Call,
        effect: Effect,
        file: SentFile | None,
        *,
        video_host: bool,
    ) -> dict[str, Any]:
        seconds = self._seconds(context, effect) + _to_be_sent(file)
        request = self._request(context.account, call, file, video_host=video_host)
        request.extensions[BEFORE_SENDING] = partial(self._leave, request, context, effect)
        transport = self._transport if file is None else self._of_files
        with self._measured():
            response = await self._exchange(transport, request, seconds, effect)
            return self._read(context.account, response, effect, partial(pointer, context))

    @contextlib.contextmanager
    def _measured(self) -> Generator[None]:
        began_at, ended = clock.seconds(), "done"
        try:
            yield
        except Refusal as refusal:
            ended = type(refusal.step_error).__name__.lower()
            raise
        except StepError as error:
            ended = type(error).__name__.lower()
            raise
        finally:
            self._called("META", ended, clock.seconds() - began_at)

    async def ask(self, account: Account, call: Call, seconds: float) -> dict[str, Any]:
        """Meta's answer to a read that belongs to no step. Raises Refusal, Retry or Wait."""
        with tracing.span(f"{call.method} META", "client"), self._measured():
            request = self._request(account, call, None, video_host=False)
            request.extensions[BEFORE_SENDING] = partial(_tell_that_it_left, request)
            response = await self._exchange(self._transport, request, seconds, "reads")
            return self._read(account, response, "reads", lambda _: None)

    async def _exchange(
        self, transport: Transport, request: httpx.Request, seconds: float, effect: Effect
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(seconds):
                return await transport.handle_async_request(request)
        except _NOT_SENT as error:
            raise _not_reached(error) from None
        except AnswerTooLong as error:
            raise unanswered(effect, str(error)) from None
        except (TimeoutError, httpx.HTTPError) as error:
            if (unread := _unread(error)) is not None:
                raise unread from error
            if isinstance(error, TimeoutError) and _HAS_LEFT not in request.extensions:
                raise _not_reached(error) from None
            # what was sent and is too large for the time would be too large again
            message, is_outage = f"no answer came ({type(error).__name__})", effect == "reads"
            raise unanswered(effect, message, is_outage=is_outage) from None

    def _leave(self, request: httpx.Request, context: StepContext, effect: Effect) -> None:
        """Looks once more when there is a connection: meanwhile the machine may have been asleep."""
        context.guard()
        self._seconds(context, effect)
        _tell_that_it_left(request)

    def _seconds(self, context: StepContext, effect: Effect) -> float:
        if effect != "creates":
            return context.deadline_seconds
        left = context.write_deadline - clock.seconds()
        if left <= 0:
            raise Retry(
                "the call was not begun in time", code="begun_too_late", remedy=_AGAIN, after=0
            )
        return left

    def _request(
        self, account: Account, call: Call, file: SentFile | None, *, video_host: bool
    ) -> httpx.Request:
        credentials: MetaCredentials = account.credentials
        params = {**call.params, **proof(credentials)}
        base = self._addresses.base(account.mode, video=video_host)
        headers = {**_HEADERS, "Authorization": f"Bearer {credentials.access_token}"}
        if (trace := tracing.current()) is not None:
            headers["traceparent"] = trace.traceparent
        url = _address(f"{base.rstrip('/')}/{call.path}")
        if file is not None:
            return form(url, params, file, headers)
        if call.method == "POST":
            return httpx.Request("POST", url, data=params, headers=headers)
        return httpx.Request(call.method, url, params=params, headers=headers)

    def _read(
        self,
        account: Account,
        response: httpx.Response,
        effect: Effect,
        pointer_to: Callable[[list[list[str]]], str | None],
    ) -> dict[str, Any]:
        asked_about = account.platform_account_id
        usage = read_usage(response.headers, account=asked_about)
        self._pacing.heard(asked_about, usage)
        answer = parsed(masked(response.content, account.credentials))
        if effect == "creates" and {"id", "error"} <= mapping(answer).keys():
            # it names something that was made, whatever else it says
            raise unanswered(effect, "an error came with an id")
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):  # pyright: ignore[reportUnknownMemberType]  # JSON of a stranger
            error: dict[str, Any] = answer["error"]
            limit = limit_of(error.get("code"))
            step_error = outcome(
                error,
                is_write=effect == "creates",
                pointer=pointer_to(blame(error)),
                regain_seconds=read_usage(
                    response.headers, limit, account=asked_about
                ).regain_seconds,
                status=response.status_code,
            )
            raise Refusal(error, step_error)
        if response.status_code == TOO_MANY_REQUESTS:
            raise Wait(
                "Meta answered 429",
                code="throttled",
                reason="throttled",
                seconds=usage.regain_seconds or 60.0,
                remedy=THROTTLE,
            )
        if (
            response.status_code >= 300
            or not isinstance(answer, dict)
            or answer.get("success") is False
        ):  # pyright: ignore[reportUnknownMemberType]  # likewise
            message = f"an unreadable answer came (status {response.status_code})"
            raise unanswered(effect, message, is_outage=response.status_code >= 500)
        return answer  # pyright: ignore[reportUnknownVariableType]  # likewise


def _tell_that_it_left(request: httpx.Request) -> None:
    request.extensions[_HAS_LEFT] = True


def _not_reached(error: Exception) -> Retry:
    """No byte of the request has left."""
    return Retry(
        f"Meta could not be reached ({type(error).__name__})",
        code="platform_unreachable",
        remedy=_AGAIN,
        is_outage=True,
    )


def _unread(error: BaseException | None) -> Retry | None:
    """Where the call broke off because of the file that it carries, what is told of that."""
    while error is not None and not isinstance(error, Unread):
        error = error.__cause__
    if error is None:
        return None
    return Retry(
        f"the media file could not be read: {error}",
        code="media_storage_failed",
        remedy="Look at the disk where assets are kept.",
    )


def _to_be_sent(file: SentFile | None) -> float:
    """Seconds that a call has beside its deadline for the file that it carries; none of those creates."""
    return 0.0 if file is None else file.size / SLOWEST_UPLOAD


@lru_cache(maxsize=1024)
def _address(text: str) -> httpx.URL:
    """Kept, since most calls go to an edge of an account that was called before."""
    return httpx.URL(text)


def unanswered(effect: Effect, message: str, *, is_outage: bool = False) -> StepError:
    """A call that may have been carried out: in doubt if it creates, else simply tried again."""
    if effect == "creates":
        return Unknown(message, code="no_answer", remedy=_LATE)
    may_have_happened = effect != "reads"
    return Retry(
        message,
        code="no_answer",
        remedy=_AGAIN,
        is_outage=is_outage,
        may_have_happened=may_have_happened,
    )


def require_success(answer: dict[str, Any]) -> None:
    """For calls that are answered by no id. Raises Retry where Meta does not say that it is done."""
    if answer.get("success") is not True:
        raise unanswered("repeatable", "an answer without success came")


def id_of(value: object) -> str | None:
    """Meta's ids are numbers, mostly as text; whatever else stands there names nothing.

    >>> id_of("120210"), id_of(120210), id_of(None), id_of(True), id_of("")
    ('120210', '120210', None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) if _ID.fullmatch(str(value)) else None


def masked(content: bytes, credentials: MetaCredentials) -> bytes:
    """Some of Meta's messages repeat the token that they complain of; nobody behind here may read it."""
    for secret in (credentials.access_token, credentials.app_secret):
        if secret is not None and len(secret) >= SHORTEST_SECRET:
            content = content.replace(secret.encode("utf-8", "replace"), b"***")
    return content


def proof(credentials: MetaCredentials) -> dict[str, str]:
    """That whoever sends the token also has the app's secret."""
    if credentials.app_secret is None:
        return {}
    digest = hmac.new(
        credentials.app_secret.encode(), credentials.access_token.encode(), hashlib.sha256
    )
    return {"appsecret_proof": digest.hexdigest()}

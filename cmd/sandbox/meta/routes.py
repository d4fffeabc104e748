"""The Graph API under its prefix: each call is failed on order, counted, answered and written down."""

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse
from litestar.types import Method

from sandbox.accounts import Account
from sandbox.calls import Call
from sandbox.connections import ClosedConnection, has_left, is_gone
from sandbox.faults import Fault
from sandbox.meta import batch, faults, limits, videos
from sandbox.meta.access import account_of, check_permission
from sandbox.meta.asking import PLATFORM, Ask, Result
from sandbox.meta.errors import MetaError, forbidden, missing, not_imitated, retired_version
from sandbox.meta.operations import operation
from sandbox.meta.wire import Sent, read
from sandbox.objects import Record
from sandbox.state import State

log = logging.getLogger(__name__)

PREFIX = "/meta"
METHODS: tuple[Method, ...] = ("GET", "POST", "DELETE", "PUT", "PATCH")
VERSIONS = ("v26.0", "v25.0")
_VERSION = re.compile(r"v\d+\.\d+")
_NODES = {"me": "user", "debug_token": "debug_token", "search": "search"}


class Reply(msgspec.Struct, frozen=True):
    """What goes back over the wire."""

    status: int
    body: bytes
    headers: dict[str, str]
    media_type: str = "application/json"

    def over_the_wire(self) -> ASGIResponse:
        """As the server sends it."""
        return ASGIResponse(
            body=self.body,
            status_code=self.status,
            headers=self.headers,
            media_type=self.media_type,
        )


class MetaRoutes:
    """Answers one call at a time: nothing is awaited between reading the state and committing it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._running: set[asyncio.Task[Reply]] = set()

    def handler(self) -> HTTPRouteHandler:
        """For every method and path below the prefix."""

        async def graph(request: Request[Any, Any, Any]) -> ASGIResponse:
            path = request.scope["raw_path"].decode().partition("?")[0]
            try:
                return await self._answer(request, path)
            except Exception:
                # nothing was committed; said in the log, since Meta's callers see no details either
                log.exception("sandbox.failed %s %s", request.method, path)
                return _failed().over_the_wire()

        route = HTTPRouteHandler([PREFIX, f"{PREFIX}/{{path:path}}"], http_method=METHODS)
        return route(graph)

    async def _answer(self, request: Request[Any, Any, Any], path: str) -> ASGIResponse:
        try:
            sent = await read(request, path)
        except MetaError as error:
            return self._unreadable(request.method, path, error).over_the_wire()
        except InternalServerException:
            # so Litestar calls a caller who hung up before its request was whole: nothing happened
            return ClosedConnection(hard=True)
        if has_left(request.scope):
            # this machine was too busy to answer in time: an effect now would come later than any that
            # a platform promises, when whoever asked has looked twice and asked again
            return ClosedConnection(hard=True)
        fault = self._state.faults.due(PLATFORM, sent.method, path)
        if fault is not None and fault.fault == "reset":
            self._write_down(sent, fault, status=None)
            return ClosedConnection(hard=True)
        reply = await self._in_its_time(sent, fault, partial(is_gone, request.scope))
        if fault is not None and fault.fault == "lose_reply":
            return ClosedConnection(hard=False)
        return reply.over_the_wire()

    async def _in_its_time(
        self, sent: Sent, fault: Fault | None, is_alone: Callable[[], bool]
    ) -> Reply:
        """A slow call takes effect even when its client has gone."""
        if batch.is_batch(sent) and (fault is None or fault.fault == "lose_reply"):
            return await self._batch(sent)
        if sent.method == "POST" and "file_url" in sent.params:
            await videos.fetch(sent)
        if fault is None or fault.fault != "slow":
            return self._perform(sent, fault)
        task = asyncio.create_task(self._later(sent, fault, is_alone))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _batch(self, sent: Sent) -> Reply:
        try:
            _check_version(sent)
            return Reply(200, await batch.answer(sent, self._one_of_batch), _trace_headers(sent))
        except MetaError as error:
            return self._unreadable(sent.method, sent.path, error)

    async def _one_of_batch(self, sent: Sent) -> Reply | None:
        """Failures on order meet each call of a batch for itself; a closed connection is a null."""
        fault = self._state.faults.due(PLATFORM, sent.method, sent.path)
        if fault is not None and fault.fault == "reset":
            self._write_down(sent, fault, status=None)
            return None
        reply = await self._in_its_time(sent, fault, lambda: False)
        return None if fault is not None and fault.fault == "lose_reply" else reply

    async def _later(self, sent: Sent, fault: Fault, is_alone: Callable[[], bool]) -> Reply:
        await asyncio.sleep(fault.seconds or 0.0)
        return self._perform(sent, fault, is_lost=is_alone())

    def _perform(self, sent: Sent, fault: Fault | None, *, is_lost: bool = False) -> Reply:
        """The effect and its record are committed together, before anybody is told."""
        with self._state.store.transaction():
            account, result, error = self._carried_out(sent, fault)
            if fault is not None and fault.fault == "garbage":
                self._write_down(sent, fault, status=502)
                return Reply(502, faults.GARBAGE, {}, "text/html")
            status = 200 if error is None else error.status
            is_lost = is_lost or (fault is not None and fault.fault == "lose_reply")
            self._write_down(
                sent, fault, status=None if is_lost else status, result=result, error=error
            )
            return self._reply(sent, account, result, error, fault)

    def _carried_out(
        self, sent: Sent, fault: Fault | None
    ) -> tuple[Account | None, Result | None, MetaError | None]:
        account = None
        try:
            faults.raise_ordered(fault)
            _check_version(sent)
            account = account_of(self._state, sent)
            limits.count(self._state, account, is_write=sent.method != "GET")
            with self._state.store.attempt():
                return account, _run(Ask(self._state, sent, account)), None
        except MetaError as error:
            return account or self._account_by_token(sent), None, error

    def _account_by_token(self, sent: Sent) -> Account | None:
        token = self._state.accounts.token(sent.token or "")
        return None if token is None else self._state.accounts.get(PLATFORM, token.account)

    def _reply(
        self,
        sent: Sent,
        account: Account | None,
        result: Result | None,
        error: MetaError | None,
        fault: Fault | None,
    ) -> Reply:
        headers = _trace_headers(sent)
        if account is not None:
            headers |= limits.headers(self._state, account)
            if fault is not None and fault.fault == "throttle" and error is not None:
                seconds = faults.THROTTLE_SECONDS if fault.seconds is None else fault.seconds
                headers |= limits.throttle_headers(account, error.code, seconds)
        if error is None:
            body: Any = None if result is None else result.body
            return Reply(200, msgspec.json.encode(body), headers)
        if error.status == 401:
            headers["www-authenticate"] = 'OAuth "Facebook Platform" "invalid_token"'
        return Reply(error.status, msgspec.json.encode(error.envelope()), headers)

    def _unreadable(self, method: str, path: str, error: MetaError) -> Reply:
        self._state.calls.add(
            Call(
                at=self._state.clock.now(),
                platform=PLATFORM,
                method=method,
                path=path,
                status=error.status,
                code=error.code,
            )
        )
        return Reply(error.status, msgspec.json.encode(error.envelope()), {})

    def _write_down(
        self,
        sent: Sent,
        fault: Fault | None,
        *,
        status: int | None,
        result: Result | None = None,
        error: MetaError | None = None,
    ) -> None:
        self._state.calls.add(
            Call(
                at=self._state.clock.now(),
                platform=PLATFORM,
                method=sent.method,
                path=sent.path,
                status=status,
                code=None if error is None or status == 502 else error.code,
                effect="none" if result is None else result.effect,
                object_id=None if result is None else result.object_id,
                fault=None if fault is None else fault.fault,
            )
        )


def _failed() -> Reply:
    error = MetaError(1, "The sandbox itself failed; its log says how", status=500)
    return Reply(500, msgspec.json.encode(error.envelope()), {})


def _check_version(sent: Sent) -> None:
    version = sent.segments[1] if len(sent.segments) > 1 else ""
    if not _VERSION.fullmatch(version):
        raise not_imitated("calls without a version in their path")
    if version not in VERSIONS:
        raise retired_version(version, VERSIONS[0])


def _run(ask: Ask) -> Result:
    """Finds the row of the table that answers."""
    what = f"{ask.sent.method} /{'/'.join(ask.sent.segments[2:])}"
    match ask.sent.segments[2:]:
        case [object_id]:
            edge = None
        case [object_id, edge]:
            pass
        case _:
            raise not_imitated(what)
    record = _node(ask, object_id)
    found = operation(ask.sent.method, record.kind, edge)
    if found is None:
        raise not_imitated(what)
    check_permission(ask.account, ask.sent.method, record.kind, edge)
    return found.run(ask, record)


def _node(ask: Ask, object_id: str) -> Record:
    """What the call is about: an object, or one of those that are not kept as such."""
    if object_id.startswith("act_"):
        return _own_account(ask, object_id)
    if object_id in _NODES:
        return _stand_in(ask, _NODES[object_id], object_id)
    if object_id in ask.account.page_ids:
        return _stand_in(ask, "page", object_id)
    if not object_id[:1].isdigit() and ":" not in object_id:
        raise not_imitated(f"{ask.sent.method} /{'/'.join(ask.sent.segments[2:])}")
    record = ask.record(object_id)
    if record is None:
        raise missing(object_id, ask.sent.method.lower())
    return record


def _own_account(ask: Ask, account_id: str) -> Record:
    if account_id == ask.account.id:
        return _stand_in(ask, "account", account_id)
    if ask.state.accounts.get(PLATFORM, account_id) is None:
        raise missing(account_id, ask.sent.method.lower())
    raise forbidden(200, "Ad account owner has NOT grant ads_management or ads_read permission")


def _stand_in(ask: Ask, kind: str, object_id: str) -> Record:
    return Record(
        platform=PLATFORM,
        account=ask.account.id,
        kind=kind,
        id=object_id,
        name=None,
        parent_id=None,
        status="ACTIVE",
        created_at=ask.account.created_at,
        updated_at=ask.account.created_at,
        fields={},
    )


def _trace_headers(sent: Sent) -> dict[str, str]:
    version = sent.segments[1] if len(sent.segments) > 1 else ""
    return {
        "facebook-api-version": version if version in VERSIONS else VERSIONS[0],
        "x-fb-trace-id": secrets.token_urlsafe(8),
        "x-fb-request-id": secrets.token_urlsafe(16),
        "x-fb-rev": "1000000000",
    }

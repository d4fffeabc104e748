"""The control plane: what exists, what was called, failures on order, the clock, accounts."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from msgspec import Meta

from sandbox import fidelity
from sandbox.accounts import Account, described
from sandbox.clock import rfc3339
from sandbox.faults import Fault, FaultOrder
from sandbox.meta.access import ALL_PERMISSIONS
from sandbox.objects import Record
from sandbox.orders import Refused, check_query, one_of, read, violation, whole_number
from sandbox.state import State

PREFIX = "/_sandbox"
PLATFORMS = ("META", "GOOGLE_ADS", "TIKTOK_ADS")
KINDS = ("campaign", "ad_set", "image", "video", "creative", "ad")
_LOOPBACK = ("127.0.0.1", "::1")
_LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)
"""Later ones, with what is added to them, could not be written."""

type Span = Annotated[float, Meta(ge=-(10**9), le=10**9)]
"""Seconds; those of before are over already."""


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the clock is moved."""

    advance_seconds: Annotated[float, Meta(ge=0, le=10**9)]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one more account shall be like; everything but the platform has a default."""

    platform: Literal["META"]
    name: str = "Sandbox account"
    tier: Literal["full", "development", "unlimited"] = "full"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    timezone: str = "UTC"
    pages: Annotated[int, Meta(ge=0, le=50)] = 1
    app_secret: bool = False
    permissions: list[str] | None = None
    missing_permissions: list[str] = []
    min_daily_budget: Annotated[int, Meta(ge=1)] | None = None
    min_campaign_group_spend_cap: Annotated[int, Meta(ge=1)] | None = None
    token_expires_in_seconds: Span | None = None
    data_access_expires_in_seconds: Span | None = None
    account_status: Literal[1, 2, 3, 7, 8, 9, 100, 101] = 1
    disable_reason: Annotated[int, Meta(ge=0, le=99)] = 0
    is_funded: bool = True
    tasks: tuple[str, ...] | None = None
    page_tasks: tuple[str, ...] | None = None


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the tokens so far end with it, and when it ends itself."""

    revoke_old: bool = False
    expires_in_seconds: Span | None = None


def control_routes(state: State) -> list[HTTPRouteHandler]:
    """All handlers below the prefix."""
    return [
        *_memory(state),
        *_faults(state),
        *_time(state),
        *_accounts(state),
        _tokens(state),
        _fidelity(),
    ]


def _memory(state: State) -> list[HTTPRouteHandler]:
    @get(f"{PREFIX}/objects", sync_to_thread=False)
    def objects(
        request: Request[Any, Any, Any],
        platform: FromQuery[str | None] = None,
        account: FromQuery[str | None] = None,
        kind: FromQuery[str | None] = None,
    ) -> dict[str, Any]:
        """What exists, in the order of its making."""
        check_query(request, {"platform": PLATFORMS, "account": (), "kind": KINDS})
        found = state.objects.find(platform=platform, account=account, kind=kind)
        return {"data": [_shown(record) for record in found]}

    @get(f"{PREFIX}/calls", sync_to_thread=False)
    def calls(request: Request[Any, Any, Any], after: FromQuery[str] = "0") -> dict[str, Any]:
        """What was called, newest last."""
        check_query(request, {"after": ()})
        return {"data": state.calls.after(whole_number("after", after))}

    @post(f"{PREFIX}/reset", status_code=200, sync_to_thread=False)
    def reset() -> dict[str, bool]:
        """Forgets everything but the ready-made account."""
        state.reset()
        return {"success": True}

    return [objects, calls, reset]


def _faults(state: State) -> list[HTTPRouteHandler]:
    @post(f"{PREFIX}/faults")
    async def order(request: Request[Any, Any, Any]) -> Fault:
        """Orders a failure."""
        return state.faults.add(await read(request, FaultOrder))

    @get(f"{PREFIX}/faults", sync_to_thread=False)
    def orders() -> dict[str, list[Fault]]:
        """What is left of each order; one that is used up is gone."""
        return {"data": state.faults.left()}

    @delete(f"{PREFIX}/faults", sync_to_thread=False)
    def end_all() -> None:
        """Ends all orders."""
        state.faults.remove()

    @delete(f"{PREFIX}/faults/{{fault_id:int}}", sync_to_thread=False)
    def end(fault_id: FromPath[int]) -> None:
        """Ends one order."""
        if fault_id.bit_length() > 63 or not state.faults.remove(fault_id):
            raise NotFoundException(f"there is no fault {fault_id}")

    return [order, orders, end_all, end]


def _time(state: State) -> list[HTTPRouteHandler]:
    def told() -> dict[str, Any]:
        return {"now": rfc3339(state.clock.now()), "offset_seconds": state.clock.offset_seconds}

    @get(f"{PREFIX}/clock", sync_to_thread=False)
    def clock() -> dict[str, Any]:
        """The sandbox's time, and how far it is from real time."""
        return told()

    @post(f"{PREFIX}/clock", status_code=200)
    async def advance(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Moves the clock forward."""
        seconds = (await read(request, Advance)).advance_seconds
        if state.clock.now() + seconds > _LAST_MOMENT.timestamp():
            message = f"The clock goes up to {_LAST_MOMENT:%Y}; POST {PREFIX}/reset sets it right."
            raise Refused([violation("/advance_seconds", "too_large", message)])
        state.clock.advance(seconds)
        return told()

    return [clock, advance]


def _accounts(state: State) -> list[HTTPRouteHandler]:
    @get(f"{PREFIX}/accounts", sync_to_thread=False)
    def accounts(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """All accounts with a token of each; told to this machine only."""
        _check_neighbour(request)
        now = state.clock.now()
        found = ((one, state.accounts.valid_tokens(one, now)) for one in state.accounts.all())
        return {"data": [described(one, tokens[0] if tokens else None) for one, tokens in found]}

    @post(f"{PREFIX}/accounts")
    async def add(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Makes one more account, with pages and a token of its own."""
        data = await read(request, NewAccount)
        _check_names(data)
        with state.store.transaction():
            account = _made(state, data)
            state.accounts.add(account)
            token = state.accounts.issue(account, _at(state, data.token_expires_in_seconds))
        return described(account, token)

    return [accounts, add]


def _tokens(state: State) -> HTTPRouteHandler:
    @post(f"{PREFIX}/accounts/{{account_id:str}}/token")
    async def issue(request: Request[Any, Any, Any], account_id: FromPath[str]) -> dict[str, Any]:
        """A new token for an account that is there, as after signing in again."""
        _check_neighbour(request)
        wanted = await read(request, NewToken)
        account = next((one for one in state.accounts.all() if one.id == account_id), None)
        if account is None:
            raise NotFoundException(f"there is no account {account_id}")
        with state.store.transaction():
            if wanted.revoke_old:
                state.accounts.revoke_all(account, state.clock.now())
            token = state.accounts.issue(account, _at(state, wanted.expires_in_seconds))
        return described(account, token)

    return issue


def _fidelity() -> HTTPRouteHandler:
    @get(f"{PREFIX}/fidelity", sync_to_thread=False)
    def how_faithful(request: Request[Any, Any, Any]) -> Response[Any]:
        """What is imitated and from which source; JSON when that is asked for."""
        accepted = request.headers.get("accept", "")
        if "json" in accepted or request.query_params.get("format") == "json":
            return Response(fidelity.table())
        return Response(fidelity.page(), media_type="text/html")

    return how_faithful


def _check_names(wanted: NewAccount) -> None:
    """Raises Refused for time zones and permissions that there are not."""
    found = [
        violation(f"/{field}", "not_allowed", one_of(ALL_PERMISSIONS))
        for field, names in (
            ("permissions", wanted.permissions or []),
            ("missing_permissions", wanted.missing_permissions),
        )
        if not set(names) <= set(ALL_PERMISSIONS)
    ]
    try:
        ZoneInfo(wanted.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        found.append(violation("/timezone", "not_allowed", "Expected a name like Europe/Berlin."))
    if found:
        raise Refused(found)


def _made(state: State, wanted: NewAccount) -> Account:
    new_id = state.store.new_id
    secret = secrets.token_hex(16) if wanted.app_secret else None
    given = {name: getattr(wanted, name) for name in ("tasks", "page_tasks")}
    return Account(
        platform=wanted.platform,
        id=f"act_{new_id()}",
        name=wanted.name,
        tier=wanted.tier,
        currency=wanted.currency,
        timezone=wanted.timezone,
        page_ids=[new_id() for _ in range(wanted.pages)],
        pixel_ids=[new_id()],
        instagram_user_ids=[new_id()],
        app_secret=secret,
        missing_permissions=_missing(wanted),
        min_daily_budget=wanted.min_daily_budget,
        min_campaign_group_spend_cap=wanted.min_campaign_group_spend_cap,
        account_status=wanted.account_status,
        disable_reason=wanted.disable_reason,
        is_funded=wanted.is_funded,
        data_access_expires_at=_at(state, wanted.data_access_expires_in_seconds),
        **{name: tasks for name, tasks in given.items() if tasks is not None},
        created_at=state.clock.now(),
    )


def _missing(wanted: NewAccount) -> list[str]:
    """Permissions are told as the granted ones or as the missing ones."""
    granted = ALL_PERMISSIONS if wanted.permissions is None else wanted.permissions
    refused = [name for name in ALL_PERMISSIONS if name not in granted]
    return list(dict.fromkeys([*wanted.missing_permissions, *refused]))


def _at(state: State, seconds: float | None) -> float | None:
    return None if seconds is None else state.clock.now() + seconds


def _shown(record: Record) -> dict[str, Any]:
    return {
        "platform": record.platform,
        "account": record.account,
        "kind": record.kind,
        "id": record.id,
        "name": record.name,
        "parent_id": record.parent_id,
        "status": record.status,
        "created_at": rfc3339(record.created_at),
        "fields": record.fields,
    }


def _check_neighbour(request: Request[Any, Any, Any]) -> None:
    if request.client is None or request.client.host not in _LOOPBACK:
        raise PermissionDeniedException("tokens are told to this machine only")

"""/api/v1/ad_accounts: the accounts that campaigns are built on. Credentials are written, never read.

A test key works with sandbox accounts alone: lists leave live ones out, and naming one is refused
with 403 `test_key_live_account`, whatever the method.
"""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from common.errors import Conflict
from common.keyring import Sealed
from common.uuid7 import uuid7
from models import audit
from models.account import (
    MAX_RUNNING,
    AccountChange,
    AccountPage,
    AccountView,
    NewAccount,
    PlatformType,
    account_view,
)
from models.account_rules import account_violations, change_violations
from models.credentials import CREDENTIALS
from models.gen import ad_accounts, campaign_jobs
from models.gen.rows import AccountMode, AccountStatus, AdAccount, Connection
from models.jsonb import to_jsonb
from routes.access import actor_of, object_id, reachable, require_mode
from routes.body import body_violations, parse_json, raw_body, read_body, refuse
from routes.etag import etag, require_match
from routes.parts import ApiRequest, Parts
from routes.query import Page, decode_cursor, next_cursor, read_query
from routes.transaction import transaction


class AccountsQuery(Page, frozen=True, kw_only=True):
    """Which accounts."""

    platform_type: Annotated[PlatformType | None, Meta(description="Of this platform.")] = None
    status: Annotated[AccountStatus | None, Meta(description="In this status.")] = None
    mode: Annotated[AccountMode | None, Meta(description="Live ones or sandbox ones.")] = None


@post(
    "/ad_accounts",
    status_code=201,
    opt={"scope": "accounts:write", "body": NewAccount, "refusals": (403, 409, 413, 415, 422)},
)
async def create_account(
    request: ApiRequest, parts: NamedDependency[Parts]
) -> Response[AccountView]:
    """Adds an ad account.

    It is ACTIVE at once; the platform is not contacted.
    """
    wanted = await read_body(request, NewAccount, account_violations)
    require_mode(request.auth, wanted.mode)
    account_id = uuid7()
    sealed, fingerprint = _seal(parts, wanted.platform_type, wanted.credentials, account_id)
    try:
        async with transaction(parts.pool) as connection:
            made = await ad_accounts.create_ad_account(
                connection,
                id=account_id,
                name=wanted.name,
                platform_type=wanted.platform_type,
                platform_account_id=wanted.platform_account_id,
                credentials=sealed.ciphertext,
                credentials_key_id=sealed.key_id,
                credentials_fingerprint=fingerprint,
                mode=wanted.mode,
                max_running=_or(wanted.max_running, MAX_RUNNING[wanted.platform_type]),
                owner_user_id=wanted.owner_user_id,
                team_id=request.auth.team_id,
                additional_config=to_jsonb(wanted.additional_config),
            )
            view = account_view(_there(made))
            await audit.record(
                connection, actor_of(request), "ad_account.created", view.id, after=view
            )
    except asyncpg.UniqueViolationError as error:
        raise _held_already(error) from None
    return _answer(view, 201, {"Location": f"/api/v1/ad_accounts/{view.id}"})


@get(
    "/ad_accounts",
    opt={"scope": "accounts:read", "query": AccountsQuery, "refusals": (400, 403)},
)
async def list_accounts(request: ApiRequest, parts: NamedDependency[Parts]) -> AccountPage:
    """Lists the team's ad accounts, newest first.

    A test key sees sandbox accounts only.
    """
    query = read_query(request, AccountsQuery)
    mode = "sandbox" if request.auth.mode == "sandbox" and query.mode is None else query.mode
    if mode is not None:
        require_mode(request.auth, mode)
    rows = await ad_accounts.list_ad_accounts(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=decode_cursor(query.cursor),
        platform_type=query.platform_type,
        status=query.status,
        mode=mode,
        page_size=query.limit + 1,
    )
    following = next_cursor([row.id for row in rows], query.limit)
    return AccountPage([account_view(row) for row in rows[: query.limit]], following)


@get("/ad_accounts/{account_id:str}", opt={"scope": "accounts:read", "refusals": (403, 404)})
async def get_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> Response[AccountView]:
    """Shows one ad account."""
    row = await ad_accounts.get_ad_account(
        parts.pool, id=object_id(account_id, "ad_account"), team_id=request.auth.team_id
    )
    return _answer(account_view(reachable(row, request.auth)), 200)


@put(
    "/ad_accounts/{account_id:str}",
    opt={
        "scope": "accounts:write",
        "body": AccountChange,
        "headers": ("If-Match",),
        "refusals": (403, 404, 409, 412, 413, 415, 422),
    },
)
async def change_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> Response[AccountView]:
    """Changes an ad account; what is not named stays as it is.

    Replacing the credentials of an account that REQUIRES_REAUTH makes it ACTIVE, and the jobs that
    waited for it go on by themselves. If-Match makes sure that nobody changed it in between.
    """
    document = parse_json(await raw_body(request))
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, account_id, request)
        change = _acceptable(document, before)
        after = await _apply(connection, parts, change, before)
        view = account_view(after)
        await audit.record(
            connection,
            actor_of(request),
            "ad_account.updated",
            after.id,
            before=account_view(before),
            after=view,
        )
    if change.credentials is not UNSET:
        parts.notifier.notify()
    return _answer(view, 200)


@delete(
    "/ad_accounts/{account_id:str}",
    opt={"scope": "accounts:write", "headers": ("If-Match",), "refusals": (403, 404, 409, 412)},
)
async def delete_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> None:
    """Removes an ad account, unless jobs of it are open."""
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, account_id, request)
        if await campaign_jobs.count_open_jobs_of_account(connection, ad_account_id=before.id):
            raise Conflict(
                "Jobs of the account are open; cancel them or wait for their end.",
                code="ad_account_has_open_jobs",
            )
        await ad_accounts.delete_ad_account(connection, id=before.id)
        await audit.record(
            connection,
            actor_of(request),
            "ad_account.deleted",
            before.id,
            before=account_view(before),
        )


async def _lock(connection: Connection, account_id: str, request: ApiRequest) -> AdAccount:
    row = await ad_accounts.lock_ad_account(
        connection, id=object_id(account_id, "ad_account"), team_id=request.auth.team_id
    )
    account = reachable(row, request.auth)
    require_match(request.headers.get("if-match"), etag(account.updated_at))
    return account


async def _apply(
    connection: Connection, parts: Parts, change: AccountChange, before: AdAccount
) -> AdAccount:
    after = before
    if change.credentials is not UNSET:
        after = await _replace_credentials(connection, parts, change.credentials, before)
    return _there(
        await ad_accounts.update_ad_account(
            connection,
            id=before.id,
            name=_or(change.name, before.name),
            status=_or(change.status, after.status),
            max_running=_or(change.max_running, before.max_running),
            owner_user_id=_or(change.owner_user_id, before.owner_user_id),
            additional_config=before.additional_config
            if change.additional_config is UNSET
            else to_jsonb(change.additional_config),
        )
    )


async def _replace_credentials(
    connection: Connection, parts: Parts, credentials: dict[str, object], before: AdAccount
) -> AdAccount:
    sealed, fingerprint = _seal(parts, before.platform_type, credentials, before.id)
    after = await ad_accounts.replace_credentials(
        connection,
        id=before.id,
        credentials=sealed.ciphertext,
        credentials_key_id=sealed.key_id,
        credentials_fingerprint=fingerprint,
    )
    await campaign_jobs.wake_jobs_after_reauthorisation(connection, ad_account_id=before.id)
    return _there(after)


def _acceptable(document: Any, before: AdAccount) -> AccountChange:
    """The change, when this account can take it. Raises Invalid or Conflict."""
    errors = body_violations(AccountChange, document)
    if isinstance(document, dict):
        errors += change_violations(document, before)
    refuse(errors)
    change = msgspec.convert(document, AccountChange)
    stuck = before.status in ("REQUIRES_REAUTH", "SUSPENDED") and change.credentials is UNSET
    if stuck and change.status == "ACTIVE":
        code = before.status.lower()
        raise Conflict(
            f"The account is {before.status}; only new credentials change that.",
            code=f"ad_account_{code}",
        )
    return change


def _seal(
    parts: Parts, platform_type: str, credentials: dict[str, object], account_id: UUID
) -> tuple[Sealed, str]:
    """Decoded and encoded again first, so that equal credentials have equal fingerprints."""
    known = msgspec.convert(credentials, CREDENTIALS[platform_type])
    plain = msgspec.json.encode(known)
    sealed = parts.keyring.seal(plain, "ad_accounts", account_id, "credentials")
    return sealed, parts.keyring.fingerprint(plain)


def _held_already(error: asyncpg.UniqueViolationError) -> Exception:
    if error.constraint_name != "ad_accounts_are_held_once":
        return error
    return Conflict("The team holds this account already.", code="ad_account_exists")


def _answer(
    view: AccountView, status: int, headers: dict[str, str] | None = None
) -> Response[AccountView]:
    return Response(
        view, status_code=status, headers={"ETag": etag(view.updated_at), **(headers or {})}
    )


def _there(row: AdAccount | None) -> AdAccount:
    """A row that its statement always returns."""
    if row is None:
        raise LookupError("the statement returned no row")
    return row


def _or[T](given: T | UnsetType, otherwise: T) -> T:
    return otherwise if isinstance(given, UnsetType) else given


routes = [create_account, list_accounts, get_account, change_account, delete_account]

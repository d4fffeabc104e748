"""/api/v1/ad_accounts: the accounts that campaigns are built on. Credentials are written, never read.

A test key works with sandbox accounts alone: lists leave live ones out, and naming one is refused
with 403 `test_key_live_account`, whatever the method.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
from litestar import Response, delete, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET

from common.errors import Conflict
from models import audit
from models.account import (
    AccountChange,
    AccountPatch,
    AccountView,
    NewAccount,
    account_view,
)
from models.account_rules import account_violations
from models.gen import ad_accounts, campaign_jobs
from models.gen.rows import AdAccount, Connection
from routes.access import actor_of, object_id, reachable, require_mode
from routes.account_changes import acceptable_change, add, apply
from routes.account_patch import PATCH_CONTENT, acceptable_patch
from routes.body import PATCH_TYPES, parse_json, raw_body, read_body
from routes.etag import etag, is_known, require_match
from routes.parts import ApiRequest, Parts
from routes.readable import readable
from routes.transaction import transaction


@post(
    "/ad_accounts",
    status_code=201,
    opt={
        "scope": "accounts:write",
        "body": NewAccount,
        "tells": ("Location", "ETag"),
        "refusals": (403, 409, 413, 415, 422),
    },
)
async def create_account(
    request: ApiRequest, parts: NamedDependency[Parts]
) -> Response[AccountView]:
    """Adds an ad account.

    It is ACTIVE at once; the platform is not contacted.
    """
    wanted = await read_body(request, NewAccount, account_violations)
    require_mode(request.auth, wanted.mode)
    try:
        async with transaction(parts.pool) as connection:
            made = await add(connection, parts.keyring, wanted, request.auth.team_id)
            view = account_view(made)
            await audit.record(
                connection, actor_of(request), "ad_account.created", view.id, after=view
            )
    except asyncpg.UniqueViolationError as error:
        raise _held_already(error) from None
    return _answer(view, 201, {"Location": f"/api/v1/ad_accounts/{view.id}"})


@readable(
    "/ad_accounts/{account_id:str}",
    opt={
        "scope": "accounts:read",
        "headers": ("If-None-Match",),
        "tells": ("ETag",),
        "answers": {200: AccountView, 304: None},
        "refusals": (403, 404),
    },
)
async def get_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> Response[Any]:
    """Shows one ad account.

    Its version does not change when the platform asks for a pause, so one that is throttled just now
    is shown whatever version is known.
    """
    row = await ad_accounts.get_ad_account(
        parts.pool, id=object_id(account_id, "ad_account"), team_id=request.auth.team_id
    )
    view = account_view(reachable(row, request.auth))
    known = ", ".join(request.headers.getall("if-none-match", []))
    if is_known(known, etag(view.updated_at)) and not _is_throttled(view):
        return Response(None, status_code=304, headers={"ETag": etag(view.updated_at)})
    return _answer(view, 200)


@put(
    "/ad_accounts/{account_id:str}",
    opt={
        "scope": "accounts:write",
        "body": AccountChange,
        "tells": ("ETag",),
        "headers": ("If-Match", "If-None-Match"),
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
    return await _change(request, parts, account_id, lambda now: acceptable_change(document, now))


@patch(
    "/ad_accounts/{account_id:str}",
    opt={
        "scope": "accounts:write",
        "body": AccountPatch,
        "body_content": PATCH_CONTENT,
        "tells": ("ETag",),
        "headers": ("If-Match", "If-None-Match"),
        "refusals": (403, 404, 409, 412, 413, 415, 422, 428),
    },
)
async def patch_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> Response[AccountView]:
    """Changes parts of an ad account, as a JSON Merge Patch (RFC 7396).

    Null removes what is optional: `owner_user_id` and single settings of `additional_config` go,
    `max_running` and the whole `additional_config` return to their defaults. If-Match is required,
    since a patch means the version that it was made from; `*` stands for any version. Stored
    credentials are sealed and never merged: a patch of them names every field, null for none.
    The content type application/json is taken, too.
    """
    document = parse_json(await raw_body(request, PATCH_TYPES, "Accept-Patch"))
    return await _change(
        request,
        parts,
        account_id,
        lambda now: acceptable_patch(document, now),
        version_required=True,
    )


@delete(
    "/ad_accounts/{account_id:str}",
    opt={
        "scope": "accounts:write",
        "headers": ("If-Match", "If-None-Match"),
        "refusals": (403, 404, 409, 412),
    },
)
async def delete_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> None:
    """Removes an ad account, unless jobs of it are open."""
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, account_id, request)
        if await campaign_jobs.count_open_jobs_of_account_up_to(
            connection, ad_account_id=before.id, most=1
        ):
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


async def _change(
    request: ApiRequest,
    parts: Parts,
    account_id: str,
    judge: Callable[[AdAccount], AccountChange],
    *,
    version_required: bool = False,
) -> Response[AccountView]:
    """The changed account: locked, compared, judged and written in one transaction."""
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, account_id, request, version_required=version_required)
        change = judge(before)
        after = await apply(connection, parts.keyring, change, before)
        view = account_view(after)
        await audit.record(
            connection,
            actor_of(request),
            "ad_account.updated",
            after.id,
            before=account_view(before),
            after=view,
        )
    if change.credentials is not UNSET or change.status == "ACTIVE":
        parts.notifier.notify()
    return _answer(view, 200)


async def _lock(
    connection: Connection, account_id: str, request: ApiRequest, *, version_required: bool = False
) -> AdAccount:
    row = await ad_accounts.lock_ad_account(
        connection, id=object_id(account_id, "ad_account"), team_id=request.auth.team_id
    )
    account = reachable(row, request.auth)
    require_match(request, etag(account.updated_at), required=version_required)
    return account


def _is_throttled(view: AccountView) -> bool:
    return view.throttled_until is not None and view.throttled_until > datetime.now(UTC)


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


routes = [
    create_account,
    get_account,
    change_account,
    patch_account,
    delete_account,
]

"""/api/v1/ad_accounts as a list: accounts of a team, newest first, by what they are and whose."""

from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.di import NamedDependency
from msgspec import Meta

from models.account import AccountPage, PlatformType, account_view
from models.gen import ad_accounts
from models.gen.rows import AccountMode, AccountStatus, Connection
from routes.access import require_mode
from routes.paging import MOST_LOOKED_AT, begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.readable import readable


class AccountsQuery(Page, frozen=True, kw_only=True):
    """Which accounts."""

    platform_type: Annotated[PlatformType | None, Meta(description="Of this platform.")] = None
    status: Annotated[AccountStatus | None, Meta(description="In this status.")] = None
    mode: Annotated[AccountMode | None, Meta(description="Live ones or sandbox ones.")] = None
    owner_user_id: Annotated[
        UUID | None, Meta(description="Of this user of yours, as the account says.")
    ] = None


@readable(
    "/ad_accounts",
    opt={
        "scope": "accounts:read",
        "query": AccountsQuery,
        "tells": ("Link",),
        "refusals": (400, 403),
    },
)
async def list_accounts(
    request: ApiRequest, parts: NamedDependency[Parts]
) -> Response[AccountPage]:
    """Lists the team's ad accounts, newest first.

    A test key sees sandbox accounts only. A page for which 10,000 accounts were looked at and few of them,
    or none, are what was asked for holds fewer than its limit allows; `next_cursor` leads on.
    """
    query = read_query(request, AccountsQuery)
    mode = "sandbox" if request.auth.mode == "sandbox" and query.mode is None else query.mode
    if mode is not None:
        require_mode(request.auth, mode)
    before_id = begins_before(request, query)
    last_id = await _last_to_look_at(parts.pool, request, query, before_id)
    rows = await ad_accounts.list_ad_accounts(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=before_id,
        from_id=last_id,
        platform_type=query.platform_type,
        status=query.status,
        mode=mode,
        owner_user_id=query.owner_user_id,
        page_size=query.limit + 1,
    )
    page = cut(request, query, rows, last_looked_at=last_id)
    shown = [account_view(row) for row in page.rows]
    livemode = request.auth.mode == "live"
    return Response(AccountPage(shown, page.next_cursor, livemode), headers=page.headers)


async def _last_to_look_at(
    connection: Connection, request: ApiRequest, query: AccountsQuery, before_id: UUID | None
) -> UUID | None:
    """None: all of them, because every one is shown or there are not so many."""
    filters = (query.platform_type, query.status, query.mode, query.owner_user_id)
    if request.auth.mode == "live" and not any(filters):
        return None
    return await ad_accounts.get_last_account_to_look_at(
        connection, team_id=request.auth.team_id, before_id=before_id, before_it=MOST_LOOKED_AT - 1
    )


routes = [list_accounts]

"""What a caller may ask to see beside a job: one level deep, one query however many jobs there are."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from common.errors import Forbidden
from models.account import account_view
from models.gen import ad_accounts
from models.gen.rows import Connection
from models.job import JobView
from routes.parts import ApiRequest

type Expansion = Annotated[
    tuple[Literal["steps", "ad_account"], ...],
    Meta(
        description="What to show of each job, with commas between: `ad_account` shows the account "
        "(needs the scope `accounts:read`, too); `steps` are shown always and may be named."
    ),
]


class JobQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How to show a job."""

    expand: Expansion = ()


async def expanded(
    connection: Connection, request: ApiRequest, views: list[JobView], expand: Sequence[str]
) -> list[JobView]:
    """The jobs with what was asked for. Raises Forbidden when the key may not see it."""
    if "ad_account" not in expand:
        return views
    if "accounts:read" not in request.auth.scopes:
        raise Forbidden("The key lacks the scope accounts:read.", code="missing_scope")
    rows = await ad_accounts.list_ad_accounts_by_ids(
        connection, ids=list({view.ad_account_id for view in views}), team_id=request.auth.team_id
    )
    accounts = {row.id: account_view(row) for row in rows}
    return [
        msgspec.structs.replace(view, ad_account=accounts.get(view.ad_account_id)) for view in views
    ]

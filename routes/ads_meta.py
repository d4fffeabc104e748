"""/api/v1/ads/meta: one request becomes a campaign on Meta."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.types import ASGIApp

from models.account import minimum_budgets
from models.gen.rows import AdAccount
from models.job import JobView
from models.media import MediaKind, refused_by_meta
from models.meta import MetaCampaignRequest, references
from models.meta_rules import RuleContext, check, inspect
from routes.intake import Door, IntakeQuery, PlannedJob, accept
from routes.parts import ApiRequest, Parts
from routes.query import read_query


def named_assets(request: MetaCampaignRequest) -> list[tuple[str, UUID, MediaKind | None]]:
    """The stored files that the request names, each with the kinds that its uses ask for."""
    if all(media.asset_id is None for media in request.media.values()):
        return []
    uses: dict[str, set[MediaKind | None]] = {}
    for _, key, kind in references(request):
        uses.setdefault(key, set()).add(kind)
    return [
        (f"/media/{key}/asset_id", media.asset_id, kind)
        for key, media in request.media.items()
        if media.asset_id is not None
        for kind in uses.get(key, {None})
    ]


def refused(request: MetaCampaignRequest, account: AdAccount | None) -> list[dict[str, str]]:
    """What Meta's rules say, with the account's own limits where it is known."""
    return check(request, rule_context(account))


def rule_context(account: AdAccount | None) -> RuleContext:
    """Now, and what is known of the account's currency and least budgets.

    What the platform told when it was asked goes before what the account's configuration says.
    """
    if account is None:
        return RuleContext(datetime.now(UTC))
    config: dict[str, Any] = msgspec.json.decode(account.additional_config)
    currency, least = config.get("currency"), config.get("min_daily_budget")
    return RuleContext(
        datetime.now(UTC),
        account.currency or (currency if isinstance(currency, str) else None),
        least if isinstance(least, int) else None,
        minimum_budgets(account),
    )


META = Door(
    "META",
    MetaCampaignRequest,
    refused,
    lambda document: inspect(document, rule_context(None)),
    named_assets,
    refused_by_meta,
)


@post(
    "/ads/meta",
    status_code=202,
    opt={
        "shortcut": True,
        "scope": "jobs:write",
        "query": IntakeQuery,
        "body": MetaCampaignRequest,
        "answers": {200: PlannedJob, 202: JobView},
        "headers": ("Idempotency-Key",),
        "tells": ("Location", "Retry-After", "Idempotent-Replayed"),
        "refusals": (400, 403, 404, 409, 413, 415, 422),
    },
)
async def build_on_meta(request: ApiRequest, parts: NamedDependency[Parts]) -> ASGIApp:
    """Builds a campaign with its ad sets, creatives and ads, all of them paused.

    The answer is a campaign job with status PENDING; workers carry it out. With validate_only nothing
    is written, and the answer (200) lists the steps. Everything wrong with the request is told at once.
    """
    query = read_query(request, IntakeQuery)
    return await accept(request, parts, META, validate_only=query.validate_only)


routes = [build_on_meta]

"""/api/v1/campaign_jobs as a list: jobs of a team, newest first, by what they are and when they began."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from msgspec import Meta

from common.uuid7 import key_at
from models.account import PlatformType
from models.gen import campaign_jobs
from models.gen.rows import Connection, JobStatus
from models.job import JobView
from models.job_views import job_views
from routes.expansion import Expansion, expanded
from routes.paging import MOST_LOOKED_AT, begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.readable import readable

_MARGIN_SECONDS = 3600.0
"""Keys bear the time of an API process, moments are the database's."""

type Moment = Annotated[datetime, Meta(tz=True)]


class JobsQuery(Page, frozen=True, kw_only=True):
    """Which jobs."""

    status: Annotated[JobStatus | None, Meta(description="In this status.")] = None
    platform_type: Annotated[PlatformType | None, Meta(description="Of this platform.")] = None
    ad_account_id: Annotated[UUID | None, Meta(description="Of this ad account.")] = None
    created_after: Annotated[Moment | None, Meta(description="Made at that moment or later.")] = (
        None
    )
    created_before: Annotated[Moment | None, Meta(description="Made before that moment.")] = None
    expand: Expansion = ()


class JobPage(msgspec.Struct, frozen=True):
    """Part of a list, newest first."""

    data: Annotated[list[JobView], Meta(description="The jobs.")]
    next_cursor: Annotated[
        str | None, Meta(description="For the next page; null when this is the last.")
    ]
    livemode: Annotated[
        bool, Meta(description="Whether a live key asks; a test key sees no live job.")
    ]


class Stretch(NamedTuple):
    """The keys that a page looks at, and where the next one goes on if no job of it does."""

    before_id: UUID | None
    from_id: UUID | None
    last_looked_at: UUID | None


@readable(
    "/campaign_jobs",
    opt={"scope": "jobs:read", "query": JobsQuery, "tells": ("Link",), "refusals": (400,)},
)
async def list_jobs(request: ApiRequest, parts: NamedDependency[Parts]) -> Response[JobPage]:
    """Lists the team's jobs, newest first.

    A test key sees jobs of sandbox accounts only. A page of jobs with thousands of steps holds fewer
    of them than its limit allows. So does one for which 10,000 jobs were looked at and few of them, or
    none, are what was asked for. `next_cursor` leads on.
    """
    query = read_query(request, JobsQuery)
    stretch = await _stretch(parts.pool, request, query)
    rows = await campaign_jobs.list_campaign_jobs(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=stretch.before_id,
        from_id=stretch.from_id,
        status=query.status,
        platform_type=query.platform_type,
        ad_account_id=query.ad_account_id,
        created_after=query.created_after,
        created_before=query.created_before,
        mode="sandbox" if request.auth.mode == "sandbox" else None,
        page_size=query.limit + 1,
    )
    page = cut(
        request,
        query,
        rows,
        lambda job: job.steps_total,
        last_looked_at=stretch.last_looked_at,
    )
    views = await job_views(parts.pool, page.rows)
    shown = await expanded(parts.pool, request, views, query.expand)
    livemode = request.auth.mode == "live"
    return Response(JobPage(shown, page.next_cursor, livemode), headers=page.headers)


async def _stretch(connection: Connection, request: ApiRequest, query: JobsQuery) -> Stretch:
    """As far as moments say, and as one question may reach."""
    before_id, from_id = begins_before(request, query), None
    if query.created_before is not None:
        latest = key_at(query.created_before.timestamp() + _MARGIN_SECONDS)
        before_id = latest if before_id is None else min(before_id, latest)
    if query.created_after is not None:
        from_id = key_at(query.created_after.timestamp() - _MARGIN_SECONDS)
    last = await _last_to_look_at(connection, request, query, before_id)
    if last is None or (from_id is not None and from_id > last):
        return Stretch(before_id, from_id, None)
    return Stretch(before_id, last, last)


async def _last_to_look_at(
    connection: Connection, request: ApiRequest, query: JobsQuery, before_id: UUID | None
) -> UUID | None:
    """None: all of them, because every one is shown or there are not so many."""
    filters = (query.status, query.platform_type, query.ad_account_id)
    moments = (query.created_after, query.created_before)
    if request.auth.mode == "live" and not any((*filters, *moments)):
        return None
    return await campaign_jobs.get_last_request_to_look_at(
        connection, team_id=request.auth.team_id, before_id=before_id, before_it=MOST_LOOKED_AT - 1
    )


routes = [list_jobs]

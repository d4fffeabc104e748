"""/api/v1/campaign_jobs: what became of a request, and how to stop it or try it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from common.errors import Conflict
from models.account import PlatformType
from models.gen import ad_accounts, campaign_jobs, job_steps
from models.gen.rows import CampaignJob, Connection, JobStatus
from models.job import JobView, job_view
from models.plan import REQUESTS, PlannedStep, plan
from routes.access import object_id, reachable, require_active
from routes.etag import etag_of
from routes.expansion import Expansion, JobQuery, expanded
from routes.paging import begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.transaction import transaction

RETRYABLE: frozenset[JobStatus] = frozenset({"FAILED", "PARTIAL_SUCCESS", "CANCELLED"})

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


@get(
    "/campaign_jobs",
    opt={"scope": "jobs:read", "query": JobsQuery, "tells": ("Link",), "refusals": (400,)},
)
async def list_jobs(request: ApiRequest, parts: NamedDependency[Parts]) -> Response[JobPage]:
    """Lists the team's jobs, newest first.

    A test key sees jobs of sandbox accounts only.
    """
    query = read_query(request, JobsQuery)
    rows = await campaign_jobs.list_campaign_jobs(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=begins_before(request, query),
        status=query.status,
        platform_type=query.platform_type,
        ad_account_id=query.ad_account_id,
        created_after=query.created_after,
        created_before=query.created_before,
        mode="sandbox" if request.auth.mode == "sandbox" else None,
        page_size=query.limit + 1,
    )
    page = cut(request, query, rows)
    views = await _views(parts.pool, page.rows)
    shown = await expanded(parts.pool, request, views, query.expand)
    livemode = request.auth.mode == "live"
    return Response(JobPage(shown, page.next_cursor, livemode), headers=page.headers)


@get(
    "/campaign_jobs/{job_id:str}",
    opt={"scope": "jobs:read", "query": JobQuery, "tells": ("ETag",), "refusals": (403, 404)},
)
async def get_job(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> Response[JobView]:
    """Shows a job: how far it is, why it waits, what it made, why it failed."""
    query = read_query(request, JobQuery)
    job = await _reach(parts.pool, request, job_id)
    views = await _views(parts.pool, [job])
    (view,) = await expanded(parts.pool, request, views, query.expand)
    return Response(view, headers={"ETag": etag_of(view)})


@post(
    "/campaign_jobs/{job_id:str}/cancel",
    status_code=202,
    opt={
        "scope": "jobs:write",
        "tells": ("Location", "Retry-After"),
        "refusals": (403, 404, 409),
    },
)
async def cancel_job(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> Response[JobView]:
    """Stops a job.

    One that no worker has ends CANCELLED at once. One that a worker has finishes its running step,
    starts no other, and ends. What exists on the platform stays, paused.
    """
    async with transaction(parts.pool) as connection:
        job = await _reach(connection, request, job_id)
        stopped = await campaign_jobs.cancel_campaign_job(
            connection, id=job.id, team_id=request.auth.team_id
        )
        if stopped is None:
            raise Conflict(
                f"The job has ended: it is {(await _again(connection, job)).status}.",
                code="job_already_finished",
            )
        view = (await _views(connection, [await _again(connection, job)]))[0]
    return _accepted(view)


@post(
    "/campaign_jobs/{job_id:str}/retry",
    status_code=202,
    opt={
        "scope": "jobs:write",
        "tells": ("Location", "Retry-After"),
        "refusals": (403, 404, 409),
    },
)
async def retry_job(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> Response[JobView]:
    """Tries again what failed or was cancelled. Done steps are kept; only the rest runs."""
    async with transaction(parts.pool) as connection:
        job = await _reach(connection, request, job_id)
        if job.status not in RETRYABLE:
            raise _not_retryable(job)
        await _require_active_account(connection, job)
        retried = await campaign_jobs.retry_campaign_job(
            connection, id=job.id, team_id=request.auth.team_id
        )
        if retried is None:
            raise _not_retryable(await _again(connection, job))
        view = (await _views(connection, [await _again(connection, job)]))[0]
    parts.notifier.notify()
    return _accepted(view)


def job_headers(job_id: UUID) -> dict[str, str]:
    """Where an accepted job is found, and when a look is worth while."""
    return {"Location": f"/api/v1/campaign_jobs/{job_id}", "Retry-After": "1"}


async def planned_steps(
    connection: Connection, jobs: Sequence[CampaignJob]
) -> dict[UUID, tuple[PlannedStep, ...]]:
    """The steps of the requests that the jobs were made from, by job."""
    platforms = {job.id: job.platform_type for job in jobs}
    return {
        row.campaign_job_id: _plan(platforms[row.campaign_job_id], row.payload)
        for row in await campaign_jobs.list_payloads(connection, ids=list(platforms))
    }


def _plan(platform_type: str, payload: str) -> tuple[PlannedStep, ...]:
    return plan(platform_type, msgspec.json.decode(payload, type=REQUESTS[platform_type]))


def _accepted(view: JobView) -> Response[JobView]:
    return Response(view, status_code=202, headers=job_headers(view.id))


async def _reach(connection: Connection, request: ApiRequest, job_id: str) -> CampaignJob:
    row = await campaign_jobs.get_campaign_job(
        connection, id=object_id(job_id, "campaign_job"), team_id=request.auth.team_id
    )
    return reachable(row, request.auth, "campaign_job")


async def _again(connection: Connection, job: CampaignJob) -> CampaignJob:
    """The job as it is now."""
    return await campaign_jobs.get_campaign_job(connection, id=job.id, team_id=job.team_id) or job


async def _views(connection: Connection, jobs: Sequence[CampaignJob]) -> list[JobView]:
    rows = await job_steps.list_steps_of_jobs(connection, campaign_job_ids=[job.id for job in jobs])
    planned = await planned_steps(connection, jobs)
    return [
        job_view(job, [row for row in rows if row.campaign_job_id == job.id], planned[job.id])
        for job in jobs
    ]


async def _require_active_account(connection: Connection, job: CampaignJob) -> None:
    """A retry of a job whose account cannot be used would only fail again."""
    account = await ad_accounts.get_ad_account(
        connection, id=job.ad_account_id, team_id=job.team_id
    )
    if account is None:
        raise Conflict("The job's ad account was deleted.", code="ad_account_not_found")
    require_active(account)


def _not_retryable(job: CampaignJob) -> Conflict:
    if job.status in ("PENDING", "PROCESSING"):
        return Conflict(
            f"The job is still {job.status}; cancel it first, or wait for its end.",
            code="job_already_processing",
        )
    return Conflict(f"The job is {job.status}; nothing is left to do.", code="job_not_retryable")


routes = [list_jobs, get_job, cancel_job, retry_job]

"""/api/v1/campaign_jobs: what became of a request, and how to stop it or try it again."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import Scope

from common.errors import Conflict
from middleware.patience import LONGEST_SECONDS
from models import audit
from models.gen import ad_accounts, campaign_jobs
from models.gen.rows import CampaignJob, Connection, JobStatus
from models.job import FINISHED, JobView
from models.job_views import job_views
from models.listener import CHANGES
from routes.access import actor_of, not_found, object_id, reachable, require_active
from routes.etag import etag_of, is_known, known_tags
from routes.expansion import JobQuery, expanded
from routes.holds import Hold
from routes.parts import ApiRequest, Parts
from routes.prefer import preferred_wait, wait_of
from routes.query import read_query
from routes.readable import readable
from routes.transaction import transaction

RETRYABLE: frozenset[JobStatus] = frozenset({"FAILED", "PARTIAL_SUCCESS", "CANCELLED"})


def _patience_seconds(scope: Scope) -> float:
    """An answer that its caller wants held may take that much longer."""
    return LONGEST_SECONDS + (wait_of(scope) or 0)


@readable(
    "/campaign_jobs/{job_id:str}",
    opt={
        "scope": "jobs:read",
        "query": JobQuery,
        "headers": ("Prefer", "If-None-Match"),
        "tells": ("ETag", "Preference-Applied"),
        "answers": {200: JobView, 304: None},
        "refusals": (403, 404),
        "patience_seconds": _patience_seconds,
    },
)
async def get_job(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> Response[Any]:
    """Shows a job: how far it is, why it waits, what it made, why it failed.

    With `Prefer: wait=N` (seconds; more than 30 count as 30) the answer is held until the status
    changes, or until that time is over; with `If-None-Match` beside it until anything of the job
    changes. A finished job answers at once.
    """
    query = read_query(request, JobQuery)
    job = await _reach(parts.pool, request, job_id)
    views = [await _view(parts.pool, job)]
    (view,) = await expanded(parts.pool, request, views, query.expand)
    known = known_tags(request)
    wait = preferred_wait(request.headers.getall("prefer", []))
    if wait and not _is_news(view, job.status, known):
        view = await _held(parts, request, view, known, wait)
    tag = etag_of(view)
    headers = {"ETag": tag} if wait is None else {"ETag": tag, "Preference-Applied": f"wait={wait}"}
    if is_known(known, tag):
        return Response(None, status_code=304, headers=headers)
    return Response(view, headers=headers)


@post(
    "/campaign_jobs/{job_id:str}/cancel",
    status_code=202,
    opt={
        "scope": "jobs:write",
        "tells": ("Location", "Retry-After"),
        "refusals": (403, 404, 409, 413, 415, 422),
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
        before = await _view(connection, job)
        stopped = await campaign_jobs.cancel_campaign_job(
            connection, id=job.id, team_id=request.auth.team_id
        )
        if stopped is None:
            raise Conflict(
                f"The job has ended: it is {(await _again(connection, job)).status}.",
                code="job_already_finished",
            )
        view = await _view(connection, await _again(connection, job))
        await audit.record(
            connection,
            actor_of(request),
            "campaign_job.cancelled",
            job.id,
            before=before,
            after=view,
        )
    parts.notifier.notify(CHANGES)
    return _accepted(view)


@post(
    "/campaign_jobs/{job_id:str}/retry",
    status_code=202,
    opt={
        "scope": "jobs:write",
        "tells": ("Location", "Retry-After"),
        "refusals": (403, 404, 409, 413, 415, 422),
    },
)
async def retry_job(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> Response[JobView]:
    """Tries again what failed or was cancelled. Done steps are kept; only the rest runs.

    The job is open again and counts as one, so the caps on open jobs may refuse it.
    """
    found = await _retryable(parts.pool, request, job_id)
    async with (
        # until the commit, so that nobody counts in between
        parts.open_jobs.one_more(parts.pool, found.ad_account_id, request.auth.team_id),
        transaction(parts.pool) as connection,
    ):
        job = await _retryable(connection, request, job_id)
        await _require_active_account(connection, job)
        before = await _view(connection, job)
        retried = await campaign_jobs.retry_campaign_job(
            connection, id=job.id, team_id=request.auth.team_id
        )
        if retried is None:
            raise _not_retryable(await _again(connection, job))
        view = await _view(connection, await _again(connection, job))
        await audit.record(
            connection, actor_of(request), "campaign_job.retried", job.id, before=before, after=view
        )
    parts.notifier.notify()
    parts.notifier.notify(CHANGES)
    return _accepted(view)


def job_headers(job_id: UUID) -> dict[str, str]:
    """Where an accepted job is found, and when a look is worth while."""
    return {"Location": f"/api/v1/campaign_jobs/{job_id}", "Retry-After": "1"}


def _accepted(view: JobView) -> Response[JobView]:
    return Response(view, status_code=202, headers=job_headers(view.id))


async def _reach(connection: Connection, request: ApiRequest, job_id: str) -> CampaignJob:
    row = await campaign_jobs.get_campaign_job(
        connection, id=object_id(job_id, "campaign_job"), team_id=request.auth.team_id
    )
    return reachable(row, request.auth, "campaign_job")


async def _retryable(connection: Connection, request: ApiRequest, job_id: str) -> CampaignJob:
    job = await _reach(connection, request, job_id)
    if job.status not in RETRYABLE:
        raise _not_retryable(job)
    return job


def _is_news(view: JobView, status: JobStatus, known: str | None) -> bool:
    """Whether there is no reason to hold the answer any longer."""
    if view.status in FINISHED or view.status != status:
        return True
    return known is not None and not is_known(known, etag_of(view))


async def _held(
    parts: Parts, request: ApiRequest, view: JobView, known: str | None, seconds: int
) -> JobView:
    """The job once there is news, else as it is when time is over."""
    until = asyncio.get_running_loop().time() + seconds
    job_id, status, account = view.id, view.status, view.ad_account
    hold = Hold(job_id, status, until_anything=known is not None)
    with parts.watch.holding(request.auth.team_id, hold):
        del view  # thousands may be held
        while True:
            is_changed = await parts.watch.change(hold, until)
            found = await parts.job_looks.look(job_id)
            if found is None:
                raise not_found("campaign_job")
            found = msgspec.structs.replace(found, ad_account=account)
            if not is_changed or _is_news(found, status, known):
                return found


async def _view(connection: Connection, job: CampaignJob) -> JobView:
    """The job as callers see it. Raises NotFound when it was deleted since it was read."""
    for view in await job_views(connection, [job]):
        return view
    raise not_found("campaign_job")


async def _again(connection: Connection, job: CampaignJob) -> CampaignJob:
    """The job as it is now."""
    return await campaign_jobs.get_campaign_job(connection, id=job.id, team_id=job.team_id) or job


async def _require_active_account(connection: Connection, job: CampaignJob) -> None:
    """A retry of a job whose account cannot be used would only fail again; it stays until the commit."""
    account = await ad_accounts.keep_ad_account(
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


routes = [get_job, cancel_job, retry_job]

"""Campaign jobs as callers see them, read from the database."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from models.gen import campaign_jobs, job_steps
from models.gen.rows import CampaignJob, Connection, JobStep
from models.job import JobView, brief_view, job_view
from models.plan import REQUESTS, PlannedStep, plan


async def job_views(connection: Connection, jobs: Sequence[CampaignJob]) -> list[JobView]:
    """Each job with its steps; one that was deleted since it was read is left out."""
    rows: dict[UUID, list[JobStep]] = {job.id: [] for job in jobs}
    for row in await job_steps.list_steps_of_jobs(connection, campaign_job_ids=list(rows)):
        rows[row.campaign_job_id].append(row)
    planned = await planned_steps(connection, jobs)
    return [job_view(job, rows[job.id], planned[job.id]) for job in jobs if job.id in planned]


async def brief_job_view(connection: Connection, job: CampaignJob, step_name: object) -> JobView:
    """The job with at most one of its steps, read without all the others."""
    names = ["campaign", "activate", *([step_name] if isinstance(step_name, str) else [])]
    rows = await job_steps.list_named_steps(connection, campaign_job_id=job.id, names=names)
    done = await job_steps.count_done_steps(connection, campaign_job_id=job.id)
    return brief_view(job, rows, step_name, done or 0)


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

"""Jobs as callers see them, read from the database; looks of many held answers share statements."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec

from models.database import Pool
from models.gen import campaign_jobs, job_steps
from models.gen.rows import CampaignJob, Connection
from models.job import JobView, job_view
from models.plan import REQUESTS, PlannedStep, plan

_MOST_TOGETHER = 100


async def views(connection: Connection, jobs: list[CampaignJob]) -> list[JobView]:
    """Each job with its steps, in the same order."""
    rows = await job_steps.list_steps_of_jobs(connection, campaign_job_ids=[job.id for job in jobs])
    planned = await _planned_steps(connection, jobs)
    return [
        job_view(job, [row for row in rows if row.campaign_job_id == job.id], planned[job.id])
        for job in jobs
    ]


class JobLooks:
    """When a thousand held answers end at once, this asks for a hundred jobs at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._asked: dict[UUID, asyncio.Future[JobView | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def look(self, job_id: UUID) -> JobView | None:
        """The job as it is now; None when there is no such job."""
        if job_id not in self._asked:
            self._asked[job_id] = asyncio.get_running_loop().create_future()
        future = self._asked[job_id]
        if self._task is None:
            self._task = asyncio.create_task(self._answer(), name="job looks")
        # others may wait for the same answer
        return await asyncio.shield(future)

    async def _answer(self) -> None:
        try:
            while self._asked:
                ids = list(self._asked)[:_MOST_TOGETHER]
                await self._read({job_id: self._asked.pop(job_id) for job_id in ids})
        finally:
            self._task = None

    async def _read(self, asked: dict[UUID, asyncio.Future[JobView | None]]) -> None:
        try:
            jobs = await campaign_jobs.list_campaign_jobs_by_ids(self._pool, ids=list(asked))
            found = {view.id: view for view in await views(self._pool, jobs)}
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who asked
            for future in asked.values():
                future.set_exception(error)
            return
        for job_id, future in asked.items():
            future.set_result(found.get(job_id))


async def _planned_steps(
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

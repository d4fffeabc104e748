"""Looks of many held answers at their jobs share statements."""

import asyncio
from uuid import UUID

from models.database import Pool
from models.gen import campaign_jobs
from models.job import JobView
from models.job_views import job_views

_MOST_TOGETHER = 100


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
            found = {view.id: view for view in await job_views(self._pool, jobs)}
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who asked
            for future in asked.values():
                future.set_exception(error)
            return
        for job_id, future in asked.items():
            future.set_result(found.get(job_id))

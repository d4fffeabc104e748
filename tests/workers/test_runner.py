"""How a run ends, whatever its handler does."""

import asyncio

import asyncpg
import pytest

from models.job import JobError
from models.plan import PlannedStep
from tests.workers.running import working
from workers.effects import Effect, Pace
from workers.kinds import Ended
from workers.platforms.base import Done

ENDS = {
    "succeeds": ("SUCCESS", None),
    "crashes": ("FAILED", "internal_error"),
    "crashes and cannot say what exists": ("FAILED", "internal_error"),
    "has no database": ("SUCCESS", None),
    "is told by the database to come back": ("SUCCESS", None),
}


class Moody:
    """Does what it is told the first time, and succeeds from then on."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.runs = 0

    async def __call__(self, _run):
        self.runs += 1
        match self.mode if self.runs == 1 else "succeeds":
            case "has no database":
                raise ConnectionResetError
            case "is told by the database to come back":
                raise asyncpg.AdminShutdownError
            case "crashes" | "crashes and cannot say what exists":
                raise LookupError(self.mode)
        return Ended("SUCCESS")

    async def abandon(self, _run, error: JobError):
        if self.mode == "crashes and cannot say what exists":
            raise LookupError(self.mode)
        return Ended("FAILED", error=error)


async def ended(shop, job_id):
    """The job once it has ended; nobody waits for the moment that it waits for."""
    async with asyncio.timeout(60):
        while True:
            await shop.pool.execute(
                "update campaign_jobs set due_at = now() where claim_token is null and id = $1",
                job_id,
            )
            row = await shop.pool.fetchrow("select * from campaign_jobs where id = $1", job_id)
            if row["finished_at"] is not None:
                return row
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("mode", ENDS)
async def test_a_run_ends_as_its_handler_deserves(shop, mode):
    job_id = await shop.job(await shop.account())
    handler = Moody(mode)

    async with working(shop, handler):
        job = await ended(shop, job_id)

    assert (job["status"], job["error_code"]) == ENDS[mode]
    assert handler.runs == (2 if "database" in mode else 1)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("media", "FAILED"), ("creative", "FAILED"), ("campaign", "PARTIAL_SUCCESS")],
)
async def test_a_job_that_cannot_say_what_exists_is_judged_by_what_it_has_made(shop, kind, status):
    job_id = await shop.job(await shop.account())
    moody = Moody("crashes and cannot say what exists")

    class Making:
        abandon = moody.abandon

        async def __call__(self, run):
            async def make(_trial):
                return Done("1")

            step = PlannedStep(kind, kind, 0)
            await run.ledger.step(step, Effect(make), Pace(call_seconds=30, lag_seconds=30))
            return await moody(run)

    async with working(shop, Making()):
        job = await ended(shop, job_id)

    assert (job["status"], job["error_code"]) == (status, "internal_error")

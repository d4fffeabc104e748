"""What a worker that is told to stop still does, and what it gives back."""

import asyncio

import pytest

from models.database import open_pool
from models.plan import PlannedStep
from tests.workers.ledgers import PACE, STEP, Platform
from tests.workers.running import (
    CLAIM_LOCK,
    NEVER,
    Gate,
    Scripted,
    connected,
    jobs,
    until,
    working,
)
from workers.effects import Stopping
from workers.kinds import Ended, Interrupted
from workers.platforms.base import Done


async def states(shop):
    rows = await shop.pool.fetch(
        "select status, claim_token is null, worker_id is null, rescues from campaign_jobs order by id"
    )
    return [tuple(row) for row in rows]


OTHER_STEP = PlannedStep("ad_set[0]", "ad_set", 1)
GIVEN_BACK = ("PROCESSING", True, True, 0)


async def test_what_runs_may_end_and_nothing_else_begins(shop):
    await jobs(shop, 2)
    gate = Gate()

    async with working(shop, gate, concurrency=1) as worker:
        await until(lambda: gate.inside == 1)
        worker.stop()
        gate.release(2)

    assert sorted(await states(shop)) == [
        ("PENDING", True, True, 0),
        ("SUCCESS", True, True, 0),
    ]
    assert await shop.value("select count(*) from workers") == 0


async def test_a_running_job_begins_no_further_step(shop):
    await jobs(shop, 1)
    platform = Platform(Done("1"), Done("2"))
    stopped = asyncio.Event()

    async def step_again(run):
        await run.ledger.step(STEP, platform.effect, PACE)
        begun.set()
        await stopped.wait()
        with pytest.raises(Stopping):
            await run.ledger.step(OTHER_STEP, platform.effect, PACE)
        return Interrupted()

    begun = asyncio.Event()
    async with working(shop, Scripted(step_again)) as worker:
        await begun.wait()
        worker.stop()
        stopped.set()

    assert len(platform.calls) == 1
    assert await states(shop) == [GIVEN_BACK]


async def test_what_does_not_end_within_the_grace_time_is_given_back(shop):
    await jobs(shop, 2)
    gate = Gate()

    async with working(shop, gate, grace_seconds=0.05):
        await until(lambda: gate.inside == 2)

    assert await states(shop) == [GIVEN_BACK, GIVEN_BACK]


async def test_a_run_that_is_cut_off_hears_of_it_before_the_worker_ends(shop):
    await jobs(shop, 1)
    heard = []

    async def never(run):
        try:
            await asyncio.Event().wait()
        finally:
            heard.append(run.job.id)
        return Ended("SUCCESS")

    handler = Scripted(never)
    async with working(shop, handler, grace_seconds=0):
        await until(lambda: handler.runs)

    assert heard == [handler.runs[0].job.id]


@pytest.mark.usefixtures("patient")
async def test_jobs_that_had_not_begun_are_given_back_and_do_not_begin(shop):
    """Nothing can be loaded while others have every connection of the pool."""
    await jobs(shop, 2)
    handler = Scripted()
    held = [await shop.pool.acquire() for _ in range(5)]

    async with connected(shop) as own, working(shop, handler) as worker:
        sql = "select count(*) = 2 from campaign_jobs where claim_token is not null"
        await until(lambda: own.fetchval(sql))
        worker.stop()
        await until(lambda: "arrival" not in {task.get_name() for task in asyncio.all_tasks()})
        for connection in held:
            await shop.pool.release(connection)

    assert handler.runs == []
    assert await states(shop) == [GIVEN_BACK, GIVEN_BACK]


async def test_an_idle_worker_stops_without_being_woken_by_anything_else(shop):
    sql = (
        "select 1 from pg_stat_activity where application_name = 'mojito claim' and state = 'idle'"
    )

    async with working(shop, Scripted(), poll_seconds=NEVER):
        await until(lambda: shop.value(sql))

    assert await shop.value("select count(*) from workers") == 0


async def test_a_worker_leaves_no_connection_behind(shop):
    async with working(shop, Scripted()):
        # one look that sees all of them: the first sign of life comes over a connection that ends at once
        during = await until(lambda: connections(shop, 4))

    assert {"mojito claim", "mojito listener", "mojito presence", "mojito changes"} == during
    await until(lambda: none_left(shop))


async def connections(shop, least=0):
    """The names of a worker's connections, if there are so many."""
    rows = await shop.pool.fetch(
        """select application_name from pg_stat_activity
           where datname = current_database() and application_name like 'mojito %'"""
    )
    names = {row["application_name"] for row in rows}
    return names if len(names) >= least else None


async def none_left(shop):
    return await connections(shop) == set()


async def test_a_worker_whose_database_is_gone_ends_all_the_same(shop):
    pool = await open_pool(shop.url, size=1, name="gone")

    async with working(shop, Scripted(), pool=pool):
        await pool.close()

    assert await shop.value("select count(*) from workers") == 1


async def test_a_worker_whose_claim_gets_no_answer_ends_all_the_same(shop):
    (_,) = await jobs(shop, 1)
    sql = """select 1 from pg_stat_activity
             where datname = current_database() and application_name = 'mojito claim'
               and wait_event = 'advisory'"""

    async with connected(shop) as own:
        await own.execute("select pg_advisory_lock($1)", CLAIM_LOCK)
        async with working(shop, Scripted()):
            await until(lambda: own.fetchval(sql))

        assert await states(shop) == [("PENDING", True, True, 0)]

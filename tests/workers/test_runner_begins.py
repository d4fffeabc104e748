"""When claimed jobs begin: in the turn of the loop that brought them, or right behind the next claim."""

import asyncio
import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.workers.running import (
    CLAIM_LOCK,
    NEVER,
    Gate,
    Scripted,
    connected,
    finished,
    until,
    working,
)
from workers.kinds import Ended
from workers.metrics import WorkerMetrics

STANDSTILL_SECONDS = 30.0
AT_EASE = {"silence_seconds": NEVER, "trust_seconds": NEVER}
"""Nobody gives up this worker while it stands still, and it does not look for lost claims meanwhile."""
TOKEN = "select claim_token from campaign_jobs where id = $1"
CLAIMED = "select count(*) from campaign_jobs where claim_token is not null"


async def test_jobs_of_a_claim_that_took_all_there_was_begin_in_the_turn_that_brought_it(shop):
    account = await shop.account()
    metrics = WorkerMetrics()
    claimed, claimed_before = [0.0], []

    def look():
        claimed.append(metrics.registry.get_sample_value("mojito_claimed_jobs_total"))

    def begin(_):
        claimed_before.append(claimed[-1])
        return Ended("SUCCESS")

    async with working(shop, Scripted(begin), metrics=metrics, poll_seconds=0.01):
        await until(accounts_are_known)
        with each_turn(look):
            await finished(shop, await shop.job(account))

    assert claimed_before == [0]


@pytest.mark.usefixtures("patient")
async def test_jobs_of_a_claim_behind_which_there_may_be_more_begin_behind_the_next_one(shop):
    """Nothing leaves while the loop stands still: what the server does then, it was told before."""
    account = await shop.account()
    taken = []

    def begin(_):
        taken.append(claimed_meanwhile(shop, 2))
        return Ended("SUCCESS")

    options = {"largest_claim": 1, **AT_EASE}

    async with connected(shop) as own, working(shop, Scripted(begin), **options):
        await until(accounts_are_known)
        await own.execute("select pg_advisory_lock($1)", CLAIM_LOCK)
        jobs = [await shop.job(account) for _ in range(2)]
        await own.execute("select pg_advisory_unlock($1)", CLAIM_LOCK)
        for job in jobs:
            await finished(shop, job)

    assert taken == [2]


@pytest.mark.usefixtures("patient")
async def test_a_job_that_is_still_being_loaded_is_known_when_unknown_claims_are_given_back(shop):
    """Nothing can be loaded while others have every connection of the pool."""
    job, gate = await shop.job(await shop.account()), Gate()
    size = shop.pool.get_max_size()

    async with connected(shop) as own:
        held = [await shop.pool.acquire() for _ in range(size)]
        async with working(shop, gate, poll_seconds=0.01) as worker:
            token = await until(lambda: own.fetchval(TOKEN, job))
            looked_at = worker._claims._looked_at
            worker._claims.doubt()
            await until(lambda: worker._claims._looked_at > looked_at)
            kept = await own.fetchval(TOKEN, job)
            for connection in held:
                await shop.pool.release(connection)
            gate.release()
            await finished(shop, job)

    assert kept == token


def accounts_are_known() -> bool:
    return "read_ahead" not in {task.get_name() for task in asyncio.all_tasks()}


def claimed_meanwhile(shop, wanted: int) -> int:
    """How many jobs are claimed, once there are so many; this thread's loop stands still for as long."""

    async def ask() -> int:
        async with connected(shop) as own, asyncio.timeout(STANDSTILL_SECONDS):
            while (found := await own.fetchval(CLAIMED)) < wanted:
                pass
            return found

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask()).result()


@contextlib.contextmanager
def each_turn(look: Callable[[], None]) -> Generator[None]:
    """Looks once in every turn of the loop."""
    loop = asyncio.get_running_loop()

    def again() -> None:
        nonlocal next_turn
        look()
        next_turn = loop.call_soon(again)

    next_turn = loop.call_soon(again)
    try:
        yield
    finally:
        next_turn.cancel()

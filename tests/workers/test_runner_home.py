"""What a worker knows of the database that it began with, and of that database's clock."""

import asyncio

import pytest
import structlog

from common import clock
from common.errors import ClaimLost
from models.identity import AnotherDatabase, Home
from tests.workers.ledgers import PACE, STEP, Platform
from tests.workers.running import (
    CLAIM_LOCK,
    PATIENCE_SECONDS,
    TEST,
    Scripted,
    connected,
    finished,
    jobs,
    until,
    working,
)
from workers.kinds import Ended, Interrupted
from workers.platforms.base import Done
from workers.runner import Worker
from workers.worker_settings import WorkerSettings


class Asked(Home):
    """Remembers which connections asked which database they led to."""

    def __init__(self):
        super().__init__()
        self.names = set()

    async def connect(self, url, *, name, settings=None):
        self.names.add(name)
        return await super().connect(url, name=name, settings=settings)


def worker_with(shop, handler, home):
    settings = WorkerSettings(poll_seconds=0.1, grace_seconds=PATIENCE_SECONDS)
    return Worker(shop.url, shop.pool, shop.worker_id, {TEST: handler}, settings, home=home)


async def test_a_worker_that_was_led_elsewhere_refuses_its_runs_and_ends(shop, server):
    await jobs(shop, 1)
    home, refused = Home(), []

    async def led_elsewhere(run):
        with pytest.raises(AnotherDatabase):
            await home.connect(server.url("postgres"), name="test")
        try:
            run.guard()
        except ClaimLost as error:
            refused.append(error.code)
        return Interrupted()

    with pytest.raises(AnotherDatabase, match="lead to another database"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await worker_with(shop, Scripted(led_elsewhere), home).run()

    assert refused == ["another_database"]


async def test_all_that_claims_and_writes_asks_first_which_database_it_is(shop):
    (job,) = await jobs(shop, 1)
    home = Asked()

    async def does_a_step(run):
        await run.ledger.step(STEP, Platform(Done("1")).effect, PACE)
        return Ended("SUCCESS")

    worker = worker_with(shop, Scripted(does_a_step), home)
    running = asyncio.create_task(worker.run())
    await finished(shop, job)
    worker.stop()
    await running

    heard = ("presence", "claim", "intents", "records", "moves")
    assert home.names == {f"mojito {name}" for name in heard}


async def test_runs_know_since_when_the_databases_clock_is_watched(shop):
    """Else no time that passed before their own claim would count for a look."""
    account, handler = await shop.account(), Scripted()

    async with working(shop, handler, silence_seconds=0.6) as worker:
        await until(lambda: worker._watch._steady_since < clock.seconds())
        for _ in range(2):
            await finished(shop, await shop.job(account))

    first, second = [run.ledger._steady_since for run in handler.runs]
    assert first == second


async def test_a_worker_outlives_a_jump_of_the_databases_clock(shop, monkeypatch):
    asked = []

    async def moved(_pool):
        asked.append(clock.seconds())
        return clock.seconds() + 3600.0 * len(asked)

    monkeypatch.setattr("models.gen.workers.get_database_seconds", moved)

    async with working(shop, Scripted(), silence_seconds=0.6):
        await until(lambda: len(asked) > 2)


async def test_a_claim_that_is_cut_off_says_what_cut_it(shop):
    sql = """select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'mojito claim'
               and wait_event = 'advisory'"""

    with structlog.testing.capture_logs() as lines:
        async with connected(shop) as own:
            await own.execute("select pg_advisory_lock($1)", CLAIM_LOCK)
            async with working(shop, Scripted(), poll_seconds=0.01):
                await until(lambda: own.fetchval(sql))
                told = await until(lambda: [one for one in lines if one["event"] == "claim.failed"])
                await own.execute("select pg_advisory_unlock($1)", CLAIM_LOCK)

    assert told[0]["error"] in {"ConnectionDoesNotExistError", "AdminShutdownError"}

"""A worker of which a part has died claims nothing more, ends what it can, and gives back the rest."""

import asyncio
import contextlib
import pkgutil

import pytest

from common.errors import ClaimLost, PartDied
from tests.workers.ledgers import PACE, STEP, Platform
from tests.workers.running import (
    BEATING,
    PATIENCE_SECONDS,
    Gate,
    Scripted,
    jobs,
    let_go,
    until,
    working,
)
from workers.effects import Effect
from workers.kinds import Ended
from workers.metrics import WorkerMetrics
from workers.platforms.base import Done


class Broken(WorkerMetrics):
    """Fails when it is told of one kind of write, which is already written then."""

    def __init__(self, name):
        super().__init__()
        self._name = name
        self.broken = asyncio.Event()

    def written(self, name, answers):
        super().written(name, answers)
        self._break(name)

    def moved(self, moves, answers):
        super().moved(moves, answers)
        self._break("moves")

    def _break(self, name):
        if name == self._name:
            self.broken.set()
            raise ZeroDivisionError


@contextlib.asynccontextmanager
async def dying(shop, handler, part, **settings):
    """A worker that ends by itself, because of that part."""
    has_ended = False
    with pytest.raises(PartDied, match=f"'{part}' died of ZeroDivisionError"):
        async with working(shop, handler, grace_seconds=2 * PATIENCE_SECONDS, **settings):
            yield
            await until(lambda: is_gone(shop))
            has_ended = True
    assert has_ended


async def is_gone(shop):
    return not await shop.value("select count(*) from workers")


async def states(shop):
    sql = "select status, claim_token is null from campaign_jobs order by id"
    return [tuple(row) for row in await shop.pool.fetch(sql)]


async def does_a_step(run):
    await run.ledger.step(STEP, Platform(Done("1")).effect, PACE)
    return Ended("SUCCESS")


@pytest.mark.parametrize("name", ["intents", "records"])
async def test_what_runs_may_end_and_nothing_else_begins(shop, name):
    await jobs(shop, 3)
    gate = Gate()
    handler = Scripted(does_a_step, gate)

    async with dying(shop, handler, name, metrics=(metrics := Broken(name)), concurrency=2):
        await asyncio.wait_for(metrics.broken.wait(), PATIENCE_SECONDS)
        gate.release(2)

    assert [status for status, _ in await states(shop)].count("SUCCESS") == 2
    assert ("PENDING", True) in await states(shop)
    assert len(handler.runs) == 2


async def test_a_job_whose_end_cannot_be_written_is_given_back_at_once(shop):
    first, second = await jobs(shop, 2)
    gate = Gate()
    handler = Scripted(Ended("SUCCESS"), gate)

    async with dying(shop, handler, "moves", metrics=(metrics := Broken("moves"))):
        await asyncio.wait_for(metrics.broken.wait(), PATIENCE_SECONDS)
        gate.release()

    assert (first, second) == tuple(run.job.id for run in handler.runs)
    assert await states(shop) == [("SUCCESS", True), ("PROCESSING", True)]


async def test_a_job_that_cannot_write_down_what_it_does_is_given_back_and_not_failed(shop):
    """Its step is left as a killed worker would have left it."""
    await jobs(shop, 2)
    metrics, called = Broken("records"), asyncio.Event()

    async def is_answered_too_late(_):
        called.set()
        await metrics.broken.wait()
        return Done("2")

    async def is_in_a_call(run):
        async with asyncio.TaskGroup() as steps:  # as campaigns are built
            steps.create_task(begins_a_step(run))
        raise lost[0]

    async def begins_a_step(run):
        try:
            await run.ledger.step(STEP, Effect(is_answered_too_late), PACE)
        except ClaimLost as error:
            lost.append(error)

    lost = []

    async def does_a_step_meanwhile(run):
        await called.wait()
        return await does_a_step(run)

    handler = Scripted(is_in_a_call, does_a_step_meanwhile)
    async with dying(shop, handler, "records", metrics=metrics):
        await asyncio.wait_for(metrics.broken.wait(), PATIENCE_SECONDS)

    assert await states(shop) == [("PROCESSING", True), ("SUCCESS", True)]
    assert await shop.value("select count(*) from job_steps where status = 'RUNNING'") == 1
    assert handler.errors == []


def breaks(*_, **__):
    raise ZeroDivisionError


PARTS = {
    "listener": "models.listener.connect",
    "notifier": "models.notifier.connect",
    "upkeep": "models.gen.workers.mend_workers",
    "presence": "models.gen.workers.renew_worker",
    "claims": "models.gen.campaign_jobs.claim_campaign_jobs",
}
"""Each with what it asks of the outside."""


@pytest.mark.parametrize(("part", "outside"), PARTS.items())
async def test_each_part_is_one_that_it_cannot_do_without(shop, monkeypatch, part, outside):
    async with dying(shop, Scripted(), part, silence_seconds=0.6):
        monkeypatch.setattr(outside, breaks)
        await end_connections(shop, "mojito (listener|changes)")
        await jobs(shop, 1)  # which a notifier tells of: only then does it look at its connection


class Away:
    """A database that nobody reaches at first."""

    def __init__(self, outside):
        self.asked = 0
        self._there = pkgutil.resolve_name(outside)

    async def __call__(self, *where, **what):
        self.asked += 1
        if self.asked <= 2:
            raise ConnectionRefusedError
        return await self._there(*where, **what)


@pytest.mark.parametrize("outside", PARTS.values(), ids=PARTS)
async def test_a_database_that_is_away_for_a_while_is_no_death(shop, monkeypatch, outside):
    away = Away(outside)

    async with working(shop, Scripted(), silence_seconds=0.6):
        monkeypatch.setattr(outside, away)
        await end_connections(shop, "mojito (listener|changes)")
        (job,) = await jobs(shop, 1)
        await until(lambda: away.asked > 2)
        await let_go(shop, job)


async def test_connections_that_are_cut_are_no_death(shop):
    async with working(shop, Scripted(), **BEATING):
        await end_connections(shop, "mojito .*")
        (job,) = await jobs(shop, 1)
        await let_go(shop, job)


async def test_accounts_that_cannot_be_read_ahead_are_read_with_their_jobs(shop, monkeypatch):
    monkeypatch.setattr("workers.accounts.Accounts.read_ahead", breaks)

    async with working(shop, Scripted()):
        (job,) = await jobs(shop, 1)
        await let_go(shop, job)


async def end_connections(shop, names):
    """Of the worker's parts; those that had one look for another."""
    await shop.pool.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name ~ $1""",
        names,
    )

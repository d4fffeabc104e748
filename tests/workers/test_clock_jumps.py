"""The database's clock jumps ahead: workers that live keep their jobs, dead ones lose theirs all the same."""

import asyncio
import contextlib

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from common.errors import Unknown, Wait
from common.tasks import beside
from models.database import open_pool
from models.gen import workers
from tests.house.conftest import until
from tests.workers.ledgers import PACE, STEP, Platform
from tests.workers.running import let_go, working
from workers.kinds import Ended, Parked
from workers.platforms.base import Done
from workers.upkeep import ClockWatch, keep_up

SILENCE_SECONDS = 2.0
LONG_SILENCE_SECONDS = 4.0
"""Within which a worker is heard on a slow machine too."""
ANOTHER_CLOCK = """
create schema another_clock;
create table another_clock.jump (by_interval interval not null, stands_at timestamptz);
insert into another_clock.jump values ('0');
create function another_clock.now() returns timestamptz language sql stable as
    'select coalesce(stands_at, pg_catalog.now()) + by_interval from another_clock.jump';
"""


@pytest.fixture
async def sql(database):
    """A database whose `now()` can be moved, and stopped."""
    connection = await asyncpg.connect(database)
    await connection.execute(ANOTHER_CLOCK)
    name = await connection.fetchval("select current_database()")
    path = "another_clock, pg_catalog, public"
    await connection.execute(f"alter database {name} set search_path = {path}")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database, sql):
    opened = await open_pool(database, size=3, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def worker_id(pool):
    return await add_worker(pool)


async def add_worker(pool):
    """A worker that holds a job, which bears the same id."""
    worker_id, account_id = uuid7(), uuid7()
    await workers.register_worker(pool, id=worker_id, host="h", process_id=1)
    await pool.execute(
        "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
        "credentials_key_id, credentials_fingerprint, mode) "
        "values ($1, 'a', 'META', $2, '', 'k', 'f', 'sandbox')",
        account_id,
        f"act_{account_id.int % 10**12}",
    )
    await pool.execute(
        "insert into campaign_jobs "
        "(id, ad_account_id, platform_type, mode, status, claim_token, worker_id) "
        "values ($1, $2, 'META', 'sandbox', 'PROCESSING', gen_random_uuid(), $1)",
        worker_id,
        account_id,
    )
    return worker_id


async def renew(pool, worker_id, renewed):
    """What a worker that lives does now and then."""
    while True:
        await workers.renew_worker(pool, id=worker_id)
        renewed.release()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)


async def rescues(pool, worker_id):
    return await pool.fetchval("select rescues from campaign_jobs where id = $1", worker_id)


async def test_a_jump_makes_nobody_dead_who_lives(pool, sql, worker_id):
    """It stands still otherwise: a machine that is slow makes nobody silent."""
    renewed, looked = asyncio.Semaphore(0), asyncio.Event()
    long_dead = await add_worker(pool)
    await pool.execute(
        "update workers set last_seen_at = now() - interval '1 day' where id = $1", long_dead
    )
    upkeep = keep_up(
        pool, silence_seconds=LONG_SILENCE_SECONDS, every_seconds=0.05, freed=looked.set
    )

    async with beside(upkeep), beside(renew(pool, worker_id, renewed)):
        await looked.wait()  # else it has seen no other clock than the one that jumped
        await renewed.acquire()
        await sql.execute(
            "update another_clock.jump set by_interval = '1 hour', stands_at = pg_catalog.now()"
        )
        for _ in range(10):
            await renewed.acquire()
        while_it_lived = await rescues(pool, worker_id)
    await sql.execute("update another_clock.jump set stands_at = null")

    async with beside(
        keep_up(pool, silence_seconds=SILENCE_SECONDS, every_seconds=0.05, freed=lambda: None)
    ):
        await until(lambda: rescues(pool, worker_id))

    assert while_it_lived == 0
    assert await rescues(pool, worker_id) == 1


async def test_who_died_before_the_clock_was_put_back_is_found_dead_all_the_same(
    pool, sql, worker_id
):
    await sql.execute("update another_clock.jump set by_interval = '-1 hour'")

    async with beside(
        keep_up(pool, silence_seconds=SILENCE_SECONDS, every_seconds=0.05, freed=lambda: None)
    ):
        await until(lambda: rescues(pool, worker_id))

    assert await rescues(pool, worker_id) == 1


class OneStep:
    """A job of one step."""

    def __init__(self, platform):
        self.effect = platform.effect

    async def __call__(self, run):
        try:
            await run.ledger.step(STEP, self.effect, PACE)
        except Wait as wait:
            return Parked(wait.seconds, wait.reason)
        return Ended("SUCCESS")


async def test_a_jump_shortens_no_wait_for_a_call_that_may_still_be_at_work(sql, shop):
    platform = Platform(Unknown("no answer came", code="no_answer"), Done("a second one"))
    job_id = await shop.job(await shop.account())

    async def has_looked_again():
        return platform.looks > 1 or None

    async with working(shop, OneStep(platform)):
        await let_go(shop, job_id)
        await sql.execute("update another_clock.jump set by_interval = '1 hour'")
        await until(has_looked_again)
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"]) == ("PROCESSING", "in_doubt")
    assert len(platform.calls) == 1


def test_after_a_jump_silence_counts_again_when_everybody_had_time_to_be_heard():
    watch = ClockWatch(30.0)
    looks = [(100.0, 5000.0), (105.0, 5005.2), (110.0, 5100.0), (135.0, 5125.0), (140.1, 5130.0)]

    told = [watch.trusts(here, there, here) for here, there in looks]

    assert told == [True, True, False, False, True]


def test_a_clock_that_is_put_back_makes_nobody_dead():
    watch = ClockWatch(30.0)

    assert watch.trusts(0.0, 5000.0, 0.1)
    assert watch.trusts(5.0, 4000.0, 5.1)
    assert watch.trusts(10.0, 4005.0, 10.1)


def test_an_answer_that_comes_late_is_no_jump():
    watch = ClockWatch(30.0)

    assert watch.trusts(0.0, 5000.0, 20.0)  # read at its beginning, heard of at its end
    assert watch.trusts(25.0, 5025.0, 25.1)
    assert watch.trusts(30.0, 5050.0, 50.0)  # the other way round
    assert watch.trusts(55.0, 5055.0, 55.1)


def test_a_clock_is_steady_since_it_was_first_seen_or_since_it_last_jumped():
    watch = ClockWatch(30.0)
    at_first = watch.steady_since(4999.0, 99.0)
    watch.trusts(100.0, 5000.0, 100.1)
    watch.trusts(105.0, 5005.0, 105.1)

    before, at_the_jump = watch.steady_since(5006.0, 106.0), watch.steady_since(5066.0, 106.0)
    watch.trusts(110.0, 5070.0, 110.1)
    watch.trusts(115.0, 5075.0, 115.1)

    assert at_first == 99.0  # nobody knows what it did before
    assert before == 100.1
    assert at_the_jump == 106.0  # a claim sees it before upkeep does
    assert watch.steady_since(5080.0, 120.0) == 110.1

"""Open jobs are counted seldom, by one request for all; no more begin on a count than it is trusted for."""

import asyncio
import contextlib

import asyncpg
import pytest

from common.errors import TooManyRequests
from common.uuid7 import uuid7
from models.database import Pool
from routes import open_jobs
from routes.open_jobs import Caps, OpenJobs
from tests.house.conftest import until

ACCOUNT, TEAM = uuid7(), uuid7()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def beside(database: str):
    """A connection that is no request's."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def open_all(pool: Pool) -> None:
    """So that nobody waits for a connection to be made."""
    async with contextlib.AsyncExitStack() as held:
        for _ in range(pool.get_max_size()):
            await held.enter_async_context(pool.acquire())


async def counting(connection) -> int:
    """How many requests wait for a count, as long as the table is locked."""
    # a transaction would see the same activity for ever
    await connection.execute("select pg_stat_clear_snapshot()")
    return await connection.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%open_jobs%'"
    )


async def until_somebody_counts(connection) -> None:
    async with asyncio.timeout(30):
        while await counting(connection) == 0:
            pass
    for _ in range(20):  # whoever else would count has had the time to begin
        await connection.fetchval("select 1")


async def test_counts_are_seldom_where_there_is_room(pool):
    clock, counted_at = Clock(), set()
    jobs = OpenJobs(Caps(per_account=1600), seconds=clock)

    for nth in range(151):
        clock.now = 1000.0 if nth < 150 else 1010.5
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            counted_at.add(jobs._counts[ACCOUNT].known_of)

    assert counted_at == {0, 94, 150}


async def test_a_count_grows_old_sooner_where_less_than_half_is_free(api, pool):
    clock, counted_at = Clock(), set()
    jobs = OpenJobs(Caps(per_account=1600), seconds=clock)
    account = await api.pool.fetchval(
        """with account as (
               insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
                   credentials_key_id, credentials_fingerprint, mode)
               values (gen_random_uuid(), 'a', 'META', 'act_1', '', '', '', 'sandbox') returning id
           ), made as (
               insert into campaign_jobs (id, ad_account_id, platform_type, mode)
               select gen_random_uuid(), id, 'META', 'sandbox' from account, generate_series(1, 801))
           select id from account"""
    )

    for _ in range(3):
        async with jobs.one_more(pool, account, TEAM):
            counted_at.add(jobs._counts[account].known_of)
        clock.now += 0.6

    assert counted_at == {0, 2}


async def test_requests_at_once_share_a_count_that_has_grown_old(pool):
    clock, counts = Clock(), set[int]()
    jobs = OpenJobs(Caps(per_account=1600), seconds=clock)
    async with jobs.one_more(pool, ACCOUNT, TEAM):
        clock.now += 10.5

    async def one() -> None:
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            counts.add(jobs._counts[ACCOUNT].known_of)
            everybody_is_in.release()
            await out.wait()

    everybody_is_in, out = asyncio.Semaphore(0), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(one())
        for _ in range(30):
            await everybody_is_in.acquire()
        out.set()

    assert counts == {0, 1}


@pytest.mark.usefixtures("patient")
async def test_one_request_counts_for_all_that_must_wait_for_it(pool, beside):
    jobs = OpenJobs(Caps(per_account=1600))
    await open_all(pool)

    async def one() -> None:
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            pass

    async with asyncio.TaskGroup() as group, beside.transaction():
        await beside.execute("lock table campaign_jobs in access exclusive mode")
        for _ in range(20):
            group.create_task(one())
        await until_somebody_counts(beside)
        found, begun = await counting(beside), jobs._counts[ACCOUNT].begun

    assert (found, begun) == (1, 0)
    assert jobs._counts[ACCOUNT].ended == 20


@pytest.mark.usefixtures("patient")
async def test_whoever_gives_up_counting_leaves_it_to_the_next(pool, beside):
    jobs = OpenJobs(Caps(per_account=1600))
    await open_all(pool)

    async def one() -> None:
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            pass

    async with asyncio.TaskGroup() as group, beside.transaction():
        await beside.execute("lock table campaign_jobs in access exclusive mode")
        first, *_ = [group.create_task(one()) for _ in range(5)]
        await until_somebody_counts(beside)
        first.cancel()
        await asyncio.wait([first])

    assert first.cancelled()
    assert jobs._counts[ACCOUNT].ended == 4


@pytest.mark.parametrize(("cap", "trusted_for"), [(48, 3), (16, 1)])
async def test_no_more_are_begun_on_a_count_than_it_is_trusted_for(pool, cap, trusted_for):
    """Other processes see none of them before they are written."""
    jobs, inside = OpenJobs(Caps(per_account=cap)), 0
    news, out = asyncio.Semaphore(0), asyncio.Event()

    async def one() -> None:
        nonlocal inside
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            inside += 1
            news.release()
            await out.wait()
            inside -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(one())
        for _ in range(trusted_for):
            await news.acquire()
        for _ in range(20):  # whoever else would go in has had the time to
            await pool.fetchval("select 1")
        most = inside
        out.set()

    assert most == trusted_for
    assert jobs._counts[ACCOUNT].ended == 10


async def test_what_is_under_way_is_not_forgotten_however_many_others_there_are(pool, monkeypatch):
    monkeypatch.setattr(open_jobs, "_MOST_KNOWN", 2)
    jobs = OpenJobs(Caps(per_account=1))
    others = [uuid7() for _ in range(4)]

    async with jobs.one_more(pool, ACCOUNT, TEAM):
        for other in others:
            async with jobs.one_more(pool, other, TEAM):
                pass
        async with pool.acquire() as connection:  # whoever holds one himself waits for nobody
            with pytest.raises(TooManyRequests):
                await jobs.hold(connection, ACCOUNT, TEAM)

    assert set(jobs._counts) == {ACCOUNT, others[-1]}


@pytest.mark.usefixtures("patient")
async def test_what_is_being_counted_is_not_forgotten_for_another(pool, beside, monkeypatch):
    monkeypatch.setattr(open_jobs, "_MOST_KNOWN", 1)
    jobs, other = OpenJobs(Caps(per_account=1600)), uuid7()
    await open_all(pool)

    async def both_count() -> bool:
        return await counting(beside) == 2

    async def one(account) -> None:
        async with jobs.one_more(pool, account, TEAM):
            pass

    async with asyncio.TaskGroup() as group, beside.transaction():
        await beside.execute("lock table campaign_jobs in access exclusive mode")
        for account in (ACCOUNT, other):
            group.create_task(one(account))
        await until(both_count)
        known = set(jobs._counts)

    assert known == {ACCOUNT, other}

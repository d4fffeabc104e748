"""Open jobs are counted seldom, by one request for all; no more begin on a count than it is trusted for."""

import asyncio
import contextlib
from uuid import UUID

import asyncpg
import pytest

from common.errors import TooManyRequests
from common.uuid7 import uuid7
from models.database import Pool
from routes import open_jobs
from routes.open_jobs import Caps, OpenJobs
from tests.workers.running import until

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
        clock.now = 1000.0 if nth < 140 else 1009.5 if nth < 150 else 1010.5
        async with jobs.one_more(pool, ACCOUNT, TEAM):
            counted_at.add(jobs._counts[ACCOUNT].known_of)

    assert counted_at == {0, 94, 150}


async def busy(pool: Pool, open_jobs: int) -> tuple[UUID, UUID]:
    """An account with so many open jobs, and its team."""
    made = await pool.fetchrow(
        """with team as (
               insert into teams (id, name) values (gen_random_uuid(), 'a') returning id
           ), account as (
               insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
                   credentials_key_id, credentials_fingerprint, mode, team_id)
               select gen_random_uuid(), 'a', 'META', 'act_1', '', '', '', 'sandbox', id from team
               returning id, team_id
           ), made as (
               insert into campaign_jobs (id, ad_account_id, team_id, platform_type, mode)
               select gen_random_uuid(), id, team_id, 'META', 'sandbox'
               from account, generate_series(1, $1))
           select id, team_id from account""",
        open_jobs,
    )
    assert made is not None
    return made["id"], made["team_id"]


@pytest.mark.parametrize(("taken", "counted"), [(800, {0}), (801, {0, 2})])
async def test_a_count_grows_old_sooner_where_less_than_half_is_free(pool, taken, counted):
    clock, counted_at = Clock(), set()
    jobs = OpenJobs(Caps(per_account=1600), seconds=clock)
    account, _ = await busy(pool, taken)

    for _ in range(3):
        async with jobs.one_more(pool, account, TEAM):
            counted_at.add(jobs._counts[account].known_of)
        clock.now += 0.6

    assert counted_at == counted


async def test_a_full_account_is_counted_again_after_a_second(pool):
    clock = Clock()
    jobs = OpenJobs(Caps(per_account=2), seconds=clock)
    account, _ = await busy(pool, 2)
    with pytest.raises(TooManyRequests):
        await jobs.hold(pool, account, TEAM)

    await pool.execute("update campaign_jobs set status = 'CANCELLED', finished_at = now()")
    clock.now += 1.1

    assert await jobs.hold(pool, account, TEAM)


async def test_no_count_reads_more_rows_than_the_cap_has(pool):
    account, team = await busy(pool, 9)

    for jobs, of in (
        (OpenJobs(Caps(per_account=5)), account),
        (OpenJobs(Caps(per_team=5)), team),
    ):
        with pytest.raises(TooManyRequests):
            await jobs.hold(pool, account, team)
        assert jobs._counts[of].known == 5


@pytest.mark.parametrize("caps", [Caps(per_account=1), Caps(per_team=1)], ids=["account", "team"])
async def test_a_place_of_which_no_job_was_made_is_for_whoever_waits(pool, caps):
    """An earlier request is answered once more, or one is refused: neither fills the cap."""
    jobs = OpenJobs(caps)
    held = await jobs.hold(pool, ACCOUNT, TEAM)
    next_one, one_too_many = [asyncio.create_task(jobs.hold(pool, ACCOUNT, TEAM)) for _ in range(2)]
    (count,) = jobs._counts.values()
    await until(lambda: count.news)

    jobs.release(held)

    assert await asyncio.wait_for(next_one, 30) == [count]
    with pytest.raises(TooManyRequests):
        await asyncio.wait_for(one_too_many, 30)


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


@pytest.mark.parametrize(("cap", "trusted_for"), [(48, 3), (31, 1)])
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

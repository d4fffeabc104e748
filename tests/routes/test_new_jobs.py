"""A job is made once, and only for an account that is still as it was when the request was judged."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from uuid_utils.compat import uuid7

from models.gen import campaign_jobs
from routes.job_writes import JobWrites, NewJob, write_jobs
from tests.routes.conftest import add_account
from tests.workers.running import until

WAITING = "select count(*) from pg_locks where not granted"
WRITING = """select count(*) from pg_stat_activity
             where datname = current_database() and application_name = 'mojito requests'"""


@pytest.fixture
async def connection(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def new(api, caller):
    """A request that was judged just now."""
    await add_account(caller)
    row = await api.pool.fetchrow("select id, team_id, updated_at from ad_accounts")
    return NewJob(
        id=uuid7(),
        ad_account_id=row["id"],
        account_updated_at=row["updated_at"],
        team_id=row["team_id"],
        platform_type="META",
        mode="sandbox",
        payload='{"a": 1}',
        steps_total=7,
        lane=3,
        idempotency_key="once",
        request_fingerprint=b"f",
        requested_by=uuid4(),
        request_id="r1",
        traceparent="t1",
    )


async def has_none(connection):
    return await connection.fetchval(WRITING) == 0


async def together(connection, *jobs):
    return [job is not None for job in await write_jobs(connection, list(jobs))]


async def alone(connection, job):
    fields = msgspec.structs.asdict(job)
    made = await campaign_jobs.create_campaign_job(connection, kind="BUILD_CAMPAIGN", **fields)
    return [made is not None]


def another(job, **changes):
    return msgspec.structs.replace(job, id=uuid7(), **changes)


by_either = pytest.mark.parametrize("write", [alone, together])


@by_either
async def test_everything_that_was_asked_for_is_written(connection, new, write):
    assert await write(connection, new) == [True]

    row = await connection.fetchrow(
        """select j.*, r.payload, r.team_id as of_team, r.idempotency_key, r.request_fingerprint,
               r.requested_by, r.request_id, r.traceparent
           from campaign_jobs as j join campaign_requests as r on r.campaign_job_id = j.id"""
    )
    told = msgspec.structs.asdict(new)
    del told["account_updated_at"]
    assert {name: row[name] for name in told} == told
    assert (row["kind"], row["of_team"]) == ("BUILD_CAMPAIGN", new.team_id)


async def test_what_is_told_of_a_job_written_with_others_is_its_row(connection, new):
    (told,) = await write_jobs(connection, [new])

    row = await campaign_jobs.get_campaign_job(connection, id=new.id, team_id=new.team_id)
    assert told == row


async def test_whoever_measures_is_told_of_jobs_that_are_written(database, new):
    flushed, took = [], asyncio.Queue()

    async with JobWrites(
        database,
        flushed=lambda *written: flushed.append(written),
        took=lambda *measured: took.put_nowait(measured),
    ) as writes:
        job = await writes.write(new)
        name, seconds = await asyncio.wait_for(took.get(), 30)

    assert flushed == [([new], [job])]
    assert name == "requests"
    assert seconds > 0


async def test_whoever_closes_them_keeps_no_connection(connection, database, new):
    async with JobWrites(database) as writes:
        await writes.write(new)
        while_they_write = await connection.fetchval(WRITING)

    assert while_they_write == 1
    await until(lambda: has_none(connection))


@by_either
async def test_an_account_that_was_changed_since_has_no_job_made(connection, new, write):
    since = msgspec.structs.replace(
        new, account_updated_at=new.account_updated_at - timedelta(microseconds=1)
    )

    assert await write(connection, since) == [False]

    assert await connection.fetchval("select count(*) from campaign_requests") == 0


@by_either
async def test_a_key_stands_for_one_job_of_its_team(connection, new, write):
    await write(connection, new)

    assert await write(connection, another(new)) == [False]
    assert await write(connection, another(new, idempotency_key="twice")) == [True]
    assert await write(connection, another(new, idempotency_key=None)) == [True]
    assert await write(connection, another(new, idempotency_key=None)) == [True]


async def test_each_of_those_written_together_hears_of_its_own_job(api, connection, new):
    await together(connection, new)
    changed = another(
        new, idempotency_key="b", account_updated_at=new.account_updated_at - timedelta(seconds=1)
    )

    answers = await together(
        connection,
        another(new),
        changed,
        another(new, idempotency_key="c", lane=1, payload='{"b": 2}'),
    )

    last = await connection.fetchrow(
        """select j.lane, r.payload from campaign_jobs as j
           join campaign_requests as r on r.campaign_job_id = j.id where r.idempotency_key = 'c'"""
    )
    assert answers == [False, False, True]
    assert tuple(last) == (1, '{"b": 2}')
    assert await connection.fetchval("select count(*) from campaign_jobs") == 2


async def test_a_job_waits_for_whoever_removes_its_account_and_is_not_made_then(
    api, connection, new
):
    async with api.pool.acquire() as own:
        async with own.transaction():
            await own.execute("select 1 from ad_accounts for update")
            making = asyncio.create_task(alone(connection, new))
            await until(lambda: own.fetchval(WAITING))
            await own.execute("update ad_accounts set deleted_at = now(), updated_at = now()")
        assert await making == [False]


async def test_jobs_written_together_wait_for_nobody_who_removes_an_account(api, connection, new):
    async with api.pool.acquire() as own, own.transaction():
        await own.execute("select 1 from ad_accounts for update")

        assert await together(connection, new) == [False]


@by_either
async def test_who_removes_an_account_waits_for_a_job_that_is_being_made(
    api, connection, new, write
):
    async with connection.transaction():
        await write(connection, new)

        with pytest.raises(asyncpg.LockNotAvailableError):
            await api.pool.execute("select 1 from ad_accounts for update nowait")


@by_either
async def test_jobs_of_one_account_are_made_at_one_time(api, connection, new, write):
    """By several processes: none of them waits for another, or is refused for its sake."""
    async with connection.transaction():
        await write(connection, new)

        async with api.pool.acquire() as own:
            await own.execute("set lock_timeout = '1s'")
            assert await write(own, another(new, idempotency_key=None)) == [True]

"""What is settled: never past a number that may still appear, always past those that cannot any more."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import asyncpg
import pytest

from models.horizon import Horizon

type Connection = asyncpg.Connection[asyncpg.Record]
type Open = Callable[[], AbstractAsyncContextManager[Connection]]

INSERT = "insert into job_events (campaign_job_id, kind) values ($1, 'job.started') returning id"


@pytest.fixture
def opened(database: str) -> Open:
    """Connections, each in a transaction that somebody has to end."""

    @contextlib.asynccontextmanager
    async def open_one() -> AsyncGenerator[Connection]:
        connection = await asyncpg.connect(database)
        await connection.execute("begin")
        try:
            yield connection
        finally:
            await connection.close()

    return open_one


async def write(connection: Connection) -> int:
    return await connection.fetchval(INSERT, uuid4())


async def test_without_events_nothing_is_awaited(connection):
    horizon = Horizon()

    assert await horizon.look(connection) == 0
    assert horizon.is_reached


async def test_two_open_transactions_hold_it_back_until_both_are_committed(connection, opened):
    horizon = Horizon()
    before = await write(connection)
    settled = [await horizon.look(connection)]
    async with opened() as one, opened() as other:
        first, second, third = await write(one), await write(other), await write(one)
        settled.append(await horizon.look(connection))
        await other.execute("commit")
        settled.append(await horizon.look(connection))
        is_reached = horizon.is_reached
        await one.execute("commit")
        settled.append(await horizon.look(connection))

    assert before < first < second < third
    assert settled == [before, before, before, third]
    assert not is_reached
    assert horizon.is_reached


async def test_a_number_taken_before_the_transaction_has_an_id_is_awaited_too(connection, opened):
    horizon = Horizon()
    before = await write(connection)
    async with opened() as early:
        await early.execute("lock table job_events in row exclusive mode")
        taken = await early.fetchval("select nextval('job_events_id_seq')")
        has_id = await early.fetchval("select pg_current_xact_id_if_assigned() is not null")
        later = await write(connection)
        held = await horizon.look(connection)
        await early.execute(
            "insert into job_events (id, campaign_job_id, kind) overriding system value "
            "values ($1, $2, 'job.started')",
            taken,
            uuid4(),
        )
        await early.execute("commit")
        settled = await horizon.look(connection)

    assert before < taken < later
    assert not has_id
    assert held == 0
    assert settled == later


async def test_a_transaction_that_came_later_is_not_waited_for(connection, opened):
    horizon = Horizon()
    async with opened() as early, opened() as late:
        first = await write(early)
        await horizon.look(connection)
        second = await write(late)
        await early.execute("commit")
        settled = await horizon.look(connection)

    assert settled == first < second


async def test_a_number_that_was_taken_back_is_not_waited_for(connection, opened):
    horizon = Horizon()
    async with opened() as lost:
        await write(lost)
        last = await write(connection)
        held = await horizon.look(connection)
        await lost.execute("rollback")
        settled = await horizon.look(connection)

    assert (held, settled) == (0, last)


async def test_a_long_transaction_that_writes_no_events_delays_nothing(connection, opened):
    horizon = Horizon()
    async with opened() as busy:
        await busy.execute("insert into teams (id, name) values ($1, 'long')", uuid4())
        last = await write(connection)
        settled = await horizon.look(connection)

    assert settled == last


async def test_numbers_are_given_one_by_one(connection):
    """A session that kept some for later would give out low ones late."""
    row = await connection.fetchrow(
        "select seqcache, seqincrement, seqcycle from pg_sequence "
        "where seqrelid = 'job_events_id_seq'::regclass"
    )

    assert tuple(row) == (1, 1, False)


async def test_a_number_that_was_awaited_when_the_database_was_set_back_is_forgotten(
    connection, opened
):
    horizon = Horizon()
    async with opened() as early:
        await write(early)
        await write(connection)
        await horizon.look(connection)
    async with opened() as late:
        await connection.execute("truncate job_events restart identity")
        taken = await write(late)
        held = await horizon.look(connection)
        await late.execute("commit")
        settled = await horizon.look(connection)

    assert (taken, held, settled) == (1, 0, 1)

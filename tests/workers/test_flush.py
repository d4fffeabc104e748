"""Shared statements: what gathers goes in one, a bad row fails alone, a lost connection is mended."""

import asyncio
import contextlib

import asyncpg
import pytest
import structlog

from models.database import CONNECTION_FAILURES, HOT_SETTINGS
from models.flush import Flusher
from tests.house.conftest import until

FORBIDDEN = {
    "by a server that only reads": (
        "alter database {} set default_transaction_read_only = on",
        "alter database {} reset default_transaction_read_only",
    ),
    "by a server that lets nobody in": (
        "alter database {} allow_connections false",
        "alter database {} allow_connections true",
    ),
}


REFUSED_FOR_NOW = {
    "cancelled": "57014",
    "no room on the disk": "53100",
    "a deadlock": "40P01",
    "a lock that others hold": "55P03",
    "a server that only reads": "25006",
}
END_OURSELVES = "select pg_terminate_backend(pg_backend_pid())"


class Table:
    """Writes numbers into a real table and remembers the sizes of its batches."""

    def __init__(self, url, **options):
        self.batches = []
        self.flushed = []
        self.first = ""
        self.flusher = Flusher(
            url,
            self.write,
            name="test",
            flushed=lambda items, answers: self.flushed.append((items, answers)),
            **options,
        )

    async def write(self, connection, items):
        self.batches.append(len(items))
        if self.first:
            first, self.first = self.first, ""
            await connection.execute(first)
        await connection.execute(
            "insert into numbers select unnest($1::integer[]) on conflict do nothing", items
        )
        return [item * 2 for item in items]


@contextlib.asynccontextmanager
async def writing(shop, **options):
    await shop.pool.execute(
        "create table numbers (number integer primary key check (number <> 13))"
    )
    table = Table(shop.url, **options)
    task = asyncio.create_task(table.flusher.run())
    yield table
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def has_none(shop):
    return await connections(shop) == 0


@pytest.fixture
async def table(shop):
    async with writing(shop) as table:
        yield table


async def numbers(shop):
    return await shop.value("select array_agg(number order by number) from numbers")


async def connections(shop):
    return await shop.value(
        "select count(*) from pg_stat_activity "
        "where application_name = 'mojito test' and datname = current_database()"
    )


async def test_each_caller_gets_the_answer_to_its_own_item(table):
    answers = await asyncio.gather(*(table.flusher.submit(i) for i in range(12)))

    assert answers == [i * 2 for i in range(12)]


async def test_what_gathers_while_a_flush_runs_goes_in_one_statement(table):
    await asyncio.gather(*(table.flusher.submit(i) for i in range(100, 600)))

    assert len(table.batches) <= 3


async def test_no_statement_is_larger_than_it_may_be(table):
    await asyncio.gather(*(table.flusher.submit(i) for i in range(100, 1300)))

    assert table.batches == [500, 500, 200]


async def test_what_was_written_is_told_with_the_answers(table):
    await asyncio.gather(*(table.flusher.submit(i) for i in (1, 2)))

    assert table.flushed == [([1, 2], [2, 4])]


async def test_how_long_a_write_took_is_told_with_its_name(shop):
    took = []

    async with writing(shop, took=lambda *told: took.append(told)) as table:
        await table.flusher.submit(1)

    ((name, seconds),) = took
    assert name == "test"
    assert 0 < seconds < 60


@pytest.mark.parametrize("neighbours", [[12], [12, 14]], ids=str)
async def test_only_the_bad_row_suffers(table, shop, neighbours):
    refused, *answers = await asyncio.gather(
        *(table.flusher.submit(i) for i in (13, *neighbours)), return_exceptions=True
    )

    assert isinstance(refused, asyncpg.CheckViolationError)
    assert answers == [i * 2 for i in neighbours]
    assert await numbers(shop) == neighbours


async def test_whoever_waits_for_one_that_has_died_hears_that_nothing_comes(shop):
    def cannot_tell(*_):
        raise ZeroDivisionError

    async with asyncio.timeout(30), writing(shop, largest=2, took=cannot_tell) as table:
        told = await asyncio.gather(
            *(table.flusher.submit(i) for i in (1, 2, 3)), return_exceptions=True
        )
        with pytest.raises(ConnectionError, match="test have died"):
            await table.flusher.submit(4)

    assert told[:2] == [2, 4]
    assert isinstance(told[2], ConnectionError)
    assert await numbers(shop) == [1, 2]


async def test_whoever_got_no_answer_of_its_own_hears_that_nothing_comes(shop):
    async def answers_one_too_few(_, items):
        return items[1:]

    flusher = Flusher(shop.url, answers_one_too_few, name="short")
    writing = asyncio.create_task(flusher.run())
    waiting = asyncio.gather(flusher.submit(1), flusher.submit(2), return_exceptions=True)

    answered, unanswered = await asyncio.wait_for(waiting, 30)

    assert answered == 2
    assert isinstance(unanswered, ConnectionError)
    with pytest.raises(ValueError, match="shorter"):
        await writing


async def test_what_nobody_waits_for_any_more_is_not_written(table, shop):
    table.flusher.submit(1).cancel()

    await table.flusher.submit(2)

    assert await numbers(shop) == [2]


@pytest.mark.parametrize("code", REFUSED_FOR_NOW.values(), ids=REFUSED_FOR_NOW)
async def test_what_a_passing_trouble_refused_is_written_all_the_same(table, shop, code):
    table.first = f"do $$ begin raise sqlstate '{code}'; end $$"

    answers = await asyncio.gather(*(table.flusher.submit(i) for i in (1, 2)))

    assert answers == [2, 4]
    assert table.batches == [2, 2], "all of it again, and not row by row"
    assert await numbers(shop) == [1, 2]


async def test_who_may_not_repeat_is_told_of_a_lost_connection_and_writes_over_the_next(shop):
    async with writing(shop, again=()) as table:
        table.first = END_OURSELVES
        lost = await asyncio.gather(
            *(table.flusher.submit(i) for i in (1, 2, 3)), return_exceptions=True
        )
        told = list(table.batches), await numbers(shop)

        answer = await table.flusher.submit(4)

    assert [isinstance(error, CONNECTION_FAILURES) for error in lost] == [True] * 3
    assert told == ([3], None), "nobody knows whether it is written, so nobody writes it again"
    assert answer == 8


async def test_who_may_not_repeat_leaves_a_server_that_only_reads_for_the_next(shop):
    """As after a failover that has left the connection open."""
    async with writing(shop, again=()) as table:
        table.first = "set default_transaction_read_only = on"
        refused = await asyncio.gather(
            *(table.flusher.submit(i) for i in (1, 2)), return_exceptions=True
        )

        answer = await table.flusher.submit(3)

    assert {type(error) for error in refused} == {asyncpg.ReadOnlySQLTransactionError}
    assert table.batches == [2, 1], "not row by row: no row is at fault"
    assert answer == 6


async def test_its_statements_are_planned_as_the_hot_ones_are(shop):
    async with writing(shop) as table:
        await table.flusher.submit(1)

        planned = await table.flusher._connection.fetchval("show enable_seqscan")

    assert planned == HOT_SETTINGS["enable_seqscan"]


@pytest.mark.parametrize(
    ("told", "kept"),
    [("off", "on"), ("on", "on"), ("local", "local"), ("remote_apply", "remote_apply")],
)
async def test_what_is_written_is_durable_also_where_the_server_is_told_that_it_need_not_be(
    shop, told, kept
):
    """Else a crash forgets what was begun, and it is begun again: twice on the platform."""
    name = await shop.value("select current_database()")
    await shop.pool.execute(f"alter database {name} set synchronous_commit = {told}")

    async with writing(shop) as table:
        await table.flusher.submit(1)
        waits = await table.flusher._connection.fetchval("show synchronous_commit")

    assert waits == kept


async def test_who_ends_keeps_no_connection(shop):
    async with writing(shop) as table:
        await table.flusher.submit(1)
        while_it_writes = await connections(shop)

    assert while_it_writes == 1
    await until(lambda: has_none(shop))


async def test_a_lost_connection_is_made_again_and_nothing_is_lost(table, shop):
    await table.flusher.submit(1)
    await shop.pool.fetch(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity where application_name = 'mojito test'"
    )

    answer = await table.flusher.submit(2)

    assert answer == 4
    assert await shop.value("select count(*) from numbers") == 2


async def repeated(written, told):
    """Returns when it was refused twice, or is over."""
    async with asyncio.timeout(20):
        while True:
            if written.done() or len(told) >= 2:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", FORBIDDEN)
async def test_a_write_refused_for_now_is_repeated_until_it_is_taken(table, shop, admin, how):
    name = await shop.value("select current_database()")
    forbid, allow = (sql.format(name) for sql in FORBIDDEN[how])
    await table.flusher.submit(1)
    await admin.execute(forbid)
    await admin.execute(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity where application_name = 'mojito test'"
    )

    with structlog.testing.capture_logs() as told:
        written = table.flusher.submit(2)
        await repeated(written, told)
        await admin.execute(allow)
    answer = await written

    assert answer == 4
    assert {line["event"] for line in told} == {"flush.repeated"}
    assert told[0]["flusher"] == "test"
    assert told[0]["error"] in ("ConnectionError", "TargetServerAttributeNotMatched")
    assert await shop.value("select count(*) from numbers") == 2

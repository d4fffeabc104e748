"""Shared statements: what gathers goes in one, a bad row fails alone, a lost connection is mended."""

import asyncio

import asyncpg
import pytest
import structlog

from models.flush import Flusher

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


class Table:
    """Writes numbers into a real table and remembers the sizes of its batches."""

    def __init__(self, url):
        self.batches = []
        self.flusher = Flusher(url, self.write, name="test")

    async def write(self, connection, items):
        self.batches.append(len(items))
        await connection.execute(
            "insert into numbers select unnest($1::integer[]) on conflict do nothing", items
        )
        return [item * 2 for item in items]


@pytest.fixture
async def table(shop):
    await shop.pool.execute(
        "create table numbers (number integer primary key check (number <> 13))"
    )
    table = Table(shop.url)
    task = asyncio.create_task(table.flusher.run())
    yield table
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_each_caller_gets_the_answer_to_its_own_item(table):
    answers = await asyncio.gather(*(table.flusher.submit(i) for i in range(12)))

    assert answers == [i * 2 for i in range(12)]


async def test_what_gathers_while_a_flush_runs_goes_in_one_statement(table):
    await asyncio.gather(*(table.flusher.submit(i) for i in range(100, 600)))

    assert len(table.batches) <= 3


async def test_only_the_bad_row_suffers(table, shop):
    answers = await asyncio.gather(
        *(table.flusher.submit(i) for i in (12, 13, 14)), return_exceptions=True
    )

    assert answers[0] == 24
    assert isinstance(answers[1], asyncpg.CheckViolationError)
    assert answers[2] == 28
    assert await shop.value("select array_agg(number order by number) from numbers") == [12, 14]


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
    assert await shop.value("select count(*) from numbers") == 2

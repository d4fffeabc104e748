"""The way to the database: whatever is wrong with it has one name, and nothing waits without end."""

import asyncpg
import pytest

from models.database import connect, connect_for_long, open_pool

NOWHERE = "postgresql://mojito@/nothing?host=/nowhere"


async def test_a_connection_that_cannot_be_made_is_a_connection_error():
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await connect(NOWHERE, name="test")


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://mojito@nowhere.invalid/x"])
async def test_a_pool_that_cannot_be_opened_says_the_same(url):
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await open_pool(url, size=1, name="test")


async def test_a_pool_closes_though_a_connection_is_never_given_back(database):
    pool = await open_pool(database, size=1, name="test")
    await pool.acquire()

    await pool.close()

    assert pool.get_size() == 0


@pytest.mark.parametrize("told", ["repeatable read", "serializable"])
async def test_statements_see_what_was_committed_so_far_whatever_the_database_says(
    database, admin, told
):
    name = database.split("?")[0].rsplit("/", 1)[1]
    await admin.execute(f"alter database {name} set default_transaction_isolation = '{told}'")
    pool = await open_pool(database, size=1, name="test")
    connections = [await way(database, name="test") for way in (connect, connect_for_long)]

    seen = {await asked.fetchval("show transaction_isolation") for asked in (pool, *connections)}
    for connection in connections:
        await connection.close()
    await pool.close()

    assert seen == {"read committed"}


@pytest.fixture
async def server_that_reads(database, admin):
    """What makes the server one that only reads for whoever connects from then on, and what mends it."""
    name = database.split("?")[0].rsplit("/", 1)[1]

    async def only_reads():
        await admin.execute(f"alter database {name} set default_transaction_read_only = on")
        await admin.execute(
            "select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = $1", name
        )

    async def writes():
        await admin.execute(f"alter database {name} reset default_transaction_read_only")

    return only_reads, writes


async def test_who_writes_has_no_connection_to_a_server_that_only_reads(
    database, server_that_reads
):
    only_reads, _ = server_that_reads
    await only_reads()

    with pytest.raises(asyncpg.InternalClientError):
        await connect(database, name="test")
    with pytest.raises(asyncpg.InternalClientError):
        await connect_for_long(database, name="test")
    with pytest.raises(asyncpg.InternalClientError):
        await open_pool(database, size=1, name="test")
    pool = await open_pool(database, size=1, name="test", writes=False)
    found = await pool.fetchval("select count(*) from teams")
    await pool.close()
    reading = await connect_for_long(database, name="test", writes=False)
    await reading.close()

    assert found == 0


async def test_a_pool_goes_on_with_no_server_that_only_reads(database, server_that_reads):
    """As after a failover, when a name still leads to the old server for a moment."""
    only_reads, writes = server_that_reads
    pool = await open_pool(database, size=1, name="test")
    await only_reads()
    for _ in range(3):
        with pytest.raises((asyncpg.InternalClientError, asyncpg.PostgresError)):
            await pool.execute("create table written ()")

    await writes()
    await pool.execute("create table written ()")

    assert await pool.fetchval("select count(*) from written") == 0
    await pool.close()

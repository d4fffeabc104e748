"""What each connection is opened with, and what the failures of one mean."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from common.errors import ConfigurationError
from models import database as databases
from models.database import (
    AWAY,
    CONNECTION_FAILURES,
    DATABASE_FAILURES,
    HOT_SETTINGS,
    connect,
    connect_for_long,
    open_pool,
)
from tests.chaos.slow_proxy import opened_proxy

LOST, PASSES, OURS = "the connection is gone", "it may pass", "it is of the database"
FAILURES = {
    ConnectionRefusedError: {LOST, PASSES, OURS},
    TimeoutError: {LOST, PASSES, OURS},
    OSError: {LOST, OURS},
    asyncpg.InterfaceError: {LOST, PASSES, OURS},
    asyncpg.InternalClientError: {LOST, PASSES, OURS},
    asyncpg.ConnectionDoesNotExistError: {LOST, PASSES, OURS},
    asyncpg.CannotConnectNowError: {PASSES, OURS},
    asyncpg.AdminShutdownError: {PASSES, OURS},
    asyncpg.TooManyConnectionsError: {PASSES, OURS},
    asyncpg.DiskFullError: {PASSES, OURS},
    asyncpg.UniqueViolationError: {OURS},
    ValueError: set(),
}


@pytest.mark.parametrize(("failure", "means"), FAILURES.items())
def test_what_a_failure_means(failure, means):
    told = {LOST: CONNECTION_FAILURES, PASSES: AWAY, OURS: DATABASE_FAILURES}

    assert {meaning for meaning, kinds in told.items() if issubclass(failure, kinds)} == means


async def settings(asked, names):
    return {name: await asked.fetchval(f"show {name}") for name in names}


async def test_hot_statements_have_one_plan(database):
    connection = await connect(database, name="test", settings=HOT_SETTINGS)

    found = await settings(
        connection,
        ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"],
    )
    await connection.close()

    assert set(found.values()) == {"off"}


async def test_a_statement_of_a_pool_waits_for_nothing_without_end(database):
    pool = await open_pool(database, size=1, name="of a pool")
    wanted = {
        "application_name": "of a pool",
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "jit": "off",
    }

    found = await settings(pool, wanted)
    await pool.close()

    assert found == wanted


@pytest.mark.parametrize(("way", "longest"), [(connect, "15s"), (connect_for_long, "0")])
async def test_a_connection_of_its_own_waits_for_no_lock_without_end(database, admin, way, longest):
    name = urlsplit(database).path.removeprefix("/")
    await admin.execute(f"alter database {name} set statement_timeout = '7s'")
    connection = await way(database, name="of its own")
    wanted = {
        "application_name": "of its own",
        "statement_timeout": longest,
        "lock_timeout": "5s",
        "default_transaction_isolation": "read committed",
    }

    found = await settings(connection, wanted)
    await connection.close()

    assert found == wanted


@pytest.fixture
async def over_tcp(database):
    """The same database, reached as over a network."""
    there = urlsplit(database)
    (folder,) = parse_qs(there.query)["host"]
    async with opened_proxy(Path(folder) / ".s.PGSQL.5432") as proxy:
        yield f"postgresql://mojito@127.0.0.1:{proxy.port}{there.path}?sslmode=disable"


async def test_a_host_that_vanishes_is_given_up_within_seconds(over_tcp):
    connection = await connect(over_tcp, name="test")
    connected = connection._transport.get_extra_info("socket")

    found = [
        connected.getsockopt(level, option)
        for level, option in (
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
        )
    ]
    await connection.close()

    assert found == [1, 3, 2, 6000]


async def test_the_server_gives_up_a_client_that_vanishes(database):
    """A socket of the same machine has no such settings; what was asked for is kept beside them."""
    ways = [way(database, name="test") for way in (connect, connect_for_long)]
    opened = [await way for way in (open_pool(database, size=1, name="test"), *ways)]
    asked = "select name, reset_val from pg_settings where name like 'tcp%' order by name"

    found = [[tuple(row) for row in await each.fetch(asked)] for each in opened]
    for each in opened:
        await each.close()

    wanted = [
        ("tcp_keepalives_count", "3"),
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_user_timeout", "25000"),
    ]
    assert found == [wanted] * 3


async def test_nobody_waits_long_for_a_connection_that_others_hold(database, monkeypatch):
    monkeypatch.setattr(databases, "_LONGEST_ACQUIRE_SECONDS", 0.1)
    pool = await open_pool(database, size=1, name="test")

    async with asyncio.timeout(30), pool.acquire():
        with pytest.raises(TimeoutError):
            await pool.acquire()
    await pool.close()


async def test_a_server_that_says_nothing_is_one_that_is_not_reached(monkeypatch):
    monkeypatch.setattr(databases, "_CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://mojito@127.0.0.1:{port}/x?sslmode=disable"

        async with asyncio.timeout(30):
            with pytest.raises(ConnectionError, match="cannot reach the database: no answer"):
                await connect(url, name="test")


async def test_what_is_required_of_a_connection_is_asked_of_each_of_a_pool(database):
    async def refuse(_):
        raise ConfigurationError("another database")

    with pytest.raises(ConfigurationError, match="another database"):
        await open_pool(database, size=1, name="test", require=refuse)

"""A database says which one it is from 0018 on; copies and other servers are told apart."""

import asyncio
import os
import subprocess
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from common.errors import ConfigurationError
from models.identity import AnotherDatabase, Home, Identity, actual_identity, fault, told_identity
from models.migrate import migrate
from tests.conftest import named_programs

HERE = Identity(7000, 16384)


@pytest.fixture
async def sql(database):
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.mark.parametrize("other", [Identity(7001, 16384), Identity(7000, 16385)])
def test_a_database_that_says_it_is_another_one_is_a_copy(other):
    found = fault(other, HERE)

    assert fault(HERE, HERE) is None
    assert "is a copy: it says that it is" in found.what
    assert str(other) in found.what
    assert "`mojito restored --nothing-lost`" in found.remedy


def test_a_server_that_does_not_tell_is_not_taken_for_the_one_that_did():
    untold = Identity(None, 16384)

    assert "pg_control_system()" in fault(HERE, untold).remedy
    assert "is a copy" in fault(HERE, Identity(None, 5)).what
    assert fault(untold, untold) is None
    # the function was opened since
    assert fault(untold, HERE) is None
    assert "is a copy" in fault(untold, Identity(None, 5)).what


async def test_an_upgrade_needs_nothing_but_migrating(sql, database):
    await migrate(database, to="0017")
    before = await sql.fetchval("select count(*) from audit_log")

    done = await migrate(database, to="0018")

    assert done == ["up 0018_which_database_this_is.sql"]
    assert await told_identity(sql) == await actual_identity(sql)
    rows = await sql.fetch("select action, detail from audit_log order by id offset $1", before)
    assert [row["action"] for row in rows] == ["database.migrated", "database.identified"]


async def test_migrating_writes_the_row_where_it_is_missing_and_never_over_another(sql, database):
    await sql.execute("delete from database_identity")
    await migrate(database)
    written = await told_identity(sql)
    await sql.execute("update database_identity set system_identifier = 1, database_oid = 2")
    await migrate(database)

    assert written == await actual_identity(sql)
    assert await told_identity(sql) == Identity(1, 2)


async def test_a_copy_does_not_go_back_to_tables_that_cannot_say_so(sql, database):
    await sql.execute("update database_identity set system_identifier = 1, database_oid = 2")

    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match=r"this database is a copy.*`mojito restored`"):
            await migrate(database, to="0017", dry_run=dry_run)
    told = await told_identity(sql)
    gone = await migrate(database, to="0000")

    assert told == Identity(1, 2)
    assert gone[-1] == "down 0001_accounts.sql"


async def test_a_new_database_says_which_one_it_is_and_no_log_tells_of_it(server, admin):
    await admin.execute("create database a_new_one")
    await migrate(server.url("a_new_one"))
    sql = await asyncpg.connect(server.url("a_new_one"))
    told, actual = await told_identity(sql), await actual_identity(sql)
    entries = await sql.fetchval("select count(*) from audit_log")
    await sql.close()
    await admin.execute("drop database a_new_one")

    assert told == actual
    assert actual.system_identifier == await admin.fetchval(
        "select system_identifier from pg_control_system()"
    )
    assert entries == 0


async def test_there_is_one_row_at_most(sql):
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.execute(
            "insert into database_identity (only_row, database_oid) values (false, 1)"
        )
    with pytest.raises(asyncpg.UniqueViolationError):
        await sql.execute("insert into database_identity (database_oid) values (1)")


async def test_whoever_was_led_elsewhere_is_told_once_and_stays_away(database, server, admin):
    told = []
    home = Home()
    home.when_left(lambda: told.append(home.elsewhere))

    first = await home.connect(database, name="test")
    for _ in range(2):
        with pytest.raises(AnotherDatabase, match="lead to another database"):
            await home.connect(server.url("postgres"), name="test")
    again = await home.connect(database, name="test")

    await first.close()
    await again.close()
    assert len(told) == 1
    assert isinstance(told[0], AnotherDatabase)
    assert home.elsewhere is told[0]


@pytest.fixture
def standby(server):
    """A physical copy of the server that follows it."""
    home = Path(mkdtemp(prefix="mojito-standby-"))
    home.chmod(0o755)
    data = home / "postgres" / f"pg{server.binaries.major}"
    folder = parse_qs(urlsplit(server.url()).query)["host"][0]
    command = [server.binaries.folder / "pg_basebackup", "-h", folder, "-U", "mojito", "-D", data]
    subprocess.run([*command, "-R", "-c", "fast"], check=True, cwd="/")
    if os.geteuid() == 0:
        owner = (Path(folder).parent / data.name).stat().st_uid
        for path in (home / "postgres", *data.parent.rglob("*")):
            os.chown(path, owner, -1, follow_symlinks=False)
    try:
        with EmbeddedPostgres(home / "postgres", durable=False, binaries=named_programs()) as other:
            yield other
    finally:
        rmtree(home, ignore_errors=True)


@pytest.fixture
async def there(database, standby):
    """The address of the database on the standby."""
    return standby.url(urlsplit(database).path[1:])


async def promote(url):
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select pg_promote()")
    await connection.close()


async def test_a_standby_that_took_over_is_the_same_database(database, sql, there):
    home = Home()
    before = await home.connect(database, name="test")
    back = await home.connect(database, name="test")
    await promote(there)

    after = await home.connect(there, name="test")

    assert await told_identity(after) == await actual_identity(after) == await told_identity(sql)
    for connection in (before, back, after):
        await connection.close()


async def test_nobody_goes_back_to_the_server_that_a_standby_took_over_from(database, there):
    home, other = Home(), Home()
    await promote(there)

    first = await home.connect(database, name="test")
    after = await home.connect(there, name="test")
    with pytest.raises(AnotherDatabase, match=r"timeline 1, and .* timeline 2\. Both take writes"):
        await home.connect(database, name="test")
    never_there = await other.connect(database, name="test")

    assert isinstance(home.elsewhere, AnotherDatabase)
    assert other.elsewhere is None
    for connection in (first, after, never_there):
        await connection.close()


async def test_an_answer_that_was_overtaken_leads_nobody_away(database, there):
    home = Home()
    before = await home.connect(database, name="test")
    asking = asyncio.create_task(home.require(Slow(before, waits=(gone_on := asyncio.Event()))))
    await promote(there)
    after = await home.connect(there, name="test")
    gone_on.set()
    await asking

    assert home.elsewhere is None
    for connection in (before, after):
        await connection.close()


class Slow:
    """A connection whose answers are read later."""

    def __init__(self, connection, waits):
        self._connection, self._waits = connection, waits

    async def fetchrow(self, *asked):
        return await self._connection.fetchrow(*asked)

    async def fetchval(self, *asked):
        answer = await self._connection.fetchval(*asked)
        await self._waits.wait()
        return answer

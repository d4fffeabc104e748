"""Migrations go up once and down again, and nobody changes an applied one."""

import asyncio
import re
import subprocess

import asyncpg
import pytest

from common.errors import ConfigurationError
from models.migrate import FOLDER, load, migrate, pending, require_migrated

UP_AND_DOWN = "-- migrate:up\ncreate table {0} ();\n-- migrate:down\ndrop table {0};\n"


@pytest.fixture
def folder(tmp_path):
    for number, table in enumerate(("first", "second"), 1):
        (tmp_path / f"{number + 9000}_{table}.sql").write_text(UP_AND_DOWN.format(table))
    return tmp_path


@pytest.fixture
async def empty(admin, database):
    connection = await asyncpg.connect(database)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()
    return database


async def test_every_migration_goes_up_and_down_again(empty):
    names = [migration.name for migration in load(FOLDER)]

    assert await migrate(empty) == [f"up {name}" for name in names]
    assert await migrate(empty) == []
    assert await migrate(empty, to="0000") == [f"down {name}" for name in reversed(names)]
    assert await migrate(empty, dry_run=True) == [f"up {name}" for name in names]
    assert await migrate(empty) == [f"up {name}" for name in names]


@pytest.mark.parametrize("to", ["0", "1", "11", "00", "9999", "-1", "banana", ""])
async def test_a_version_that_there_is_not_is_refused(empty, folder, to):
    await migrate(empty, folder=folder)

    with pytest.raises(ConfigurationError, match=r"newest is 9002"):
        await migrate(empty, folder=folder, to=to)
    assert await migrate(empty, folder=folder) == []


async def schema(server, url):
    """What pg_dump tells of the tables, in an order of its own; columns stand where they were added."""
    command = [server.binaries.folder / "pg_dump", "--schema-only", "--no-owner", url]
    done = await asyncio.to_thread(
        subprocess.run, command, check=True, capture_output=True, text=True, cwd="/"
    )
    lines = (line.strip().rstrip(",") for line in done.stdout.splitlines())
    kept = (line for line in lines if not line.startswith((r"\restrict", r"\unrestrict")))
    return sorted(" ".join(sorted(re.split(r"[ ,]+", line.strip("();")))) for line in kept)


async def test_going_down_leaves_what_was_there_before(empty, server):
    versions = [migration.version for migration in load(FOLDER)]
    before = {}
    for version in versions:
        await migrate(empty, to=version)
        before[version] = await schema(server, empty)

    for version in reversed(versions[:-1]):
        await migrate(empty, to=version)
        assert await schema(server, empty) == before[version], version


async def test_many_starters_apply_each_file_once(empty, folder):
    done = await asyncio.gather(*(migrate(empty, folder=folder) for _ in range(4)))

    assert sorted(map(len, done)) == [0, 0, 0, 2]


async def test_who_holds_the_lock_for_too_long_is_named(empty, folder):
    other = await asyncpg.connect(empty)
    await other.execute("select pg_advisory_lock(7092416)")

    with pytest.raises(ConfigurationError, match=f"process {other.get_server_pid()} of the server"):
        await migrate(empty, folder=folder, patience_seconds=0.2)
    await other.close()

    assert len(await migrate(empty, folder=folder)) == 2


async def test_an_applied_file_that_changed_is_refused_by_name(empty, folder):
    await migrate(empty, folder=folder)
    (folder / "9001_first.sql").write_text(UP_AND_DOWN.format("other"))

    with pytest.raises(ConfigurationError, match=r"9001_first\.sql was changed"):
        await migrate(empty, folder=folder)


async def test_a_database_from_a_newer_program_is_refused(empty, folder):
    await migrate(empty, folder=folder)
    (folder / "9002_second.sql").unlink()

    with pytest.raises(ConfigurationError, match="9002"):
        await migrate(empty, folder=folder)


async def test_what_is_still_missing_is_known(empty):
    connection = await asyncpg.connect(empty)

    before = await pending(connection)
    await migrate(empty)
    after = await pending(connection)

    await connection.close()
    assert before == [migration.name for migration in load(FOLDER)]
    assert after == []


async def test_a_table_in_use_is_waited_for_and_then_nothing_is_done(empty):
    await migrate(empty, to="0009")
    user = await asyncpg.connect(empty)

    async with user.transaction():
        await user.execute("lock table campaign_requests")
        with pytest.raises(ConfigurationError, match="run it again"):
            await migrate(empty)
    again = await migrate(empty, to="0010")

    await user.close()
    assert again == ["up 0010_traceparent.sql"]


async def test_a_program_starts_on_a_database_with_its_own_migrations_only(empty):
    newest = load(FOLDER)[-1]
    connection = await asyncpg.connect(empty)

    with pytest.raises(ConfigurationError, match=r"lacks 0001_accounts\.sql"):
        await require_migrated(connection)
    await migrate(empty)
    await require_migrated(connection)
    await migrate(empty, to=f"{int(newest.version) - 1:04}")
    with pytest.raises(ConfigurationError, match=f"lacks {newest.name}; run `mojito migrate`"):
        await require_migrated(connection)
    await migrate(empty)
    await connection.execute("insert into schema_migrations (version) values ('9999')")
    with pytest.raises(ConfigurationError, match=r"9999 that this program does not know"):
        await require_migrated(connection)

    await connection.close()


def test_a_file_in_another_format_is_refused(tmp_path):
    (tmp_path / "0001_x.sql").write_text("create table x ();")

    with pytest.raises(ConfigurationError, match=r"0001_x\.sql"):
        load(tmp_path)


async def test_requests_are_moved_beside_their_jobs_and_back(empty):
    await migrate(empty, to="0003")
    connection = await asyncpg.connect(empty)
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values (gen_random_uuid(), 'a', 'META', 'act_1', 'x', 'k', 'f', 'sandbox');
           insert into campaign_jobs (id, ad_account_id, platform_type, mode, payload,
               idempotency_key, request_fingerprint, request_id)
           select gen_random_uuid(), id, 'META', 'sandbox', '{"a": 1}', 'key', 'print', 'r-1'
           from ad_accounts"""
    )
    told = "payload, idempotency_key, request_fingerprint, request_id"
    before = await connection.fetchrow(f"select id, {told} from campaign_jobs")  # noqa: S608 - of this test

    await migrate(empty, to="0004")
    beside = await connection.fetchrow(f"select campaign_job_id, {told} from campaign_requests")  # noqa: S608 - likewise
    await migrate(empty, to="0003")
    after = await connection.fetchrow(f"select id, {told} from campaign_jobs")  # noqa: S608 - likewise

    await connection.close()
    assert tuple(beside) == tuple(before)
    assert tuple(after) == tuple(before)

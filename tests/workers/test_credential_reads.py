"""A worker that opens an account's credentials is in the audit log: once an hour, or when they change."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from common.uuid7 import uuid7
from models.database import CONNECTION_FAILURES, open_pool
from models.gen import audit_log
from tests.chaos.slow_proxy import opened_proxy
from tests.workers.running import until
from workers.credential_reads import CredentialReads

WORKER = uuid7()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def pool(database):
    opened = await open_pool(database, size=2, name="test")
    yield opened
    await opened.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reads(pool, clock):
    return CredentialReads(pool, WORKER, lambda sealed, *_: sealed[::-1], seconds=clock)


async def add_account(pool, number: int):
    return await pool.fetchval(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values ($1, 'a', 'META', $2, '', 'k', '', 'sandbox') returning id""",
        uuid7(),
        f"act_{number}",
    )


async def read(reads, account, sealed: bytes = b"sealed"):
    plain = reads.open(sealed, "ad_accounts", account, "credentials")
    await reads.write()
    return plain


async def written(pool):
    return await pool.fetch("select * from audit_log order by id")


async def test_a_read_is_written_down_and_the_secret_is_not(pool, reads):
    account = await add_account(pool, 1)

    plain = await read(reads, account)

    (entry,) = await written(pool)
    assert plain == b"delaes"
    assert entry["action"] == "ad_account.credentials_read"
    assert entry["actor"] == f"worker:{WORKER}"
    assert entry["object_id"] == account
    assert entry["detail"] == '{"credentials_version": 1}'
    assert "delaes" not in str(dict(entry))


async def test_one_entry_stands_for_an_hour(pool, reads, clock):
    account = await add_account(pool, 1)

    for seconds in (0, 1000, 2599, 3601):
        clock.now = 1000.0 + seconds
        await read(reads, account)

    assert len(await written(pool)) == 2


async def test_replaced_credentials_are_written_down_at_once(pool, reads):
    account = await add_account(pool, 1)

    for sealed in (b"one", b"one", b"two"):
        await read(reads, account, sealed)

    assert len(await written(pool)) == 2


async def test_accounts_have_entries_of_their_own_in_one_statement(pool, reads):
    accounts = [await add_account(pool, number) for number in range(3)]
    for account in accounts:
        reads.open(b"sealed", "ad_accounts", account, "credentials")

    await reads.write()

    assert {entry["object_id"] for entry in await written(pool)} == set(accounts)
    assert await pool.fetchval("select count(distinct xmin::text) from audit_log") == 1


async def test_what_could_not_be_written_is_written_later(pool, reads):
    account = await add_account(pool, 1)
    await pool.execute("alter table audit_log rename to away")

    with pytest.raises(asyncpg.UndefinedTableError):
        await read(reads, account)
    await pool.execute("alter table away rename to audit_log")
    await reads.write()

    assert len(await written(pool)) == 1


@pytest.fixture
async def proxy(server):
    async with opened_proxy(Path(server.url().partition("host=")[2]) / ".s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
async def far_pool(database, proxy):
    """Over a way that may lose an answer."""
    name = urlsplit(database).path
    opened = await open_pool(
        f"postgresql://mojito@127.0.0.1:{proxy.port}{name}", size=2, name="far"
    )
    yield opened
    opened.terminate()


async def test_a_worker_that_stops_in_the_middle_of_a_write_writes_no_entry_twice(
    pool, far_pool, proxy
):
    account, other = [await add_account(pool, number) for number in (1, 2)]
    is_written, is_told = asyncio.Event(), asyncio.Event()
    reads = CredentialReads(far_pool, WORKER, lambda *_: b"plain")

    async def after_the_commit():
        if await written(pool) and not is_told.is_set():
            is_written.set()
            await is_told.wait()
        return False

    proxy.is_lost = after_the_commit
    async with reads.running():
        reads.open(b"sealed", "ad_accounts", account, "credentials")
        await asyncio.wait_for(is_written.wait(), 20)
        reads.open(b"sealed", "ad_accounts", other, "credentials")
        asyncio.get_running_loop().call_soon(is_told.set)

    assert [entry["object_id"] for entry in await written(pool)] == [account, other]


async def read_without_an_answer(pool, proxy, reads, account):
    """The entry stands, and the connection is cut before that is told."""

    async def after_the_commit():
        return bool(await written(pool))

    proxy.is_lost = after_the_commit
    with pytest.raises(CONNECTION_FAILURES):
        await read(reads, account)
    proxy.is_lost = None


async def test_an_entry_whose_answer_was_lost_behind_its_commit_is_not_written_again(
    pool, far_pool, proxy
):
    account, other = [await add_account(pool, number) for number in (1, 2)]
    reads = CredentialReads(far_pool, WORKER, lambda *_: b"plain")

    await read_without_an_answer(pool, proxy, reads, account)
    await read(reads, other)

    assert [entry["object_id"] for entry in await written(pool)] == [account, other]


async def test_an_entry_that_an_earlier_try_may_still_commit_is_waited_for(pool, reads):
    account = await add_account(pool, 1)
    earlier = {"actor": f"worker:{WORKER}", "after_number": 0, "ids": [account]}

    async with pool.acquire() as connection:
        async with connection.transaction():
            await audit_log.lock_credential_reads(connection, actor=earlier["actor"])
            await audit_log.create_credential_reads(connection, **earlier)
            again = asyncio.create_task(read(reads, account))
            await until(lambda: is_waiting(connection))
        await again

    assert len(await written(pool)) == 1


async def is_waiting(connection):
    return await connection.fetchval(
        "select exists (select from pg_locks where not granted and database = "
        "(select oid from pg_database where datname = current_database()))"
    )


async def test_what_is_read_after_a_lost_answer_is_an_entry_of_its_own(
    pool, far_pool, proxy, clock
):
    account = await add_account(pool, 1)
    reads = CredentialReads(far_pool, WORKER, lambda *_: b"plain", seconds=clock)

    await read_without_an_answer(pool, proxy, reads, account)
    await read(reads, account, b"replaced")

    assert [entry["object_id"] for entry in await written(pool)] == [account, account]


async def test_a_worker_that_stops_writes_what_is_left(pool, reads):
    account = await add_account(pool, 1)

    async with reads.running():
        reads.open(b"sealed", "ad_accounts", account, "credentials")

    assert len(await written(pool)) == 1

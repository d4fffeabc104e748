"""A worker that opens an account's credentials is in the audit log: once an hour, or when they change."""

import asyncio

import asyncpg
import pytest

from common.uuid7 import uuid7
from models.database import open_pool
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


class SlowReply:
    """The way to the database: what is written there is told when `told` is set."""

    def __init__(self, pool):
        self._pool = pool
        self.written, self.told = asyncio.Event(), asyncio.Event()

    async def execute(self, *statement):
        reply = await self._pool.execute(*statement)
        self.written.set()
        await self.told.wait()
        return reply


async def test_a_worker_that_stops_in_the_middle_of_a_write_writes_no_entry_twice(pool):
    account, other = [await add_account(pool, number) for number in (1, 2)]
    slow = SlowReply(pool)
    reads = CredentialReads(slow, WORKER, lambda *_: b"plain")

    async with reads.running():
        reads.open(b"sealed", "ad_accounts", account, "credentials")
        await asyncio.wait_for(slow.written.wait(), 20)
        reads.open(b"sealed", "ad_accounts", other, "credentials")
        asyncio.get_running_loop().call_soon(slow.told.set)

    assert [entry["object_id"] for entry in await written(pool)] == [account, other]


async def test_a_worker_that_stops_writes_what_is_left(pool, reads):
    account = await add_account(pool, 1)

    async with reads.running():
        reads.open(b"sealed", "ad_accounts", account, "credentials")

    assert len(await written(pool)) == 1

"""Jobs, accounts and claims made by hand, for tests of what workers do with them."""

import json
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from models.database import Pool, open_pool
from models.gen import campaign_jobs, workers
from tests.workers.ledgers import Desk
from workers.claimed import ClaimedJob, claim_jobs
from workers.writes import Writes


class Shop:
    """A database with what a worker finds in it."""

    def __init__(self, url: str, pool: Pool) -> None:
        self.url = url
        self.pool = pool
        self.worker_id: UUID = uuid4()

    async def account(self, **columns: Any) -> UUID:
        account_id = uuid7()
        values: dict[str, Any] = {
            "id": account_id,
            "name": "test",
            "platform_type": "META",
            "platform_account_id": f"act_{account_id.int % 10**12}",
            "credentials": b"sealed",
            "credentials_key_id": "k",
            "credentials_fingerprint": "f",
            "mode": "sandbox",
            **columns,
        }
        names = ", ".join(values)
        places = ", ".join(f"${i}" for i in range(1, len(values) + 1))
        sql = f"insert into ad_accounts ({names}) values ({places})"  # noqa: S608 - names of this file
        await self.pool.execute(sql, *values.values())
        return account_id

    async def job(
        self, account_id: UUID, *, kind: str = "TEST", lane: int = 2, payload: Any = None
    ) -> UUID:
        job = await campaign_jobs.create_campaign_job(
            self.pool,
            id=uuid7(),
            kind=kind,
            ad_account_id=account_id,
            account_updated_at=await self.value(
                "select updated_at from ad_accounts where id = $1", account_id
            ),
            platform_type="META",
            mode="sandbox",
            payload=json.dumps(payload or {}),
            steps_total=1,
            lane=lane,
        )
        assert job is not None
        return job.id

    async def claim(self, want: int = 10) -> list[ClaimedJob]:
        """As a session does that has not looked before: one that has may pass over for a while what became
        due long before that."""
        await workers.register_worker(self.pool, id=self.worker_id, host="test", process_id=1)
        async with self.pool.acquire() as connection:
            await connection.execute("select set_config('mojito.head', '', false)")
            return await claim_jobs(connection, worker_id=self.worker_id, want=want)

    async def claimed(self) -> ClaimedJob:
        await self.job(await self.account())
        (job,) = await self.claim()
        return job

    async def free(self) -> None:
        """As if the worker that holds everything had died."""
        await workers.release_worker_jobs(self.pool, worker_id=self.worker_id)

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.pool.fetchval(sql, *arguments)


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    pool = await open_pool(database, size=5, name="test")
    yield pool
    await pool.close()


@pytest.fixture
async def shop(database: str, pool: Pool) -> Shop:
    return Shop(database, pool)


@pytest.fixture
async def writes(database: str) -> AsyncGenerator[Writes]:
    writes = Writes(database)
    async with writes.running():
        yield writes


@pytest.fixture
def desk(shop: Shop, writes: Writes) -> Desk:
    """With a job of its own."""
    return Desk(shop, writes)


@pytest.fixture
async def connection(database: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()

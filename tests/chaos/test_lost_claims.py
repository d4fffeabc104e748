"""A claim that the database grants after its connection was lost and the worker had looked for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.chaos.slow_proxy import SlowProxy
from tests.workers.conftest import Shop, pool, shop
from tests.workers.test_runner import Moody
from workers.runner import Worker
from workers.worker_settings import WorkerSettings

__all__ = ["pool", "shop"]

CLAIMS_TAKE_TURNS = 7092417
WAITING_CLAIMS = (
    "select count(*) from pg_locks where locktype = 'advisory' and not granted "
    "and objid = 7092417 and database = (select oid from pg_database where datname = current_database())"
)


async def until(ask: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(30):
        while True:
            if answer := await ask():
                return answer
            await asyncio.sleep(0.02)


@pytest.fixture
async def turn(database: str):
    """A session that holds the turn of all claims until it is closed."""
    session = await asyncpg.connect(database)
    await session.execute("select pg_advisory_lock($1)", CLAIMS_TAKE_TURNS)
    yield session
    await session.close()


async def test_a_claim_granted_after_its_connection_was_lost_is_given_back(
    shop: Shop, proxy: SlowProxy, proxied: str, turn: Any
):
    settings = WorkerSettings(poll_seconds=0.1, silence_seconds=6.0, trust_seconds=4.0)
    handler = Moody("succeeds")
    worker = Worker(proxied, shop.pool, shop.worker_id, {"TEST": handler}, settings)
    task = asyncio.create_task(worker.run())
    job_id = await shop.job(await shop.account())
    await until(lambda: shop.value(WAITING_CLAIMS))
    (passage,) = proxy.named("mojito claim")

    passage.reset()
    # the lost one still waits in the server; the worker has looked for its claims and asks again
    await until(lambda: shop.value(f"select ({WAITING_CLAIMS}) = 2"))
    await turn.close()
    ended = await until(
        lambda: shop.value("select finished_at from campaign_jobs where id = $1", job_id)
    )

    worker.stop()
    await task
    assert ended is not None
    assert handler.runs == 1
    assert await shop.value("select rescues from campaign_jobs where id = $1", job_id) == 0

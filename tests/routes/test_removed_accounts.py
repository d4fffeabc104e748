"""Removing an account: refused while jobs of it are open, and cheap however many it has had."""

import asyncio

import asyncpg
import pytest

from models.gen import campaign_jobs
from tests.routes.conftest import add_account
from tests.routes.meta_requests import meta_request


@pytest.fixture
async def account(caller):
    return await add_account(caller)


async def whole_reads(api) -> int:
    """How often all of the table was read, by whichever connection."""
    for connection in [await api.pool.acquire() for _ in range(api.pool.get_size())]:
        await connection.execute("select pg_stat_force_next_flush()")
        await connection.execute("select 1")
        await api.pool.release(connection)
    return await api.pool.fetchval(
        "select seq_scan from pg_stat_user_tables where relname = 'campaign_jobs'"
    )


async def test_a_long_history_is_not_read_to_see_whether_jobs_are_open(api, caller, account):
    await api.pool.execute(
        """insert into campaign_jobs (id, ad_account_id, platform_type, mode, status, finished_at)
           select gen_random_uuid(), $1, 'META', 'sandbox', 'SUCCESS', now()
           from generate_series(1, 50000)""",
        account["id"],
    )
    await api.pool.execute("vacuum analyze campaign_jobs")
    before = await whole_reads(api)

    answer = await caller.delete(f"/api/v1/ad_accounts/{account['id']}")

    assert answer.status_code == 204
    assert await whole_reads(api) == before


@pytest.mark.usefixtures("patient")
async def test_a_job_is_not_retried_while_its_account_is_being_removed(
    api, caller, account, database
):
    job = (await caller.post("/api/v1/ads/meta", json=meta_request())).json()
    await caller.post(f"/api/v1/campaign_jobs/{job['id']}/cancel")
    session = await asyncpg.connect(database)
    removal = session.transaction()
    await removal.start()
    await session.execute("select from ad_accounts where id = $1 for update", account["id"])
    open_jobs = await campaign_jobs.count_open_jobs_of_account_up_to(
        session, ad_account_id=account["id"], most=1
    )

    retry = asyncio.create_task(caller.post(f"/api/v1/campaign_jobs/{job['id']}/retry"))
    await asyncio.wait([retry], timeout=1)
    await session.execute("update ad_accounts set deleted_at = now() where id = $1", account["id"])
    await removal.commit()
    await session.close()
    answer = await retry

    assert open_jobs == 0
    assert answer.status_code == 409
    assert answer.json()["code"] == "ad_account_not_found"
    assert await api.pool.fetchval("select status from campaign_jobs") == "CANCELLED"

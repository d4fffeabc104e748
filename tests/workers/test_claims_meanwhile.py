"""What others do to jobs while a claim looks at them: it takes none of these, and waits for nobody."""

import asyncio

import pytest

from tests.workers.running import connected, until

CHANGES = {
    "cancelled": "update campaign_jobs set status = 'CANCELLED', finished_at = now() returning status",
    "taken": "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), "
    "worker_id = gen_random_uuid() returning claim_token",
}
WAITING = """select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'
               and query like '%claim_campaign_jobs%'"""


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("change", CHANGES)
async def test_a_job_that_was_picked_and_is_free_no_more_is_left_as_it_is(shop, change):
    """It was picked when the claim looks at its account, which nobody can for a while."""
    await shop.job(await shop.account())

    async with connected(shop) as own:
        async with own.transaction():
            await own.execute("lock table ad_accounts in access exclusive mode")
            claiming = asyncio.create_task(shop.claim())
            await until(lambda: shop.value(WAITING))
            changed = await own.fetchval(CHANGES[change])
        claimed = await claiming

    assert claimed == []
    row = await shop.pool.fetchrow("select status, claim_token from campaign_jobs")
    assert changed in tuple(row)


async def test_a_job_that_somebody_holds_keeps_no_claim_waiting(shop):
    """As a caller does who cancels it, until that is committed."""
    account = await shop.account()
    held, free = [await shop.job(account) for _ in range(2)]

    async with connected(shop) as own, own.transaction():
        await own.execute("select from campaign_jobs where id = $1 for no key update", held)
        claimed = await shop.claim()

    assert [job.id for job in claimed] == [free]

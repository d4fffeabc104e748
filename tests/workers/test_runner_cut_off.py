"""What a run that is cut off may still do before its job is given back."""

import asyncio

from tests.workers.running import Scripted, connected, jobs, until, working
from workers.kinds import Ended


async def test_a_run_that_is_cut_off_tidies_up_while_the_job_is_still_its_own(shop):
    await jobs(shop, 1)
    held = []

    async def never(_run):
        try:
            await asyncio.Event().wait()
        finally:
            async with connected(shop) as own:
                await own.execute("select pg_sleep(0.3)")
                held.append(await own.fetchval("select claim_token is not null from campaign_jobs"))
        return Ended("SUCCESS")

    handler = Scripted(never)
    async with working(shop, handler, grace_seconds=0):
        await until(lambda: handler.runs)

    assert held == [True]
    assert await shop.value("select claim_token is null from campaign_jobs")

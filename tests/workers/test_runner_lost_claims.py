"""A claim that the server carries out after the worker has lost sight of it strands no job."""

from pathlib import Path

import pytest

from tests.chaos.slow_proxy import opened_proxy
from tests.workers.running import CLAIM_LOCK, Scripted, connected, finished, until, working

WAITING = """select count(*) from pg_stat_activity
             where datname = current_database() and application_name = 'mojito claim'
               and wait_event = 'advisory'"""


@pytest.mark.usefixtures("patient")
async def test_a_claim_that_is_carried_out_after_its_connection_was_lost_strands_no_job(
    shop, server
):
    """It waits for its turn on the server, which does not look whether anybody still listens."""
    socket = Path(server.url().partition("host=")[2]) / ".s.PGSQL.5432"
    handler = Scripted()

    async with opened_proxy(socket) as proxy, connected(shop) as own:
        name = shop.url.partition("@/")[2].partition("?")[0]
        shop.url = f"postgresql://mojito@127.0.0.1:{proxy.port}/{name}"
        await own.execute("select pg_advisory_lock($1)", CLAIM_LOCK)
        job_id = await shop.job(await shop.account())
        async with working(shop, handler, poll_seconds=0.05):
            await until(lambda: is_waiting(own, 1))
            proxy.named("mojito claim")[0].reset()
            await until(lambda: is_waiting(own, 2))
            await own.execute("select pg_advisory_unlock($1)", CLAIM_LOCK)
            job = await finished(shop, job_id)

    assert (job["status"], job["rescues"], len(handler.runs)) == ("SUCCESS", 0, 1)


async def is_waiting(own, claims):
    return await own.fetchval(WAITING) == claims

"""An API and one of two workers are replaced while jobs come in: they leave by SIGTERM, nothing is lost."""

import asyncio
import contextlib
from itertools import count

import pytest

from tests.chaos.programs import api, worker
from tests.house.conftest import until

pytestmark = pytest.mark.alone

MOST_OPEN = 16


async def test_an_api_and_a_worker_are_replaced_under_load(house):
    await house.pool.execute("update ad_accounts set max_running = 12")
    await house.sandbox.fault("slow", "*/adsets", seconds=1.5, times=100_000)
    jobs = []
    replaced = asyncio.Event()
    async with contextlib.AsyncExitStack() as opened:
        old_api, _, old_worker = await asyncio.gather(
            *(
                opened.enter_async_context(starting)
                for starting in (api(house), worker(house), worker(house, grace_seconds="5"))
            )
        )
        apis = [old_api]
        calling = asyncio.create_task(keep_submitting(house, apis, jobs, replaced))
        new_api, _ = await asyncio.gather(
            opened.enter_async_context(api(house)), opened.enter_async_context(worker(house))
        )
        apis[:] = [new_api]  # whoever balances stops sending to the old one first
        old_api.program.terminate()
        await until(lambda: holds_jobs(house, old_worker))
        old_worker.terminate()
        codes = [await old_api.program.exit_code(30), await old_worker.exit_code(30)]
        replaced.set()
        await calling
        ended = [await house.finished(job) for job in jobs]

    assert codes == [0, 0]
    assert len(set(jobs)) == len(jobs) > MOST_OPEN
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await house.pool.fetchval("select sum(rescues) from campaign_jobs") == 0
    for kind in ("campaign", "ad_set", "ad"):
        assert len(await house.sandbox.objects(house.account["id"], kind)) == len(jobs)


async def keep_submitting(house, apis, jobs, replaced):
    """Through whichever APIs are told of at the moment; each request is accepted."""
    for number in count():
        await until(lambda: has_room(house))
        if replaced.is_set():
            return
        answer = await apis[number % len(apis)].submit(house.request(name=f"Job {number}"))
        assert answer.status_code == 202, answer.text
        jobs.append(answer.json()["campaign_job_id"])


async def has_room(house):
    """So many open jobs are load enough."""
    sql = "select count(*) from campaign_jobs where finished_at is null"
    return await house.pool.fetchval(sql) < MOST_OPEN


async def holds_jobs(house, program):
    """Whether the worker is in the middle of something."""
    assert program.is_running, program.log()
    sql = "select count(*) from campaign_jobs where worker_id = $1 and claim_token is not null"
    return await house.pool.fetchval(sql, program.id) > 0

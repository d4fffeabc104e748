"""Workers are replaced one after the other while jobs come in: each leaves by SIGTERM, nothing is lost."""

import asyncio
import contextlib
from itertools import count

from tests.chaos.programs import api, worker
from tests.house.conftest import until

MOST_OPEN = 16


async def test_workers_and_apis_are_replaced_one_by_one_under_load(house):
    await house.pool.execute("update ad_accounts set max_running = 12")
    await house.sandbox.fault("slow", "*/adsets", seconds=0.4, times=100_000)
    jobs = []
    replaced = asyncio.Event()
    async with contextlib.AsyncExitStack() as opened:
        apis = [await opened.enter_async_context(api(house)) for _ in range(2)]
        old = [await opened.enter_async_context(worker(house, grace_seconds="5")) for _ in range(2)]
        calling = asyncio.create_task(keep_submitting(house, apis, jobs, replaced))
        codes = []
        for leaving in (apis[0].program, *old):
            is_api = leaving is apis[0].program
            starting = api(house) if is_api else worker(house, grace_seconds="5")
            new = await opened.enter_async_context(starting)
            if is_api:
                apis.append(new)
            else:
                await until(lambda leaving=leaving: holds_jobs(house, leaving))
            if is_api:
                del apis[0]  # whoever balances stops sending there first
            leaving.terminate()
            codes.append(await leaving.exit_code())
        replaced.set()
        await calling
        ended = [await house.finished(job) for job in jobs]

    assert codes == [0, 0, 0]
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

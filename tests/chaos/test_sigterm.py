"""SIGTERM under load: what runs is given back, what was promised is kept, the exit code is 0."""

import asyncio
import contextlib
from uuid import UUID

import httpx
import pytest

from tests.chaos.programs import api, worker
from tests.house.conftest import until

pytestmark = pytest.mark.alone

ENDED = {"SUCCESS"}


async def test_a_worker_told_to_stop_under_load_leaves_nothing_behind(house):
    await house.pool.execute("update ad_accounts set max_running = 40")
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(60)]
    await house.sandbox.fault("slow", "*/campaigns", seconds=2, times=8, skip=10)

    async with worker(house, grace_seconds="5") as leaving:
        await until(lambda: under_load(house, leaving))
        leaving.terminate()
        code = await leaving.exit_code()
    held = await house.pool.fetchval(
        "select count(*) from campaign_jobs where claim_token is not null or worker_id is not null"
    )
    left = await house.pool.fetchval("select count(*) from workers")
    unfinished = await house.pool.fetchval(
        "select count(*) from campaign_jobs where finished_at is null"
    )
    async with worker(house):
        ended = [await house.finished(job) for job in jobs]

    assert (code, held, left) == (0, 0, 0)
    assert unfinished > 0
    assert {job["status"] for job in ended} == ENDED
    assert await house.pool.fetchval("select sum(rescues) from campaign_jobs") == 0
    for kind in ("campaign", "ad_set", "ad"):
        assert len(await house.sandbox.objects(house.account["id"], kind)) == len(jobs)


async def test_a_worker_whose_calls_outlast_the_grace_time_leaves_in_time_all_the_same(house):
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(4)]
    await house.sandbox.fault("slow", "*/campaigns", seconds=2.5, times=4)

    async with worker(house, grace_seconds="0.5") as leaving:
        await until(lambda: all_sent(house))
        leaving.terminate()
        code = await leaving.exit_code(8)
    held = await house.pool.fetchval(
        "select count(*) from campaign_jobs where claim_token is not null"
    )
    async with worker(house):
        ended = [await house.finished(job) for job in jobs]

    assert (code, held) == (0, 0)
    assert {job["status"] for job in ended} == ENDED
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == len(jobs)


async def test_a_worker_leaves_in_time_though_the_database_fell_silent(house, proxy, proxied):
    async with worker(house, proxied, grace_seconds="1") as leaving:
        proxy.swallow()
        leaving.terminate()
        code = await leaving.exit_code(25)

    assert code == 0


async def test_an_api_told_to_stop_under_load_keeps_every_promise(house):
    async with api(house, grace_seconds="5") as caller:
        answers = []
        load = [asyncio.create_task(keep_asking(house, caller, answers)) for _ in range(12)]
        await until(lambda: at_least(answers, 60))
        caller.program.terminate()
        code = await caller.program.exit_code()
        await asyncio.gather(*load)
    promised = {UUID(a.json()["campaign_job_id"]) for a in answers if a.status_code == 202}
    kept = {row["id"] for row in await house.pool.fetch("select id from campaign_jobs")}

    assert code == 0
    assert {answer.status_code for answer in answers} <= {202, 503}
    assert len(promised) >= 60
    assert promised <= kept
    assert "request.failed" not in caller.program.log()


async def test_an_api_leaves_in_time_though_the_database_fell_silent(house, proxy, proxied):
    async with api(house, proxied, grace_seconds="1") as caller:
        proxy.swallow()
        asked = [asyncio.create_task(caller.submit(house.request())) for _ in range(3)]
        await until(lambda: is_taken(proxy))
        caller.program.terminate()
        code = await caller.program.exit_code(25)
        answers = await asyncio.gather(*asked, return_exceptions=True)

    assert code == 0
    for answer in answers:
        assert isinstance(answer, httpx.TransportError) or answer.status_code == 503


async def keep_asking(house, caller, answers):
    """Until nobody listens any more. A connection that ends without an answer promises nothing."""
    with contextlib.suppress(httpx.ConnectError):
        while True:
            with contextlib.suppress(httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError):
                answers.append(await caller.submit(house.request(name="Loaded")))


async def under_load(house, program):
    """Many jobs run, some of them in slow calls."""
    assert program.is_running, program.log()
    running = await house.pool.fetchval(
        "select count(*) from campaign_jobs where claim_token is not null"
    )
    faults = await house.sandbox.faults()
    return running >= 20 and (not faults or faults[0]["times"] < 8)


async def all_sent(house):
    return not await house.sandbox.faults()


async def at_least(answers, number):
    return len([answer for answer in answers if answer.status_code == 202]) >= number


async def is_taken(proxy):
    """Something was asked of the silent database."""
    return any(passage.is_swallowed and passage.name == "mojito api" for passage in proxy.passages)

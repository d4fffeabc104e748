"""Workers killed at every step boundary, replies lost at every call: one of each object, job SUCCESS."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from tests.house.conftest import until

pytestmark = pytest.mark.alone

DYING = str(Path(__file__).parent / "dying_worker.py")
STEPS = [
    "media[clip]",
    "campaign",
    "ad_set[0]",
    "creative[0][0]",
    "creative[0][1]",
    "ad[0][0]",
    "ad[0][1]",
    "activate",
]
MOMENTS = ["before", "between", "after"]


async def restart_until_done(house, jobs, processes=3):
    """Keeps dying workers alive as `mojito up` would, until every job is finished."""
    keeper = await asyncio.create_subprocess_exec(
        sys.executable, DYING, env=house.environment(), stdin=PIPE, stdout=PIPE
    )

    def start():
        keeper.stdin.write(f"{uuid4()}\n".encode())

    async def replace_the_dead():
        assert keeper.stdout is not None
        async for line in keeper.stdout:
            await house.free(line.decode().strip())
            start()

    async def look():
        assert not replacing.done(), "nobody replaces the dead"
        await house.sandbox.advance(0.5)
        left = await house.pool.fetchval(
            "select count(*) from campaign_jobs where finished_at is null"
        )
        return left == 0

    replacing = asyncio.create_task(replace_the_dead())
    for _ in range(processes):
        start()
    try:
        await until(look, seconds=600)
    finally:
        replacing.cancel()
        keeper.stdin.close()
        await keeper.wait()
    return [await house.job(job) for job in jobs]


async def test_a_worker_killed_at_every_step_boundary_makes_nothing_twice(house):
    names = [f"die {step} {moment}" for step in STEPS for moment in MOMENTS]
    await house.pool.execute("update ad_accounts set max_running = 8")
    jobs = [
        await house.submit(house.request(name=name, ads=2, video=True, activate=True))
        for name in names
    ]

    ended = await restart_until_done(house, jobs)

    assert Counter(job["status"] for job in ended) == {"SUCCESS": len(names)}
    assert len(list(house.settings.data_dir.glob("died-*"))) == len(names)
    made = Counter(o["kind"] for o in await house.sandbox.objects(house.account["id"]))
    assert made["campaign"] == made["ad_set"] == made["video"] == len(names)
    assert made["ad"] == 2 * len(names)
    every_ad = [
        ad["id"] for job in ended for s in job["platform_ids"]["ad_sets"] for ad in s["ads"]
    ]
    assert len(set(every_ad)) == 2 * len(names)


CALLS = [
    ("*/advideos", 0),
    ("*/advideos", 1),
    ("*/advideos", 2),
    ("*/campaigns", 0),
    ("*/adsets", 0),
    ("*/adcreatives", 0),
    ("*/adcreatives", 1),
    ("*/ads", 0),
    ("*/ads", 1),
    ("*/v26.0/1*", 0),
]


@pytest.mark.parametrize("fault", ["lose_reply", "reset", "garbage", "http_500"])
async def test_a_reply_lost_at_every_call_makes_nothing_twice(house, fault):
    await house.pool.execute("update ad_accounts set max_running = 20")
    accounts = []
    for path, skip in CALLS:
        account = await house.sandbox.account()
        account_id = await house.add(account)
        prefix = f"*/{account['id']}/{path.removeprefix('*/')}" if "v26" not in path else path
        await house.sandbox.fault(fault, prefix, skip=skip)
        body = house.request(ads=2, video=True, activate=True, ad_account_id=account_id)
        for ad in body["ad_sets"][0]["ads"]:
            ad["creative"]["page_id"] = account["page_id"]
        accounts.append((account, await house.submit(body)))

    async with house.working(), moving_clock(house):
        ended = [await house.finished(job) for _, job in accounts]

    assert [job["status"] for job in ended] == ["SUCCESS"] * len(CALLS)
    assert await house.sandbox.faults() == []
    for account, _ in accounts:
        made = Counter(o["kind"] for o in await house.sandbox.objects(account["id"]))
        assert made == {"campaign": 1, "ad_set": 1, "video": 1, "creative": 2, "ad": 2}


async def left_in_flight(house, deadline):
    """A job that nobody has, whose worker was killed while its call for a campaign was under way."""
    worker_id = str(uuid4())
    await house.sandbox.fault("slow", "*/campaigns", seconds=deadline - 3)
    job_id = await house.submit(house.request())
    setting = {"MOJITO_SANDBOX_CALL_DEADLINE_SECONDS": str(deadline)}
    dead = house.process("-m", "mojito", "work", worker_id=worker_id, **setting)

    async def has_sent():
        return not await house.sandbox.faults()

    await until(has_sent)
    dead.kill()
    await asyncio.to_thread(dead.wait)
    await house.free(worker_id)
    return job_id


async def test_what_a_dead_worker_left_in_flight_takes_effect_late_and_still_once(house):
    deadline = 15  # however long it takes on a busy machine to kill one and to start another
    job_id = await left_in_flight(house, deadline)
    made_before = await house.sandbox.objects(house.account["id"], "campaign")
    async with house.working(sandbox_call_deadline_seconds=deadline):
        looked = await house.waiting(job_id, "in_doubt")
        job = await house.finished(job_id)

    assert made_before == []
    assert looked["steps"][1]["status"] in ("IN_DOUBT", "RUNNING")
    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def test_a_worker_that_lets_calls_take_less_time_waits_for_those_of_the_one_it_follows(house):
    own = house.settings.sandbox_call_deadline_seconds
    deadline = own + 17  # time to kill one, to start another, and for that to look twice in vain
    job_id = await left_in_flight(house, deadline)
    async with house.working():
        job = await house.finished(job_id)

        async def has_taken_effect():
            return any(call["fault"] == "slow" for call in await house.sandbox.calls())

        await until(has_taken_effect)

    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def test_a_worker_that_only_fell_silent_is_replaced_and_its_late_writes_are_refused(house):
    worker_id = str(uuid4())
    await house.sandbox.fault("slow", "*/campaigns", seconds=1.5)
    job_id = await house.submit(house.request())

    async with house.working(worker_id=worker_id):

        async def has_sent():
            return not await house.sandbox.faults()

        await until(has_sent)
        await house.free(worker_id)
        async with house.working():
            job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1
    assert len(await house.sandbox.objects(house.account["id"], "ad")) == 1


async def test_four_worker_processes_make_two_hundred_campaigns_of_two_hundred_jobs(house):
    accounts = [(house.account, house.account_id)]
    for _ in range(9):
        account = await house.sandbox.account()
        accounts.append((account, await house.add(account)))
    jobs = []
    for number in range(200):
        account, account_id = accounts[number % 10]
        body = house.request(name=f"Campaign {number}", ad_account_id=account_id)
        body["ad_sets"][0]["ads"][0]["creative"]["page_id"] = account["page_id"]
        jobs.append(await house.submit(body))

    processes = [house.process("-m", "mojito", "work") for _ in range(4)]

    async def done():
        return not await house.pool.fetchval(
            "select count(*) from campaign_jobs where finished_at is null"
        )

    try:
        await until(done, seconds=600)
    finally:
        for process in processes:
            process.terminate()
        codes = [await asyncio.to_thread(process.wait) for process in processes]

    statuses = await house.pool.fetch("select status, count(*) from campaign_jobs group by status")
    assert [tuple(row) for row in statuses] == [("SUCCESS", 200)]
    campaigns = [o for a, _ in accounts for o in await house.sandbox.objects(a["id"], "campaign")]
    assert len(campaigns) == len({o["name"] for o in campaigns}) == 200
    assert codes == [0, 0, 0, 0]


@contextlib.asynccontextmanager
async def moving_clock(house):
    """The sandbox's clock runs fast, so that nothing waits for encoding."""

    async def move():
        while True:
            await house.sandbox.advance(5)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.2)

    task = asyncio.create_task(move())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

"""What a worker lets others know of its work: log lines, counts, and the names of its tasks."""

import asyncio
from itertools import pairwise

import pytest
import structlog

from common.errors import ClaimLost
from models.gen import campaign_jobs
from models.job import JobError
from tests.workers.running import (
    BEATING,
    NEVER,
    Gate,
    Scripted,
    connected,
    finished,
    jobs,
    let_go,
    silenced,
    until,
    working,
)
from workers.kinds import Interrupted, Parked
from workers.metrics import WorkerMetrics

BUILD = "BUILD_CAMPAIGN"
DEAD_TOKEN = Parked(604_800, "reauth_required")
REFUSED_TOKEN = Parked(
    604_800, "reauth_required", JobError(code="token_rejected", message="It is over.")
)
TASKS = {"listener", "upkeep", "presence", "notifier", "intents", "records", "moves"}


def names_of_tasks():
    return {task.get_name() for task in asyncio.all_tasks()}


async def test_the_tasks_of_a_worker_bear_names_and_end_with_it(shop):
    async with working(shop, Scripted()):
        during = names_of_tasks()

    assert during >= TASKS
    assert names_of_tasks().isdisjoint(TASKS)


async def test_the_log_says_how_a_job_ended_and_nothing_else_of_it(shop):
    (job_id,) = await jobs(shop, 1)

    with structlog.testing.capture_logs() as lines:
        async with working(shop, Scripted()):
            await finished(shop, job_id)

    assert [line for line in lines if line["event"].startswith("job.")] == [
        {"event": "job.finished", "status": "SUCCESS", "code": None, "log_level": "info"}
    ]


async def test_the_log_says_once_that_a_worker_is_out_of_touch_each_time(shop):
    account = await shop.account()
    told = [0]
    counts = []

    with structlog.testing.capture_logs() as lines:
        async with working(shop, Scripted(), poll_seconds=0.01, **BEATING) as worker:
            for _ in range(2):
                async with silenced(shop) as own:
                    await until(lambda: is_too_old(worker))
                    # what it says now it says for all of this silence
                    await until(lambda: worker._is_out_of_touch)
                    told.append(counted(lines))
                    await gone_by(own, "0.3 s")
                    counts.append(counted(lines) - told[-1])
                await finished(shop, await shop.job(account))

    assert counts == [0, 0]
    assert all(before < after for before, after in pairwise(told))


def is_too_old(worker):
    """Whether the worker's last sign of life is."""
    try:
        worker._presence.guard()
    except ClaimLost:
        return True
    return False


def counted(lines):
    return sum(line["event"] == "worker.out_of_touch" for line in lines)


async def gone_by(own, interval):
    """On the database's clock."""
    begun = await own.fetchval("select clock_timestamp()")
    sql = f"select clock_timestamp() > $1::timestamptz + interval '{interval}'"
    await until(lambda: own.fetchval(sql, begun))


async def test_a_worker_that_hears_of_work_seldom_asks_by_itself(shop):
    metrics = WorkerMetrics()

    def asked():
        return metrics.registry.get_sample_value("mojito_claim_duration_seconds_count") or 0

    async with (
        connected(shop) as own,
        working(shop, Gate(), metrics=metrics, poll_seconds=NEVER) as worker,
    ):
        # the server knows of it earlier, and until then the worker asks often
        await until(lambda: worker._listener.is_connected)
        before = asked()
        await gone_by(own, "1.5 s")
        times = asked() - before

    assert times <= 2


@pytest.mark.parametrize(
    ("outcome", "replaced"),
    [(Interrupted(), 0), (REFUSED_TOKEN, 0), (REFUSED_TOKEN, 1)],
    ids=["interrupted", "token dead", "token replaced"],
)
async def test_a_job_that_its_caller_stopped_counts_as_what_it_did(shop, outcome, replaced):
    job_id = await shop.job(await shop.account(), kind=BUILD)
    team = await shop.value("select gen_random_uuid()")
    await shop.pool.execute("update campaign_jobs set team_id = $1", team)
    metrics = WorkerMetrics()

    async def stopped(run):
        await campaign_jobs.cancel_campaign_job(shop.pool, id=job_id, team_id=team)
        await shop.pool.execute(
            "update ad_accounts set credentials_version = credentials_version + $1", replaced
        )
        return outcome

    async with working(shop, Scripted(stopped), kind=BUILD, metrics=metrics):
        job = await finished(shop, job_id)

    labels = {"kind": BUILD, "status": "CANCELLED"}
    ends = "select data ->> 'code' from job_events where kind = 'job.finished'"
    assert (job["status"], await shop.value(ends)) == ("CANCELLED", None)
    assert metrics.registry.get_sample_value("mojito_jobs_ended_total", labels) == 1


async def test_a_job_that_waits_for_credentials_is_counted_logged_and_told_of(shop):
    (job_id,) = await jobs(shop, 1)
    metrics = WorkerMetrics()
    gate = asyncio.Event()
    told = []

    async def token_dies(_run):
        await gate.wait()
        told.clear()
        return DEAD_TOKEN

    with structlog.testing.capture_logs() as lines:
        async with connected(shop) as own, working(shop, Scripted(token_dies), metrics=metrics):
            await own.add_listener("campaign_job_changes", lambda *_: told.append(1))
            gate.set()
            await let_go(shop, job_id)
            await until(lambda: told)

    waits = {"reason": "reauth_required"}
    assert metrics.registry.get_sample_value("mojito_job_waits_total", waits) == 1
    assert [line["reason"] for line in lines if line["event"] == "job.waiting"] == [
        "reauth_required"
    ]

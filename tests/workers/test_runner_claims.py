"""How many jobs a worker takes, when it looks for more, and what it does about claims it never heard of."""

import asyncio
from uuid import uuid4

import msgspec
import pytest
import structlog

from common.errors import ClaimLost
from config.settings import Settings
from models.gen import workers
from tests.workers.ledgers import PACE, STEP
from tests.workers.running import (
    BEATING,
    CLAIM_LOCK,
    LISTENS,
    NEVER,
    Gate,
    Scripted,
    connected,
    finished,
    jobs,
    silenced,
    until,
    working,
)
from workers.claimed import claim_jobs
from workers.effects import Effect
from workers.kinds import Ended
from workers.metrics import WorkerMetrics
from workers.platforms.base import Done
from workers.worker_settings import WorkerSettings


async def all_done(shop, count):
    return count == await shop.value("select count(*) from campaign_jobs where status = 'SUCCESS'")


def test_a_worker_says_that_it_lives_six_times_before_it_counts_as_dead():
    assert WorkerSettings(silence_seconds=30).renew_seconds == 5


def test_a_worker_that_is_told_nothing_works_as_the_settings_say_when_nothing_is_set():
    told = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    worker = WorkerSettings()

    assert worker.largest_claim == 500
    assert {
        "worker_concurrency": worker.concurrency,
        "poll_seconds": worker.poll_seconds,
        "worker_silence_seconds": worker.silence_seconds,
        "worker_trust_seconds": worker.trust_seconds,
        "grace_seconds": worker.grace_seconds,
    }.items() <= told.items()


async def test_a_worker_runs_no_more_jobs_at_once_than_it_may(shop):
    await jobs(shop, 5)
    gate = Gate()

    async with working(shop, gate, concurrency=2, poll_seconds=0.01):
        for done in range(5):
            await until(lambda done=done: gate.inside == min(2, 5 - done))
            gate.release()
            await until(lambda done=done: all_done(shop, done + 1))

    assert gate.most == 2


async def test_a_job_that_is_freed_behind_the_head_is_found_without_a_poll(shop):
    """Claims look behind the place where they found the queue to begin only now and then."""
    first, freed = await jobs(shop, 2)
    dead = uuid4()
    await shop.pool.execute(
        """update campaign_jobs set claim_token = gen_random_uuid(), worker_id = $2,
               due_at = now() - interval '1 hour', status = 'PROCESSING' where id = $1""",
        freed,
        dead,
    )

    async with working(shop, Scripted(), poll_seconds=NEVER):
        await until(lambda: shop.value(LISTENS))
        await finished(shop, first)
        await workers.release_worker_jobs(shop.pool, worker_id=dead)
        await shop.pool.execute("notify campaign_jobs")
        await finished(shop, freed)


@pytest.mark.usefixtures("patient")
async def test_jobs_that_are_still_being_loaded_count_as_running(shop):
    """Nothing can be loaded while others have every connection of the pool."""
    await jobs(shop, 4)
    gate = Gate()
    held = [await shop.pool.acquire() for _ in range(5)]

    async with connected(shop) as own, working(shop, gate, concurrency=2, largest_claim=1):
        sql = "select count(*) = 2 from campaign_jobs where claim_token is not null"
        await until(lambda: own.fetchval(sql))
        for connection in held:
            await shop.pool.release(connection)
        await until(lambda: gate.inside == 2)
        gate.release(4)
        await until(lambda: all_done(shop, 4))

    assert gate.most == 2


@pytest.mark.usefixtures("patient")
async def test_claims_follow_each_other_at_once_while_what_they_brought_is_being_loaded(shop):
    """Nothing can be loaded while others have every connection of the pool."""
    await jobs(shop, 4)
    gate = Gate()
    held = [await shop.pool.acquire() for _ in range(5)]
    options = {"concurrency": 4, "largest_claim": 1, "poll_seconds": NEVER}

    async with connected(shop) as own, working(shop, gate, **options):
        sql = "select count(*) = 4 from campaign_jobs where claim_token is not null"
        await until(lambda: own.fetchval(sql))
        # the worker hears of a claim later than others can see it
        await until(lambda: loading() == 4)
        for connection in held:
            await shop.pool.release(connection)
        await until(lambda: gate.inside == 4)
        gate.release(4)


def loading():
    """How many claims are being loaded."""
    return [task.get_name() for task in asyncio.all_tasks()].count("arrival")


async def test_one_claim_takes_no_more_than_the_largest(shop):
    await jobs(shop, 7)
    gate = Gate()

    async with working(shop, gate, largest_claim=3):
        await until(lambda: gate.inside == 7)
        rows = await shop.pool.fetch("select count(*) from campaign_jobs group by claim_token")
        gate.release(7)

    assert sorted(row[0] for row in rows) == [1, 3, 3]


async def test_a_claim_asks_for_as_much_as_there_is_room_for(shop):
    await jobs(shop, 3)
    gate = Gate()

    async with working(shop, gate, concurrency=3):
        await until(lambda: gate.inside == 3)
        tokens = await shop.value("select count(distinct claim_token) from campaign_jobs")
        gate.release(3)

    assert tokens == 1


async def test_a_place_that_becomes_free_is_filled_at_once(shop):
    await jobs(shop, 3)

    async with working(shop, Scripted(), concurrency=1, poll_seconds=NEVER):
        await until(lambda: all_done(shop, 3))


async def test_a_job_that_somebody_tells_of_is_taken_at_once(shop):
    account = await shop.account()

    async with working(shop, Scripted(), poll_seconds=NEVER):
        await until(lambda: shop.value(LISTENS))
        for _ in range(3):
            job_id = await shop.job(account)
            await shop.pool.execute("notify campaign_jobs")
            await finished(shop, job_id)


async def test_a_job_that_nobody_tells_of_is_found(shop):
    account = await shop.account()

    async with working(shop, Scripted(), poll_seconds=0.05):
        for _ in range(3):
            await finished(shop, await shop.job(account))


async def test_who_watches_is_told_of_a_claim_and_of_the_end(shop):
    told = []
    gate = Gate()
    await jobs(shop, 1)

    async with connected(shop) as connection:
        await connection.add_listener("campaign_job_changes", lambda *_: told.append(gate.inside))
        async with working(shop, gate):
            await until(lambda: told)
            await until(lambda: gate.inside == 1)
            told.clear()
            gate.release()
            await until(lambda: told)

    assert told == [0]


async def test_claims_and_ends_are_measured(shop):
    (job_id,) = await jobs(shop, 1)
    metrics = WorkerMetrics()

    async with working(shop, Scripted(), metrics=metrics):
        await finished(shop, job_id)

    value = metrics.registry.get_sample_value
    assert value("mojito_claimed_jobs_total") == 1
    assert value("mojito_jobs_ended_total", {"kind": "other", "status": "SUCCESS"}) == 1


async def test_jobs_of_dead_workers_are_freed_and_run(shop):
    (job_id,) = await jobs(shop, 1)
    dead = uuid4()
    await workers.register_worker(shop.pool, id=dead, host="gone", process_id=1)
    await claim_jobs(shop.pool, worker_id=dead, want=1)
    await shop.pool.execute("update workers set last_seen_at = now() - interval '1 hour'")
    # due when it is freed: a session that has looked before looks behind that place a second later
    await shop.pool.execute("update campaign_jobs set due_at = now() + interval '1 hour'")

    async with working(shop, Scripted(), silence_seconds=12, poll_seconds=NEVER):
        job = await finished(shop, job_id)

    assert (job["status"], job["rescues"]) == ("SUCCESS", 1)


async def test_a_claim_whose_answer_was_lost_is_given_back_and_running_jobs_are_not(shop):
    account = await shop.account()
    running = await shop.job(account)
    gate = Gate()

    async with working(shop, gate, poll_seconds=0.01):
        await until(lambda: gate.inside == 1)
        async with connected(shop) as own:
            await own.execute("select pg_advisory_lock($1)", CLAIM_LOCK)
            lost = await shop.job(account)
            await claim_jobs(own, worker_id=shop.worker_id, want=1)
            await cut_claim(own)
            await own.execute("select pg_advisory_unlock($1)", CLAIM_LOCK)
        await until(lambda: gate.inside == 2)
        gate.release(2)
        ends = [await finished(shop, job_id) for job_id in (running, lost)]

    assert [(job["status"], job["rescues"]) for job in ends] == [("SUCCESS", 0), ("SUCCESS", 0)]
    assert gate.most == 2


async def cut_claim(own):
    """Cuts the worker's claim while it waits for its turn."""
    sql = """select pg_terminate_backend(pid) from pg_stat_activity
             where application_name = 'mojito claim' and wait_event = 'advisory'"""
    await until(lambda: own.fetchval(sql))


async def test_jobs_that_could_not_be_loaded_are_given_back_and_taken_again(shop):
    """Because a column is away that accounts are read with."""
    (job_id,) = await jobs(shop, 1)
    handler = Scripted()

    with structlog.testing.capture_logs() as lines:
        async with connected(shop) as own:
            await own.execute("alter table ad_accounts rename column team_id to hidden")
            async with working(shop, handler):
                await until(lambda: "claim.not_started" in {line["event"] for line in lines})
                await own.execute("alter table ad_accounts rename column hidden to team_id")
                job = await finished(shop, job_id)

    assert (job["status"], job["rescues"], len(handler.runs)) == ("SUCCESS", 0, 1)


async def test_a_worker_that_could_not_say_that_it_lives_takes_nothing_until_it_could(shop):
    (first,) = await jobs(shop, 1)
    handler = Scripted()

    async with working(shop, handler, poll_seconds=0.01, **BEATING) as worker:
        await finished(shop, first)
        async with silenced(shop):
            await until(lambda: refusal_of(handler.runs[0]))
            # the last claim that was allowed may still be on its way
            await looked_again(worker)
            (second,) = await jobs(shop, 1)
            await looked_again(worker)
            runs_meanwhile = len(handler.runs)
        job = await finished(shop, second)

    assert (job["status"], job["rescues"], runs_meanwhile) == ("SUCCESS", 0, 1)


async def looked_again(worker):
    """Returns when the worker has wanted to claim once more and knows that it may not."""
    worker._is_out_of_touch = False
    await until(lambda: worker._is_out_of_touch)


async def test_a_run_of_a_worker_that_could_not_say_that_it_lives_is_told_so(shop):
    await jobs(shop, 1)
    refused: list[str] = []

    async def ask(run):
        async with silenced(shop):
            await until(lambda: refusal_of(run))
            refused.append(refusal_of(run).code)

    handler = Scripted(ask)
    async with working(shop, handler, **BEATING):
        await until(lambda: refused)

    assert refused == ["out_of_touch"]


async def test_a_step_that_went_through_a_silence_goes_no_further_when_its_worker_is_heard_again(
    shop,
):
    """Its job may have been taken away in it, and cancelled."""
    await jobs(shop, 1)
    refused: list[ClaimLost | None] = []

    async def ask(trial):
        async with silenced(shop):
            await until(lambda: refusal_of(trial))
        await until(lambda: refusal_of(worker._presence) is None)
        refused.append(refusal_of(trial))
        return Done("1")

    async def begin(run):
        await run.ledger.step(STEP, Effect(ask), PACE)
        return Ended("SUCCESS")

    async with working(shop, Scripted(begin), **BEATING) as worker:
        await until(lambda: refused)

    assert [refusal and refusal.code for refusal in refused] == ["out_of_touch"]


def refusal_of(run):
    try:
        run.guard()
    except ClaimLost as error:
        return error
    return None


async def test_a_worker_knows_accounts_before_their_first_jobs_come(shop):
    account = await shop.account(name="read_ahead")
    handler = Scripted()

    async with working(shop, handler, poll_seconds=0.01):
        await until(lambda: "read_ahead" not in {task.get_name() for task in asyncio.all_tasks()})
        await shop.pool.execute("update ad_accounts set name = 'unseen'")
        await finished(shop, await shop.job(account))

    assert [run.account.name for run in handler.runs] == ["read_ahead"]

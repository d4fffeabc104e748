"""What a claim takes, in which order, and how many at a time of one account."""

import asyncio
import json
import os
import re
from collections import Counter
from uuid import uuid4

import pytest

from models.database import HOT_SETTINGS, connect
from models.gen import campaign_jobs, job_steps, workers
from workers.claimed import claim_jobs
from workers.claims import CLAIM_SETTINGS
from workers.writes import MOVE_SETTINGS


async def test_a_claim_takes_each_due_job_once_with_a_token_of_that_claim(shop):
    account = await shop.account(max_running=10)
    ids = {await shop.job(account) for _ in range(5)}

    first = await shop.claim()
    second = await shop.claim()

    assert {job.id for job in first} == ids
    assert second == []
    assert len({job.claim_token for job in first}) == 1
    await shop.free()
    again = await shop.claim()
    assert {job.id for job in again} == ids
    assert not {job.claim_token for job in again} & {job.claim_token for job in first}
    rows = await shop.pool.fetch("select status, updated_at from campaign_jobs")
    assert {row["status"] for row in rows} == {"PROCESSING"}
    assert {job.claimed_at for job in again} == {row["updated_at"] for row in rows}


async def test_a_job_that_is_claimed_again_goes_before_all_new_ones_and_has_begun_once(shop):
    await shop.job(await shop.account(), lane=3)
    await shop.pool.execute("update campaign_jobs set team_id = gen_random_uuid()")
    (first,) = await shop.claim()
    await shop.free()

    (again,) = await shop.claim()

    lane, status = await shop.pool.fetchrow("select lane, status from campaign_jobs")
    told = await shop.pool.fetch("select team_id from job_events where kind = 'job.started'")
    assert (lane, status) == (0, "PROCESSING")
    assert [row["team_id"] for row in told] == [first.team_id]
    assert first.team_id is not None
    assert first.started_at == first.claimed_at == again.started_at < again.claimed_at


async def test_a_claim_tells_of_each_job_its_own_past_and_its_own_request(shop):
    account = await shop.account(max_running=10)
    ids = [
        await shop.job(account, payload={"x": text})
        for text in ("a", os.urandom(20_000).hex(), "b")
    ]
    fresh, long, waited = ids
    await shop.pool.execute(
        """update campaign_jobs set rescues = 3, status = 'PROCESSING', waiting_reason = 'retry',
               started_at = now() - interval '1 hour', waiting_since = now() - interval '1 minute'
           where id = $1""",
        waited,
    )
    await shop.pool.execute(
        "update campaign_requests set request_id = $2 where campaign_job_id = $1", waited, "req"
    )

    claimed = {job.id: job for job in await shop.claim()}

    for row in await shop.pool.fetch("select * from campaign_jobs"):
        for name in ("started_at", "waiting_since", "created_at", "claim_token", "platform_type"):
            assert getattr(claimed[row["id"]], name) == row[name]
    assert {claimed[key].rescues for key in (fresh, long)} == {0}
    assert (claimed[waited].rescues, claimed[waited].waiting_reason) == (3, "retry")
    told = {
        key: (json.loads(job.request.payload), job.request.request_id)
        for key, job in claimed.items()
        if job.request is not None
    }
    assert told == {fresh: ({"x": "a"}, None), waited: ({"x": "b"}, "req")}


async def test_a_job_that_is_not_due_is_left_alone(shop):
    job = await shop.job(await shop.account())
    await shop.pool.execute("update campaign_jobs set due_at = now() + interval '1 hour'")

    assert await shop.claim() == []

    await shop.pool.execute("update campaign_jobs set due_at = now()")
    assert [claimed.id for claimed in await shop.claim()] == [job]


async def test_no_more_jobs_of_an_account_run_than_it_allows(shop):
    busy, quiet = await shop.account(max_running=2), await shop.account(max_running=1)
    for _ in range(5):
        await shop.job(busy)
    await shop.job(quiet)

    claimed = await shop.claim()

    assert Counter(job.ad_account_id for job in claimed) == {busy: 2, quiet: 1}


async def test_the_limit_is_exact_when_many_workers_claim_at_once(shop):
    accounts = [await shop.account(max_running=3) for _ in range(4)]
    for account in accounts:
        for _ in range(12):
            await shop.job(account)
    ids = [uuid4() for _ in range(8)]
    for worker_id in ids:
        await workers.register_worker(shop.pool, id=worker_id, host="test", process_id=1)

    claims = await asyncio.gather(*(claim_jobs(shop.pool, worker_id=i, want=6) for i in ids))

    counted = Counter(job.ad_account_id for jobs in claims for job in jobs)
    assert counted == dict.fromkeys(accounts, 3)


async def test_a_throttled_account_waits_until_its_time(shop):
    account = await shop.account(throttled_until=None)
    await shop.job(account)
    await shop.pool.execute("update ad_accounts set throttled_until = now() + interval '1 hour'")
    assert await shop.claim() == []

    await shop.pool.execute("update ad_accounts set throttled_until = now()")

    assert len(await shop.claim()) == 1


async def test_started_jobs_come_first_then_high_normal_and_low(shop):
    account = await shop.account(max_running=100)
    low, normal, high = [await shop.job(account, lane=lane) for lane in (3, 2, 1)]
    started = await shop.job(account, lane=3)
    await shop.pool.execute("update campaign_jobs set lane = 0 where id = $1", started)
    await shop.pool.execute("update campaign_jobs set due_at = date_trunc('second', now())")

    taken = [(await shop.claim(want=3)), (await shop.claim(want=3))]

    assert {job.id for job in taken[0]} == {started, high, normal}
    assert [job.id for job in taken[1]] == [low]


async def test_a_quarter_of_a_batch_goes_by_age_so_nothing_starves(shop):
    account = await shop.account(max_running=100)
    old_and_low = await shop.job(account, lane=3)
    await shop.pool.execute("update campaign_jobs set due_at = now() - interval '1 hour'")
    for _ in range(20):
        await shop.job(account, lane=1)

    claimed = await shop.claim(want=8)

    assert len(claimed) == 8
    assert old_and_low in {job.id for job in claimed}


@pytest.mark.parametrize("others", [0, 200])
async def test_within_an_account_of_one_place_low_priority_has_its_turn(shop, others):
    account, noisy = await shop.account(max_running=1), await shop.account(max_running=1)
    low = await shop.job(account, lane=3)
    await shop.pool.execute("update campaign_jobs set due_at = now() - interval '1 hour'")
    for _ in range(others):
        await shop.job(noisy, lane=1)

    taken = set()
    for _ in range(60):
        await shop.job(account, lane=1)
        claimed = await shop.claim(want=4)
        taken |= {job.id for job in claimed}
        await shop.pool.execute(
            "update campaign_jobs set claim_token = null, worker_id = null, status = 'SUCCESS', "
            "finished_at = now() where id = any ($1::uuid[]) and ad_account_id = $2",
            [job.id for job in claimed],
            account,
        )

    assert low in taken


async def test_a_full_account_with_a_long_queue_hides_nobody(shop):
    noisy, small = await shop.account(max_running=1), await shop.account()
    for _ in range(200):
        await shop.job(noisy, lane=1)
    waiting = await shop.job(small, lane=3)

    claimed = await shop.claim(want=10)

    assert waiting in {job.id for job in claimed}
    assert Counter(job.ad_account_id for job in claimed)[noisy] == 1


async def test_the_sweep_reaches_every_account_in_turn(shop):
    noisy = await shop.account(max_running=1)
    for _ in range(100):
        await shop.job(noisy, lane=1)
    full = [await shop.account(max_running=1) for _ in range(100)]
    for account in full:
        await shop.job(account)
        await shop.job(account)

    claims = [await shop.claim(want=20) for _ in range(8)]

    counted = Counter(job.ad_account_id for jobs in claims for job in jobs)
    assert counted == dict.fromkeys([noisy, *full], 1)


async def test_the_sweep_takes_turns_when_one_place_becomes_free_at_a_time(shop):
    noisy = await shop.account(max_running=1)
    for _ in range(100):
        await shop.job(noisy)
    small = [await shop.account() for _ in range(10)]
    for account in small:
        for _ in range(6):
            await shop.job(account)
    await shop.claim(want=1)
    taken = []

    for _ in range(2 * len(small)):
        (job,) = await shop.claim(want=1)
        taken.append(job.ad_account_id)
        await shop.pool.execute(
            "update campaign_jobs set status = 'SUCCESS', claim_token = null, worker_id = null, "
            "finished_at = now() where id = $1",
            job.id,
        )

    assert Counter(taken) == dict.fromkeys(small, 2)


@pytest.mark.parametrize("state", ["empty", "never analysed", "large"])
async def test_hot_statements_walk_indexes_whatever_the_statistics_say(shop, state):
    if state != "empty":
        account = await shop.account()
        await shop.pool.execute(
            """insert into campaign_jobs (id, ad_account_id, platform_type, mode, status)
               select gen_random_uuid(), $1, 'META', 'sandbox', 'SUCCESS'
               from generate_series(1, $2)""",
            account,
            200 if state == "never analysed" else 20_000,
        )
        await shop.job(account)
    if state == "large":
        await shop.pool.execute("analyze campaign_jobs")
    connection = await connect(shop.url, name="test", settings=HOT_SETTINGS)
    moves = await connect(shop.url, name="test", settings=MOVE_SETTINGS)

    of_claimed_jobs = [
        await explain(moves, campaign_jobs.MOVE_CAMPAIGN_JOBS, MOVE),
        await explain(connection, job_steps.START_NEW_STEPS, START_NEW),
        await explain(connection, job_steps.START_STEPS, START),
    ]
    plans = [
        *of_claimed_jobs,
        await explain(connection, HEAD_OF_CLAIM, [2, 64]),
        await explain(connection, COUNT_OF_ACCOUNT, [uuid4()]),
        await explain(connection, job_steps.RECORD_DONE_STEPS, RECORD_DONE),
        await explain(connection, job_steps.RECORD_STEPS, RECORD),
    ]

    await connection.close()
    await moves.close()
    for plan in plans:
        assert on_tables(plan)
        assert "Seq Scan" not in {node["Node Type"] for node in on_tables(plan)}
    for plan in of_claimed_jobs:
        # else each of their flushes would read all that any worker has in hand
        assert indexes_of_jobs(plan) == {"campaign_jobs_pkey"}


async def test_a_claim_reads_no_more_of_a_long_queue_than_it_takes(shop):
    await _long_queue(shop, await shop.account(max_running=1000))

    claimed, told = await _claim_explained(shop, want=10)

    assert claimed == 10
    assert "LockRows" in told
    assert "Seq Scan on campaign_jobs" not in told
    assert [
        int(n) for n in re.findall(r"Rows Removed by Filter: (\d+)", told) if int(n) > 100
    ] == []


async def test_a_large_claim_counts_in_one_walk_and_does_not_look_at_requests(shop):
    for _ in range(20):
        await _long_queue(shop, await shop.account(max_running=1000), jobs=10)

    claimed, told = await _claim_explained(shop, want=150)

    assert claimed == 150
    counts = re.findall(r"using claimed_jobs_by_account on .*loops=(\d+)", told)
    requests = re.findall(r"using campaign_requests_pkey on .*\((.*)\)", told)
    assert counts == ["1"]
    assert requests == ["never executed"]


async def _long_queue(shop, account, jobs=5000):
    await shop.pool.execute(
        """with made as (
               insert into campaign_jobs (id, ad_account_id, platform_type, mode)
               select gen_random_uuid(), $1, 'META', 'sandbox' from generate_series(1, $2)
               returning id)
           insert into campaign_requests (campaign_job_id, payload) select id, '{}' from made""",
        account,
        jobs,
    )


async def _claim_explained(shop, want):
    """How many jobs a claim took, and the plans of its statements as they were run."""
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)
    connection = await connect(shop.url, name="test", settings=CLAIM_SETTINGS)
    plans = []
    connection.add_log_listener(lambda _, message: plans.append(message.message))
    await connection.execute(
        """load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on;
           set auto_explain.log_nested_statements = on; set client_min_messages = log"""
    )
    claimed = await claim_jobs(connection, worker_id=shop.worker_id, want=want)
    await connection.close()
    return len(claimed), "\n".join(plans)


START = [[uuid4()], '["campaign"]', [0], "campaign", [0], [b""], [uuid4()], [uuid4()], [60]]
START_NEW = [str(uuid4()), '["campaign"]', "0", "campaign", "", str(uuid4()), "60"]
RECORD_DONE = [1, str(uuid4()), "", str(uuid4()), "[null]", '[{"step": "campaign"}]']
RECORD = [
    [uuid4()],
    [None],
    '["campaign"]',
    [],
    [uuid4()],
    "DONE",
    [],
    [],
    "[null]",
    "[null]",
    [None],
    [None],
    [],
]
MOVE = [[uuid4()], [uuid4()], "SUCCESS", [0.0], [None], [None], [None], [None], [None]]
HEAD_OF_CLAIM = """
select c.id from campaign_jobs as c
where c.lane = $1::smallint and c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
  and c.due_at <= now() order by c.due_at limit $2::integer"""
COUNT_OF_ACCOUNT = """
select count(*) from campaign_jobs as c where c.ad_account_id = $1::uuid and c.claim_token is not null"""


async def explain(connection, sql, arguments):
    await connection.execute("set plan_cache_mode = force_generic_plan")
    text = await connection.fetchval(f"explain (format json) {sql}", *arguments)
    return json.loads(text)[0]["Plan"]


def indexes_of_jobs(plan):
    return {n["Index Name"] for n in on_tables(plan) if n["Relation Name"] == "campaign_jobs"}


def on_tables(node):
    """The nodes of a plan that read jobs or steps."""
    found = (
        [node]
        if node.get("Relation Name") in ("campaign_jobs", "job_steps")
        and "Scan" in node["Node Type"]
        else []
    )
    for child in node.get("Plans", []):
        found += on_tables(child)
    return found

"""What stands in the rows of a job when its caller has cancelled it, or asked for a retry."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from models.gen import campaign_jobs
from tests.workers.running import connected, until

TEAM = uuid4()
ENDED = ["FAILED", "PARTIAL_SUCCESS", "CANCELLED"]
WAITING = "select count(*) from pg_locks where not granted and locktype = 'transactionid'"
STATUSES = ["PENDING", "RUNNING", "IN_DOUBT", "WAITING", "FAILED", "DONE"]


@pytest.fixture
async def job_id(shop):
    job_id = await shop.job(await shop.account())
    await shop.pool.execute("update campaign_jobs set team_id = $1", TEAM)
    return job_id


def cancel(connection, job_id, team_id=TEAM):
    return campaign_jobs.cancel_campaign_job(connection, id=job_id, team_id=team_id)


def retry(connection, job_id, team_id=TEAM):
    return campaign_jobs.retry_campaign_job(connection, id=job_id, team_id=team_id)


async def waiting(shop):
    await shop.claim()
    await shop.free()
    await shop.pool.execute(
        "update campaign_jobs set waiting_reason = 'retry', waiting_since = now(), error_code = 'x'"
    )


async def end(shop, status):
    await shop.claim()
    await shop.pool.execute(
        """update campaign_jobs set status = $1, claim_token = null, worker_id = null, lane = 3,
               finished_at = now(), due_at = now() + interval '1 hour', rescues = 19, error_code = 'x',
               error = '{}', cancel_requested_at = now(), waiting_reason = 'retry', waiting_since = now(),
               updated_at = now() - interval '1 hour'""",
        status,
    )


async def told(shop):
    """All events but those of workers."""
    rows = await shop.pool.fetch(
        "select kind, team_id, data from job_events where kind <> 'job.started' order by id"
    )
    return [(row["kind"], row["team_id"], msgspec.json.decode(row["data"])) for row in rows]


async def step(shop, job_id, name, status, looks=0):
    await shop.pool.execute(
        """insert into job_steps (campaign_job_id, name, position, kind, status, attempt, looks, error,
               due_at, claim_token, intent_at, started_at, finished_at)
           values ($1, $2, 0, 'campaign', $3, 7, $4, '{}', now(), gen_random_uuid(), now(), now(), now())""",
        job_id,
        name,
        status,
        looks,
    )


async def test_a_job_that_waits_is_over_when_it_is_cancelled(shop, job_id):
    await waiting(shop)
    await shop.pool.execute("update campaign_jobs set updated_at = now() - interval '1 hour'")

    assert await cancel(shop.pool, job_id) == job_id

    row = await shop.pool.fetchrow(
        """select status, waiting_reason, waiting_since, cancel_requested_at is not null as is_asked,
               finished_at = updated_at as is_over, updated_at > now() - interval '1 minute' as is_written
           from campaign_jobs"""
    )
    assert tuple(row) == ("CANCELLED", None, None, True, True, True)
    assert await told(shop) == [("job.finished", TEAM, {"status": "CANCELLED", "code": None})]


async def test_a_job_that_runs_is_asked_to_stop_once_however_often_it_is_cancelled(shop, job_id):
    await shop.claim()
    asked_at = "select cancel_requested_at from campaign_jobs"

    await cancel(shop.pool, job_id)
    first = await shop.value(asked_at)
    await cancel(shop.pool, job_id)

    assert await shop.value(asked_at) == first is not None
    assert (
        await shop.value("select (status, finished_at)::text from campaign_jobs") == "(PROCESSING,)"
    )
    assert await told(shop) == [("job.cancel_requested", TEAM, {"status": "PROCESSING"})]


async def test_the_end_of_a_job_that_was_asked_to_stop_before_its_worker_died_is_told(shop, job_id):
    await shop.claim()
    await cancel(shop.pool, job_id)
    await shop.free()

    await cancel(shop.pool, job_id)

    assert (await told(shop))[-1] == (
        "job.finished",
        TEAM,
        {"status": "CANCELLED", "code": None},
    )


@pytest.mark.usefixtures("patient")
async def test_two_who_cancel_at_one_time_are_told_of_one_wish(shop, job_id):
    await shop.claim()
    async with connected(shop) as own:
        async with own.transaction():
            await cancel(own, job_id)
            other = asyncio.create_task(cancel(shop.pool, job_id))
            await until(lambda: own.fetchval(WAITING))
        assert await other == job_id

    assert len(await told(shop)) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("left", "answer", "status"),
    [("SUCCESS", False, "SUCCESS"), ("PROCESSING", True, "CANCELLED")],
)
async def test_what_a_worker_writes_meanwhile_decides_what_a_wish_to_cancel_does(
    shop, job_id, left, answer, status
):
    """A job that was let go then has nobody who would hear of it."""
    await shop.claim()
    async with connected(shop) as own:
        async with own.transaction():
            await own.execute(
                """update campaign_jobs set status = $1, claim_token = null, worker_id = null,
                       finished_at = case when $1::job_status = 'SUCCESS' then now() end""",
                left,
            )
            cancelled = asyncio.create_task(cancel(shop.pool, job_id))
            await until(lambda: own.fetchval(WAITING))
        assert (await cancelled == job_id) is answer

    assert await shop.value("select status from campaign_jobs") == status


@pytest.mark.parametrize("status", ["SUCCESS", *ENDED])
async def test_what_is_over_is_not_cancelled(shop, job_id, status):
    await end(shop, status)

    assert await cancel(shop.pool, job_id) is None

    assert await told(shop) == []


@pytest.mark.parametrize("move", [cancel, retry])
async def test_nobody_moves_a_job_of_another_team(shop, job_id, move):
    if move is retry:
        await end(shop, "FAILED")

    assert await move(shop.pool, job_id, uuid4()) is None

    assert await told(shop) == []


@pytest.mark.parametrize("status", ENDED)
async def test_a_job_that_is_tried_again_reads_like_a_new_one_that_is_next(shop, job_id, status):
    await end(shop, status)

    assert await retry(shop.pool, job_id) == job_id

    row = await shop.pool.fetchrow(
        """select status, lane, rescues, error, error_code, cancel_requested_at, finished_at,
               waiting_reason, waiting_since, due_at = updated_at as is_due,
               updated_at > now() - interval '1 minute' as is_written from campaign_jobs"""
    )
    assert tuple(row) == ("PENDING", 0, 0, None, None, None, None, None, None, True, True)
    assert await told(shop) == [("job.retried", TEAM, {})]


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "SUCCESS"])
async def test_what_is_not_over_or_succeeded_is_not_tried_again(shop, job_id, status):
    if status == "PROCESSING":
        await waiting(shop)
    if status == "SUCCESS":
        await end(shop, status)

    assert await retry(shop.pool, job_id) is None

    assert await told(shop) == []


async def test_a_retry_keeps_what_is_done_and_every_doubt_and_begins_all_else_anew(shop, job_id):
    for status in STATUSES:
        await step(shop, job_id, status, status)
    await step(shop, job_id, "given up in doubt", "FAILED", looks=1)
    await end(shop, "FAILED")

    await retry(shop.pool, job_id)

    rows = await shop.pool.fetch(
        """select name, status, attempt, looks, error, due_at, started_at, finished_at from job_steps
           where status <> 'DONE'"""
    )
    assert {row["name"]: row["status"] for row in rows} == {
        "PENDING": "PENDING",
        "RUNNING": "RUNNING",
        "IN_DOUBT": "IN_DOUBT",
        "WAITING": "PENDING",
        "FAILED": "PENDING",
        "given up in doubt": "IN_DOUBT",
    }
    assert {tuple(row)[2:] for row in rows} == {(0, 0, None, None, None, None)}
    done = await shop.pool.fetchrow(
        "select attempt, started_at is not null, finished_at is not null from job_steps where status = 'DONE'"
    )
    assert tuple(done) == (7, True, True)


async def test_a_retry_leaves_the_steps_of_other_jobs_as_they_are(shop, job_id):
    other = await shop.job(await shop.account())
    await step(shop, other, "campaign", "FAILED")
    await end(shop, "FAILED")

    await retry(shop.pool, job_id)

    assert await shop.value("select (status, attempt)::text from job_steps") == "(FAILED,7)"


async def test_other_jobs_stay_where_they_are(shop, job_id):
    other = await shop.job(await shop.account())
    await shop.pool.execute("update campaign_jobs set team_id = $1", TEAM)

    await cancel(shop.pool, job_id)

    rows = await shop.pool.fetch("select id, status from campaign_jobs")
    assert {row["id"]: row["status"] for row in rows} == {job_id: "CANCELLED", other: "PENDING"}


async def test_new_credentials_wake_the_jobs_that_wait_for_them_and_no_others(shop):
    account = await shop.account(max_running=10)
    woken, sleeping, held = [await shop.job(account) for _ in range(3)]
    stranger = await shop.job(await shop.account())
    await shop.claim()
    for job_id, reason in (
        (woken, "reauth_required"),
        (sleeping, "retry"),
        (held, "reauth_required"),
        (stranger, "reauth_required"),
    ):
        await shop.pool.execute(
            """update campaign_jobs set due_at = now() + interval '1 day', waiting_reason = $2,
                   waiting_since = now(), claim_token = case when $3 then claim_token end,
                   worker_id = case when $3 then worker_id end
               where id = $1""",
            job_id,
            reason,
            job_id == held,
        )

    assert (
        await campaign_jobs.wake_jobs_after_reauthorisation(shop.pool, ad_account_id=account) == 1
    )

    row = await shop.pool.fetchrow(
        """select array_agg(id) as ids, bool_and(waiting_reason is null and waiting_since is null) as is_plain
           from campaign_jobs where due_at <= now()"""
    )
    assert tuple(row) == ([woken], True)

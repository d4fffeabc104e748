"""What stands in the job's row when a run is over, for each way in which it can be over."""

import msgspec
import pytest
import structlog

from common.errors import ClaimLost
from common.log import merge_ids
from models.gen import workers
from models.job import JobError
from tests.workers.ledgers import PACE, STEP, Platform
from tests.workers.running import NEVER, Scripted, finished, let_go, until, waits, working
from workers.kinds import Ended, Interrupted, Parked
from workers.platforms.base import Done

ERROR = JobError(code="busy", message="busy", step="campaign", retryable=True)
REFUSE = """
    create function refuse() returns trigger language plpgsql as $$ begin
        raise check_violation;
    end $$;
    create trigger refuse before update on campaign_jobs for each row
    when (old.id = '{}' and old.claim_token is not null and new.claim_token is null)
    execute function refuse();
"""
AWAY = """
    create function go_away() returns trigger language plpgsql as $$ begin
        raise admin_shutdown;
    end $$;
    create trigger go_away before update on ad_accounts for each row execute function go_away();
"""


class Always(Scripted):
    """Each run ends alike: what stands in the row is seen also when the next one was quicker."""

    def __init__(self, part):
        super().__init__()
        self._part = part

    async def __call__(self, run):
        self.script = [self._part]
        return await super().__call__(run)


@pytest.fixture
async def job_id(shop):
    return await shop.job(await shop.account())


async def throttled_for(shop):
    sql = "select extract(epoch from throttled_until - now())::float8 from ad_accounts"
    return await shop.value(sql)


async def test_a_job_that_waits_says_for_what_how_long_and_what_it_met(shop, job_id):
    async with working(shop, Scripted(Parked(77, "media_processing", ERROR))):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == (
        "PROCESSING",
        "media_processing",
        77,
    )
    assert job["error_code"] == "busy"
    assert msgspec.json.decode(job["error"], type=JobError) == ERROR
    assert await throttled_for(shop) is None


async def test_a_job_may_wait_without_any_error(shop, job_id):
    async with working(shop, Scripted(Parked(77, "in_doubt"))):
        job = await let_go(shop, job_id)

    assert (job["waiting_reason"], job["error_code"], job["error"]) == ("in_doubt", None, None)


async def test_a_throttle_holds_for_the_whole_account(shop, job_id):
    other = await shop.account()

    async with working(shop, Scripted(Parked(600, "throttled"))):
        await let_go(shop, job_id)

    assert (
        await shop.value(
            "select extract(epoch from throttled_until - now())::float8 from ad_accounts where id <> $1",
            other,
        )
        > 500
    )
    assert await shop.value("select throttled_until from ad_accounts where id = $1", other) is None


async def test_a_job_of_a_kind_that_nobody_knows_waits_for_another_worker(shop):
    job_id = await shop.job(await shop.account(), kind="STRANGE")

    async with working(shop, Scripted()):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == ("PROCESSING", "not_ready", 30)
    assert job["error_code"] is None


async def test_a_run_without_a_database_goes_on_in_two_seconds(shop, job_id):
    async with working(shop, Always(ConnectionResetError())):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == ("PROCESSING", "retry", 2)
    assert job["error_code"] is None


async def test_an_interrupted_run_goes_on_at_once(shop, job_id):
    handler = Scripted(Interrupted())

    async with working(shop, handler):
        job = await finished(shop, job_id)

    assert (job["status"], len(handler.runs)) == ("SUCCESS", 2)
    assert await shop.value("select count(*) from job_events where kind = 'job.waiting'") == 0


async def test_a_dead_token_takes_the_account_out_of_service(shop, job_id):
    async with working(shop, Scripted(Parked(604_800, "reauth_required", ERROR))):
        job = await let_go(shop, job_id)

    assert (job["waiting_reason"], waits(job), job["error_code"]) == (
        "reauth_required",
        604_800,
        "busy",
    )
    assert await shop.value("select status from ad_accounts") == "REQUIRES_REAUTH"


async def test_a_token_that_was_replaced_meanwhile_is_tried_at_once(shop, job_id):
    async def replaced(_run):
        await shop.pool.execute(
            "update ad_accounts set credentials_version = credentials_version + 1"
        )
        return Parked(604_800, "reauth_required", ERROR)

    handler = Scripted(replaced)

    async with working(shop, handler):
        job = await finished(shop, job_id)

    assert (job["status"], len(handler.runs)) == ("SUCCESS", 2)
    assert await shop.value("select status from ad_accounts") == "ACTIVE"


async def test_a_job_that_killed_twenty_workers_is_not_run_again(shop, job_id):
    await shop.pool.execute("update campaign_jobs set rescues = 20")
    handler = Scripted()

    async with working(shop, handler):
        job = await finished(shop, job_id)

    assert (job["status"], job["error_code"]) == ("FAILED", "worker_lost")
    assert handler.runs == []
    assert [run.job.id for run in handler.left] == [job_id]


async def test_a_crash_ends_the_job_with_an_error_that_may_be_retried(shop, job_id):
    handler = Scripted(LookupError("secret"))

    async with working(shop, handler):
        job = await finished(shop, job_id)

    assert handler.left == handler.runs
    error = msgspec.json.decode(job["error"], type=JobError)
    assert (job["status"], error.code, error.retryable) == ("FAILED", "internal_error", True)
    assert error.remedy
    assert "secret" not in job["error"]


async def test_a_crash_of_a_job_that_has_made_something_is_a_partial_success(shop, job_id):
    async def make_and_crash(run):
        await run.ledger.step(STEP, Platform(Done("1")).effect, PACE)
        raise LookupError

    async with working(shop, Scripted(make_and_crash, abandoned=LookupError())):
        job = await finished(shop, job_id)

    assert (job["status"], job["error_code"]) == ("PARTIAL_SUCCESS", "internal_error")


async def test_an_end_that_the_database_refuses_is_tried_again_in_a_minute(shop, job_id):
    async with working(shop, Scripted(Ended("SUCCESS", result="{no json"))):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == ("PROCESSING", "retry", 60)
    assert job["error_code"] == "internal_error"


@pytest.mark.parametrize("reason", ["throttled", "reauth_required"])
async def test_an_outage_while_its_account_is_told_costs_a_job_two_seconds(shop, job_id, reason):
    await shop.pool.execute(AWAY)

    async with working(shop, Always(Parked(604_800, reason, ERROR))):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == ("PROCESSING", "retry", 2)
    assert job["error_code"] is None


async def test_a_run_whose_account_cannot_be_told_gives_its_job_back(shop, job_id):
    """No such moment can be written."""
    async with working(shop, Scripted(Parked(1e300, "throttled")), poll_seconds=NEVER):
        job = await let_go(shop, job_id)

    assert (job["status"], job["waiting_reason"], waits(job)) == ("PROCESSING", "retry", 60)


async def test_a_worker_outlives_a_job_whose_row_nobody_can_write(shop, job_id):
    await shop.pool.execute(REFUSE.format(job_id))
    other = await shop.job(await shop.account())

    with structlog.testing.capture_logs() as lines:
        async with working(shop, Scripted()):
            await until(lambda: "job.not_written" in {line["event"] for line in lines})
            job = await finished(shop, other)

    assert job["status"] == "SUCCESS"


async def test_a_run_that_was_out_of_touch_begins_again_and_nothing_counts(shop, job_id):
    handler = Scripted(ClaimLost("out of touch", code="out_of_touch"))

    async with working(shop, handler):
        job = await finished(shop, job_id)

    assert (job["status"], job["rescues"], len(handler.runs)) == ("SUCCESS", 0, 2)


async def test_the_end_of_a_run_whose_job_another_worker_has_is_not_written(shop, job_id):
    other = await shop.value("select gen_random_uuid()")
    await workers.register_worker(shop.pool, id=other, host="elsewhere", process_id=1)

    async def taken(_run):
        await shop.pool.execute(
            "update campaign_jobs set claim_token = gen_random_uuid(), worker_id = $1", other
        )
        return Ended("FAILED", error=ERROR)

    with structlog.testing.capture_logs() as lines:
        async with working(shop, Scripted(taken)):
            lost = await until(lambda: [line for line in lines if line["event"] == "job.lost"])

    assert lost[0]["reason"] == "claim_lost"
    row = await shop.pool.fetchrow("select status, worker_id, error_code from campaign_jobs")
    assert tuple(row) == ("PROCESSING", other, None)


async def test_a_run_has_the_account_the_earlier_steps_and_the_databases_time(shop, job_id):
    async def make_and_pause(run):
        await run.ledger.step(STEP, Platform(Done("1")).effect, PACE)
        return Interrupted()

    behind = []

    async def look(run):
        now = run.ledger.now()
        behind.append(await shop.value("select clock_timestamp()") - now)
        return Ended("SUCCESS")

    handler = Scripted(make_and_pause, look)
    async with working(shop, handler):
        await finished(shop, job_id)

    first, second = handler.runs
    assert first.job.id == second.job.id == job_id
    assert first.account.id == first.job.ad_account_id
    assert second.ledger.outcomes == {"campaign": Done("1")}
    assert 0 <= behind[0].total_seconds() < 30
    assert second.guard() is None


async def test_lines_of_a_run_carry_its_job_and_its_request(shop, job_id):
    await shop.pool.execute("update campaign_requests set request_id = 'asked-1'")
    lines = []

    async def log_something(_run):
        lines.append(merge_ids(None, "", {}))
        return Ended("SUCCESS")

    async with working(shop, Scripted(log_something)):
        await finished(shop, job_id)

    assert lines == [{"job_id": str(job_id), "request_id": "asked-1"}]


async def test_lines_of_a_job_that_no_request_is_known_of_say_so(shop, job_id):
    lines = []

    async def log_something(_run):
        lines.append(merge_ids(None, "", {}))
        return Ended("SUCCESS")

    async with working(shop, Scripted(log_something)):
        await finished(shop, job_id)

    assert lines == [{"job_id": str(job_id), "request_id": ""}]

"""Which jobs must not run again, and what is written when a run ends."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
import structlog

from common.errors import ClaimLost
from models.gen.campaign_jobs import ListRequestsRow
from models.gen.rows import AdAccount
from models.job import JobError
from workers.claimed import ClaimedJob
from workers.endings import (
    CRASHED,
    MOST_RESCUES,
    ended,
    going_on,
    let_go,
    parked,
    require_written,
    too_often,
)
from workers.kinds import Ended, Parked, Run
from workers.ledger import Ledger
from workers.writes import Move, Writes

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WEEK = timedelta(days=7)
TOKEN = UUID(int=2)


def claimed(**columns) -> ClaimedJob:
    values = {
        **dict.fromkeys(ClaimedJob.__struct_fields__),
        "id": UUID(int=1),
        "kind": "BUILD_CAMPAIGN",
        "claim_token": TOKEN,
        "rescues": 0,
        "claimed_at": NOW,
        **columns,
    }
    return ClaimedJob(**values)


def run_of(job: ClaimedJob) -> Run:
    account = AdAccount(**dict.fromkeys(AdAccount.__struct_fields__))
    ledger = Ledger(job, "{}", (), Writes("postgresql:///never_asked"), claimed_at=0)
    return Run(job, ListRequestsRow(job.id, "{}", None, None), account, ledger, lambda: None)


def waiting(reason, *, since):
    return claimed(waiting_reason=reason, waiting_since=since)


@pytest.mark.parametrize(
    "job",
    [
        claimed(),
        claimed(rescues=MOST_RESCUES - 1),
        waiting("reauth_required", since=NOW - WEEK + timedelta(seconds=1)),
        waiting("reauth_required", since=None),
        waiting("throttled", since=NOW - 2 * WEEK),
        waiting(None, since=NOW - 2 * WEEK),
    ],
)
def test_a_job_whose_time_is_not_over_may_run(job):
    assert too_often(job) is None


def test_a_job_that_twenty_workers_died_on_runs_no_more():
    error = too_often(claimed(rescues=20))

    assert error is not None
    assert (error.code, error.retryable) == ("worker_lost", True)
    assert error.message.startswith("20 workers died")
    assert error.remedy


def test_a_job_that_was_rescued_even_oftener_runs_no_more():
    assert too_often(claimed(rescues=21)) is not None


@pytest.mark.parametrize("age", [WEEK, 2 * WEEK])
def test_a_job_waits_seven_days_for_new_credentials(age):
    error = too_often(waiting("reauth_required", since=NOW - age))

    assert error is not None
    assert (error.code, error.retryable) == ("reauth_timed_out", True)
    assert "seven days" in error.message
    assert error.remedy


def test_a_crash_of_our_own_is_told_with_a_remedy_and_may_be_retried():
    assert (CRASHED.code, CRASHED.retryable) == ("internal_error", True)
    assert " " in CRASHED.message
    assert " " in CRASHED.remedy


def test_an_end_is_written_with_all_that_the_run_brought():
    error = JobError(step="ad[0][0]", code="page_missing", message="No such page.")
    outcome = Ended("PARTIAL_SUCCESS", platform_campaign_id="7", result='{"a":1}', error=error)

    move = ended(run_of(claimed()), outcome)

    assert move == Move(
        UUID(int=1),
        TOKEN,
        "PARTIAL_SUCCESS",
        result='{"a":1}',
        platform_campaign_id="7",
        error_code="page_missing",
        error=msgspec.json.encode(error).decode(),
        kind="BUILD_CAMPAIGN",
    )


def test_an_end_without_an_error_writes_none():
    move = ended(run_of(claimed()), Ended("SUCCESS"))

    assert move == Move(UUID(int=1), TOKEN, "SUCCESS", kind="BUILD_CAMPAIGN")


def test_a_wait_is_written_with_its_length_its_reason_and_what_was_met():
    error = JobError(step="ad[0][0]", code="busy", message="Busy.")

    move = parked(run_of(claimed()), Parked(77, "throttled", error))

    assert move == Move(
        UUID(int=1),
        TOKEN,
        "PROCESSING",
        delay_seconds=77,
        waiting_reason="throttled",
        error_code="busy",
        error=msgspec.json.encode(error).decode(),
        kind="BUILD_CAMPAIGN",
    )


def test_a_wait_without_an_error_writes_none():
    move = parked(run_of(claimed()), Parked(77, "in_doubt"))

    assert move == Move(
        UUID(int=1), TOKEN, "PROCESSING", 77, waiting_reason="in_doubt", kind="BUILD_CAMPAIGN"
    )


def test_a_job_whose_end_cannot_be_written_is_let_go_for_a_minute():
    assert let_go(run_of(claimed())) == Move(
        UUID(int=1),
        TOKEN,
        "PROCESSING",
        delay_seconds=60,
        waiting_reason="retry",
        error_code="internal_error",
        kind="BUILD_CAMPAIGN",
    )


def test_a_run_that_goes_on_keeps_its_kind_for_whoever_counts_its_end():
    move = going_on(run_of(claimed()))

    assert move == Move(UUID(int=1), TOKEN, "PROCESSING", kind="BUILD_CAMPAIGN")


def test_an_end_that_was_not_ours_to_write_is_no_end():
    with pytest.raises(ClaimLost) as lost:
        require_written(Move(UUID(int=1), TOKEN, "SUCCESS"), status=False)

    assert lost.value.code == "claim_lost"
    assert " " in lost.value.message


def test_the_log_says_what_became_of_a_run():
    waiting = Move(UUID(int=1), TOKEN, "PROCESSING", 77.0, "in_doubt", error_code="token_rejected")
    failed = Move(UUID(int=1), TOKEN, "FAILED", error_code="busy")

    with structlog.testing.capture_logs() as lines:
        require_written(waiting, "PROCESSING")
        require_written(failed, "FAILED")
        require_written(waiting, "CANCELLED")

    info = {"log_level": "info"}
    assert lines == [
        {"event": "job.waiting", "reason": "in_doubt", "seconds": 77.0, **info},
        {"event": "job.finished", "status": "FAILED", "code": "busy", **info},
        {"event": "job.finished", "status": "CANCELLED", "code": None, **info},
    ]

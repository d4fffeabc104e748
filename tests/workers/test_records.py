"""A step's row as a ledger remembers it, and the words for what a step has met."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from common.errors import Reject, Retry, Unknown, Wait
from models.gen.rows import JobStep
from workers import records
from workers.writes import Intent

NOW = datetime(2026, 11, 21, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
LATELY = NOW - timedelta(minutes=29)
INTENT = Intent(
    campaign_job_id=UUID(int=1),
    claim_token=UUID(int=2),
    name="ad[0][0]",
    position=5,
    kind="ad",
    attempt=3,
    request_digest=b"digest",
    previous_token=UUID(int=3),
    call_seconds=120,
)
BEGUN = JobStep(
    campaign_job_id=UUID(int=1),
    name="ad[0][0]",
    position=5,
    kind="ad",
    status="RUNNING",
    attempt=3,
    looks=0,
    request_digest=b"digest",
    outcome=None,
    platform_id=None,
    error=None,
    claim_token=UUID(int=2),
    intent_at=NOW,
    due_at=None,
    started_at=NOW,
    finished_at=None,
    call_seconds=120,
)


def test_a_step_that_is_begun_for_the_first_time_starts_now():
    assert records.begun(INTENT, None, NOW) == BEGUN


def test_a_step_that_is_begun_again_keeps_what_it_brought_and_met_and_when_it_started():
    kept = {"outcome": '{"session":"s1"}', "error": '{"code":"busy"}', "started_at": EARLIER}
    before = msgspec.structs.replace(
        BEGUN,
        **kept,
        status="WAITING",
        attempt=1,
        looks=2,
        due_at=EARLIER,
        intent_at=LATELY,
        call_seconds=20,
    )
    left_alone = msgspec.structs.replace(before, intent_at=EARLIER)

    begun = records.begun(INTENT, before, NOW)
    begun_anew = records.begun(INTENT, left_alone, NOW)

    assert begun == msgspec.structs.replace(BEGUN, **kept)
    assert begun_anew == msgspec.structs.replace(BEGUN, **{**kept, "started_at": NOW})


def test_a_step_whose_row_is_older_than_its_first_try_starts_now():
    waiting = msgspec.structs.replace(BEGUN, started_at=None, intent_at=None)

    assert records.begun(INTENT, waiting, NOW).started_at == NOW


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (Retry("busy", code="x"), True),
        (Unknown("nothing came", code="x"), True),
        (Wait("slow", code="x", reason="throttled", seconds=1), True),
        (Reject("no", code="x"), False),
        (Reject("not now", code="x", retryable=True), True),
    ],
)
def test_a_retry_may_help_unless_the_error_says_that_it_never_will(error, retryable):
    assert records.job_error("ad[0][0]", error).retryable is retryable


@pytest.mark.parametrize(
    "met",
    [
        records.last_error(BEGUN),
        records.not_yet(BEGUN, 1),
        records.in_doubt_for(1),
        records.unexpected(LookupError()),
    ],
    ids=lambda met: met.code,
)
def test_what_no_platform_has_put_into_words_is_put_into_words(met):
    assert " " in met.message

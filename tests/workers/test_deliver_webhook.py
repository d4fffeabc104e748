"""When a message is tried again: later each time, never all at one moment, and as the receiver asks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from common.guarded_http import Answer
from common.uuid7 import uuid7
from models.gen.webhook_deliveries import GetWebhookForRunRow
from workers.deliver_webhook import next_delay, told_by

PAUSES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""As docs/webhooks.md promises."""


def message(tries: int) -> GetWebhookForRunRow:
    return GetWebhookForRunRow(
        id=uuid7(),
        type="job.finished",
        campaign_job_id=None,
        facts="{}",
        body=None,
        status="PENDING",
        tries_since_queued=tries,
        happened_at=datetime.now(UTC),
        webhook_endpoint_id=uuid7(),
        team_id=uuid7(),
        mode="sandbox",
        url="https://example.com/hook",
        is_listening=True,
        is_previous_secret_good=False,
        read_at=datetime.now(UTC),
        request_id=None,
        traceparent=None,
    )


def answered(status: int = 500, retry_after: str | None = None) -> Answer:
    return Answer(status, retry_after, b"")


def test_pauses_grow_from_seconds_to_a_day_over_about_three_days():
    delays = [next_delay(message(tries), told_by(answered())) for tries in range(10)]

    *pauses, last = delays
    assert last is None
    assert pauses == [pytest.approx(planned, rel=0.1) for planned in PAUSES]
    assert all(before < after for before, after in pairwise(PAUSES))
    assert timedelta(days=2.5) < timedelta(seconds=sum(PAUSES)) < timedelta(days=3.5)


def test_messages_that_failed_together_come_back_spread():
    pauses = {next_delay(message(3), told_by(answered())) for _ in range(50)}

    assert len(pauses) > 40
    assert max(pauses) - min(pauses) > 0.05 * PAUSES[3]


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("1000", 1000, 1000),
        ("1", 270, 330),
        ("9" * 400, 86_400, 86_400),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 270, 330),
        ("-5", 270, 330),
        ("\u0663", 270, 330),
        ("", 270, 330),
        (None, 270, 330),
    ],
)
def test_a_receiver_may_ask_for_a_longer_pause_and_never_for_a_shorter(retry_after, least, most):
    delay = next_delay(message(1), told_by(answered(503, retry_after)))

    assert least <= delay <= most


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, None),
        (299, None),
        (101, "bad_status"),
        (300, "redirect_refused"),
        (399, "redirect_refused"),
        (404, "bad_status"),
        (410, "gone"),
        (599, "bad_status"),
    ],
)
def test_only_success_means_received(status, code):
    assert told_by(answered(status)).error_code == code

"""What happens again and again is told a few times, then now and then, with how much was left out."""

import pytest
import structlog

from common.seldom import Seldom


@pytest.fixture
def clock(monkeypatch):
    """Stands still until it is moved."""
    now = [1000.0]
    monkeypatch.setattr("common.clock.seconds", lambda: now[0])
    return now


def test_an_hour_of_failures_is_a_hundred_lines_that_count_all_of_them(clock):
    seldom = Seldom()

    with structlog.testing.capture_logs() as told:
        for _ in range(36_000):
            seldom.warning("upkeep.failed", error="ConnectionError")
            clock[0] += 0.1

    assert [line.get("untold_lines") for line in told[:5]] == [None] * 5
    assert len(told) == 5 + 3600 / 30 - 1
    assert sum(1 + line.get("untold_lines", 0) for line in told) == pytest.approx(36_000, abs=300)
    assert {(line["event"], line["log_level"]) for line in told} == {("upkeep.failed", "warning")}


def test_after_a_quiet_time_the_next_failures_are_told_at_once_again(clock):
    seldom = Seldom()
    for _ in range(10):
        seldom.warning("claim.failed")
    clock[0] += 90

    with structlog.testing.capture_logs() as told:
        for _ in range(10):
            seldom.warning("claim.failed")

    assert [line.get("untold_lines") for line in told] == [5, None, None]

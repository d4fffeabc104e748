"""What is shown of a job while somebody waits for it."""

import io
from pathlib import Path
from typing import Any

import pytest

from mojito.job_display import Display, Log, Picture, display_for

EXAMPLES = Path(__file__).parents[2] / "examples"


def job_view(**changes: Any) -> dict[str, Any]:
    job = {
        "id": "0199",
        "status": "PROCESSING",
        "progress": {"done": 1, "total": 2},
        "waiting": None,
        "cancel_requested": False,
        "finished_at": None,
        "error": None,
        "steps": [step("campaign", "DONE", platform_id="120"), step("ad_set[0]", "PENDING")],
    }
    return {**job, **changes}


def step(name: str, status: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "attempt": 0, "platform_id": None, "error": None} | rest


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_log_tells_each_change_once():
    out = io.StringIO()
    log = Log(out, "Spring sale")

    log.show(job_view())
    log.show(job_view())
    log.show(
        job_view(waiting={"reason": "media_processing", "until": "2026-11-20T12:00:00.951842Z"})
    )
    log.show(job_view(waiting={"reason": "media_processing", "until": "2026-11-20T12:00:02Z"}))

    lines = [line.split(" ", 1)[1] for line in out.getvalue().splitlines()]
    assert lines == [
        "campaign job 0199: Spring sale (2 steps)",
        "campaign DONE 120",
        "job PROCESSING 1/2",
        "job PROCESSING 1/2, waiting: media processing, until 2026-11-20T12:00:00Z",
    ]


def test_a_step_that_failed_or_is_tried_again_says_why():
    out = io.StringIO()
    failed = step("campaign", "FAILED", error={"code": "denied", "message": "no permission"})
    again = step("ad_set[0]", "WAITING", attempt=2, error={"code": "busy", "message": "later"})

    Log(out, "").show(job_view(steps=[failed, again], cancel_requested=True))

    shown = out.getvalue()
    assert "campaign FAILED denied: no permission" in shown
    assert "ad_set[0] WAITING (attempt 3) busy: later" in shown
    assert "asked to stop" in shown


def test_a_picture_is_drawn_over_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "24")
    out = Terminal()
    picture = Picture(out, "Spring sale", colours=False)

    picture.show(job_view())
    first = out.getvalue()
    picture.show(job_view(waiting={"reason": "throttled", "until": "2026-11-20T12:00:00Z"}))

    assert first.replace("\x1b[0m", "").splitlines() == [
        "PROCESSING  Spring sale  1/2  0 s",
        "  ✓ campaign DONE 120",
        "  · ad_set[0] PENDING",
    ]
    second = out.getvalue().removeprefix(first)
    assert second.startswith("\x1b[3F\x1b[J")
    assert "waiting: throttled" in second
    assert max(map(len, second.replace("\x1b[0m", "").splitlines()[1:])) < 40


def test_a_picture_higher_than_the_terminal_is_cut(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "8")
    out = Terminal()

    Picture(out, "many", colours=True).show(
        job_view(steps=[step(f"ad[{n}]", "PENDING") for n in range(20)])
    )

    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert "and 16 more" in lines[-1]


@pytest.mark.parametrize(
    ("out", "term", "kind"),
    [(Terminal(), "xterm", Picture), (Terminal(), "dumb", Log), (io.StringIO(), "xterm", Log)],
)
def test_only_a_terminal_that_can_is_drawn_on(
    monkeypatch: pytest.MonkeyPatch, out: io.StringIO, term: str, kind: type[Display]
):
    monkeypatch.setenv("TERM", term)

    assert type(display_for(out, "")) is kind


def test_no_colour_is_used_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()

    display_for(out, "").show(job_view())

    assert "\x1b[32m" not in out.getvalue()


def test_a_single_step_is_no_steps():
    out = io.StringIO()

    Log(out, "Spring sale").show(job_view(progress={"done": 0, "total": 1}))

    assert out.getvalue().splitlines()[0].endswith("Spring sale (1 step)")

"""The README's calls, run as they stand there against a started installation."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.mojito.test_up import ROOT, Up, started_up

README = (ROOT / "README.md").read_text()
SECTION = README.partition("\n## Ten calls\n")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(\d+)\. \*\*", re.MULTILINE)
RECORDER = """#!/bin/sh
place="{records}/$(printf %02d "$(ls {records} | wc -l)")"
mkdir "$place"
{curl} "$@" -o "$place/body" -w '%{{json}}' > "$place/told"
code=$?
cat "$place/body"
exit $code
"""
"""Stands before curl: what it told is kept in the order of the calls."""
JOB = {"campaign_job_id", "status", "progress", "waiting", "steps", "platform_ids", "error"}


class Answer(NamedTuple):
    """What one call of the README got."""

    method: str
    path: str
    status: int
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Expected(NamedTuple):
    """What it must have got; `path` is a pattern."""

    method: str
    path: str
    status: int
    fields: set[str]


ANSWERS = [
    Expected("POST", "/ad_accounts", 201, {"id", "status", "has_credentials", "mode"}),
    Expected("POST", "/ad_accounts/ID/verify", 200, {"ok", "token", "account", "findings"}),
    Expected("POST", "/assets", 201, {"id", "kind", "sha256", "width", "duration_seconds"}),
    Expected("POST", "/webhook_endpoints", 201, {"id", "secret", "events", "enabled"}),
    Expected("POST", "/ads/meta", 202, JOB),
    Expected("POST", "/campaign_jobs/ID/cancel", 202, {*JOB, "cancel_requested"}),
    Expected("GET", "/campaign_jobs/ID", 200, JOB),
    Expected("POST", "/campaign_jobs/ID/retry", 202, JOB),
    Expected("GET", "/campaign_jobs/ID/events", 200, set()),
    Expected("GET", r"/campaign_jobs\?status=SUCCESS&.*", 200, {"data", "next_cursor"}),
]


@pytest.fixture(scope="module")
def answers() -> Generator[list[Answer]]:
    with started_up("readme") as up:
        yield run_calls(up)


def run_calls(up: Up) -> list[Answer]:
    """The section's blocks as one script of a second terminal; the ten calls without the sandbox's."""
    records, programs = up.folder / "records", up.folder / "programs"
    records.mkdir()
    programs.mkdir()
    curl = shutil.which("curl")
    assert curl is not None, "install curl"
    (programs / "curl").write_text(
        RECORDER.format(records=shlex.quote(str(records)), curl=shlex.quote(curl))
    )
    (programs / "curl").chmod(0o755)
    environment = up.environment
    environment |= {"PATH": f"{programs}:{environment['PATH']}", "no_proxy": "127.0.0.1"}
    script = "set -eu\n" + "".join(BLOCK.findall(SECTION))
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    made, *ten = [read_answer(place) for place in sorted(records.iterdir())]
    assert made.status == 201
    return ten


def read_answer(place: Path) -> Answer:
    told = json.loads((place / "told").read_text())
    path = told["url_effective"].partition("/api/v1")[2]
    return Answer(told["method"], path, told["http_code"], (place / "body").read_text())


def test_the_two_commands_come_first():
    first = BLOCK.findall(README)[0]

    assert [line.split("#")[0].strip() for line in first.splitlines()] == [
        "./mojito up",
        "./mojito test",
    ]


def test_every_call_has_a_number_and_one_block():
    numbers = [int(number) for number in HEADING.findall(SECTION)]

    assert numbers == list(range(1, len(ANSWERS) + 1))
    assert len(BLOCK.findall(SECTION)) == 1 + len(ANSWERS)


@pytest.mark.parametrize("number", range(1, len(ANSWERS) + 1))
def test_a_call_answers_as_told(answers, number):
    expected = ANSWERS[number - 1]

    answer = answers[number - 1]

    assert (answer.method, answer.status) == (expected.method, expected.status), answer.text
    assert re.fullmatch(expected.path.replace("ID", "[0-9a-f-]{36}"), answer.path)
    if expected.fields:
        assert expected.fields <= answer.body.keys()


def test_the_account_verifies_well(answers):
    verified = answers[1].body

    assert verified["ok"] is True, verified["findings"]


def test_the_cancelled_job_goes_on_to_its_end_and_is_listed(answers):
    stopped, retried, events = answers[6], answers[7], answers[8]
    told = re.findall(r"^event: (.*)$", events.text, re.MULTILINE)

    (listed,) = answers[9].body["data"]

    assert stopped.body["status"] == "CANCELLED"
    assert retried.body["status"] == "PENDING"
    assert "job.started" in told
    assert told.index("job.finished") < told.index("job.retried")
    assert told[-1] == "job.finished"
    assert listed["campaign_job_id"] == stopped.body["campaign_job_id"]
    assert listed["platform_ids"]["campaign"]

"""Shows how a job goes on: a picture that is redrawn on a terminal, a plain log everywhere else."""

import os
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from common.plain_words import counted
from mojito.moments import shown_moment
from mojito.printing import plain, wants_colours

type Job = Mapping[str, Any]

SIGNS = {
    "DONE": ("✓", "32"),
    "RUNNING": ("▸", "36"),
    "WAITING": ("…", "33"),
    "IN_DOUBT": ("?", "33"),
    "FAILED": ("✗", "31"),
    "SKIPPED": ("-", "2"),
    "PENDING": ("·", "2"),
}
COLOURS = {"SUCCESS": "32", "FAILED": "31", "PARTIAL_SUCCESS": "33", "CANCELLED": "33"}


class Display:
    """Takes the job again and again; `show` writes what has changed."""

    def show(self, job: Job) -> None:
        """The job as it is now."""

    def end(self, job: Job) -> None:
        """The job has ended."""

    @staticmethod
    def silent() -> "Display":
        """One that writes nothing."""
        return Display()


def display_for(out: TextIO, title: str) -> Display:
    """Lines that are redrawn where a person looks at a terminal that can do it, else a log."""
    if out.isatty() and os.environ.get("TERM") not in (None, "", "dumb"):
        return Picture(out, title, colours=wants_colours())
    return Log(out, title)


class Log(Display):
    """One line for each thing that happened."""

    def __init__(self, out: TextIO, title: str) -> None:
        self._out = out
        self._title = title
        self._known: dict[str, object] = {}
        self._begun = False

    def show(self, job: Job) -> None:
        """Steps that changed, then the job itself."""
        if not self._begun:
            self._begun = True
            total = job["progress"]["total"]
            self._write(f"campaign job {job['id']}: {self._title} ({counted(total, 'step')})")
        for step in job["steps"]:
            if step["status"] != "PENDING":
                self._tell(step["name"], step_line(step))
        waiting = job["waiting"]
        reason = waiting["reason"] if waiting else None
        # how long a wait lasts is told once, not each time it is prolonged
        self._tell(
            "job", job_line(job), (job["status"], job["progress"], reason, job["cancel_requested"])
        )

    def end(self, job: Job) -> None:
        """Why, when it did not succeed."""
        for line in error_lines(job):
            self._write(line)

    def _tell(self, name: str, line: str, state: object = None) -> None:
        """Writes the line unless the same was told last; `state` is what counts as the same."""
        known = line if state is None else state
        if self._known.get(name) != known:
            self._known[name] = known
            self._write(line)

    def _write(self, line: str) -> None:
        self._out.write(f"{datetime.now(UTC):%H:%M:%S} {plain(line)}\n")
        self._out.flush()


class Picture(Display):
    """Every step on its line, redrawn in place."""

    def __init__(self, out: TextIO, title: str, *, colours: bool) -> None:
        self._out = out
        self._title = plain(title)
        self._colours = colours
        self._drawn = 0
        self._since = time.monotonic()

    def show(self, job: Job) -> None:
        """Draws over what was drawn before."""
        size = shutil.get_terminal_size()
        lines = [self._head(job), *(self._step(step) for step in job["steps"])]
        if job["waiting"]:
            lines.append(f"  {plain(waiting_text(job))}")
        shown = _fitting(lines, size.lines - 2)
        self._out.write(f"\x1b[{self._drawn}F\x1b[J" if self._drawn else "")
        self._out.write("".join(f"{_cut(line, size.columns)}\x1b[0m\n" for line in shown))
        self._out.flush()
        self._drawn = len(shown)

    def end(self, job: Job) -> None:
        """Why, when it did not succeed; then the picture stays."""
        self._out.write("".join(f"{line}\n" for line in error_lines(job)))
        self._out.flush()

    def _head(self, job: Job) -> str:
        progress = job["progress"]
        status = self._paint(plain(job["status"]), COLOURS.get(job["status"], "1"))
        seconds = time.monotonic() - self._since
        return f"{status}  {self._title}  {progress['done']}/{progress['total']}  {seconds:.0f} s"

    def _step(self, step: Job) -> str:
        sign, colour = SIGNS[step["status"]]
        return f"  {self._paint(sign, colour)} {step_line(step)}"

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colours else text


def step_line(step: Job) -> str:
    """A step with what it brought or what it met.

    >>> step_line({"name": "campaign", "status": "DONE", "platform_id": "12", "error": None})
    'campaign DONE 12'
    """
    parts = [step["name"], step["status"]]
    if step["platform_id"]:
        parts.append(step["platform_id"])
    if step.get("attempt"):
        parts.append(f"(attempt {step['attempt'] + 1})")
    if step["error"] and step["status"] != "DONE":
        parts.append(f"{step['error']['code']}: {step['error']['message']}")
    return plain(" ".join(parts))


def job_line(job: Job) -> str:
    """The job's own state: its status, and why it waits or stops."""
    line = f"job {job['status']} {job['progress']['done']}/{job['progress']['total']}"
    if job["waiting"]:
        line += f", {waiting_text(job)}"
    elif job["cancel_requested"] and not job["finished_at"]:
        line += ", asked to stop"
    return line


def waiting_text(job: Job) -> str:
    """What the job waits for."""
    waiting = job["waiting"]
    until = _moment(waiting["until"])
    return f"waiting: {waiting['reason'].replace('_', ' ')}, until {until}"


def _moment(text: str) -> str:
    """What is none is shown as it came."""
    try:
        return shown_moment(datetime.fromisoformat(text))
    except ValueError:
        return text


def error_lines(job: Job) -> list[str]:
    """Why a job did not succeed, and what to do; nothing when it did."""
    error = job["error"]
    if not error:
        return []
    where = f" in {error['step']}" if error.get("step") else ""
    lines = [f"{error['code']}{where}: {error['message']}"]
    if error.get("pointer"):
        lines.append(f"  where: {error['pointer']} in the request")
    if error.get("remedy"):
        lines.append(f"  remedy: {error['remedy']}")
    if error.get("upstream"):
        lines.append(f"  {_upstream(error['upstream'])}")
    return [plain(line) for line in lines]


def _upstream(upstream: Job) -> str:
    codes = "/".join(str(upstream[k]) for k in ("code", "subcode") if upstream.get(k) is not None)
    said = upstream.get("user_message") or upstream.get("message") or ""
    trace = f" (trace {upstream['trace_id']})" if upstream.get("trace_id") else ""
    return f"{upstream['platform']} {codes}: {said}{trace}"


def problem_lines(problem: Job) -> list[str]:
    """A problem document (RFC 9457) for people.

    >>> problem_lines({"status": 404, "code": "asset_not_found", "detail": "There is none."})
    ['404 asset_not_found: There is none.']
    """
    head = f"{problem.get('status')} {problem.get('code')}: {problem.get('detail')}"
    lines = [head, *(_violation_line(error) for error in problem.get("errors", ()))]
    if problem.get("status", 0) >= 500 and "instance" in problem:
        lines.append(f"  instance: {problem['instance']}")
    return [plain(line) for line in lines]


def _violation_line(error: Job) -> str:
    place = error.get("pointer") or error.get("parameter") or "/"
    return f"  {place}  {error.get('code')}: {error.get('message')}"


def _fitting(lines: list[str], most: int) -> list[str]:
    """What has to be left out is counted."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"  and {len(lines) - most + 1} more"]


def _cut(line: str, columns: int) -> str:
    """To the width of the terminal, so that a line stays one line; colours take no room."""
    room, kept, inside = columns - 1, "", False
    for character in line:
        inside = inside or character == "\x1b"
        if not inside:
            room -= 1
        if room < 0:
            return kept
        kept += character
        inside = inside and character != "m"
    return kept

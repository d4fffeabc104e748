"""What checks find: how bad it is, and what to do about it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from mojito.printing import print_json, print_lines

type Severity = Literal["ok", "warning", "error"]
_RANKS: dict[Severity, int] = {"ok": 0, "warning": 1, "error": 2}


class Finding(msgspec.Struct, frozen=True):
    """One fact. `check` is a stable word for programs; `remedy` is there when something is wrong."""

    check: str
    severity: Severity
    message: str
    remedy: str = ""


class Report(msgspec.Struct, frozen=True):
    """All of them; `severity` is the worst."""

    severity: Severity
    findings: Sequence[Finding]


def report(findings: Sequence[Finding]) -> Report:
    """The findings with the worst severity of all."""
    severities: list[Severity] = ["ok", *(found.severity for found in findings)]
    worst = max(severities, key=_RANKS.__getitem__)
    return Report(worst, findings)


def rank(severity: Severity) -> int:
    """0, 1, 2: the worse the higher."""
    return _RANKS[severity]


def show(found: Report, *, as_json: bool) -> None:
    """For programs, or a line each with the remedy below."""
    if as_json:
        print_json(found)
        return
    for finding in found.findings:
        print_lines([f"{finding.severity:8}{finding.check:22}{finding.message}"])
        if finding.remedy:
            print_lines([f"{'':30}-> {finding.remedy}"])

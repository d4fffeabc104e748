"""The page of errors names every code that callers can meet, and none that nobody can."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import UNSET

from models.activation import ACTIVATION_IN_DOUBT, CAMPAIGN_ACTIVE
from models.assets import _DOWNLOAD_PROBLEMS
from models.meta_rules import RULES
from routes.refusal_codes import REFUSALS
from workers.least_budgets import CODES as LEAST_BUDGETS
from workers.platforms.meta.outcomes import TABLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text()
VIOLATIONS, JOBS = PAGE.partition("## Why a job or step")[::2]
STEP_ERRORS = {"Reject", "Retry", "Unknown", "Wait", "JobError"}
NOT_SHOWN = {"webhook_not_delivered"}
"""Jobs that carry webhooks belong to nobody; their log tells of each try instead."""
OF_PARAMETERS = {"parameter"}
OF_ADDRESSES = {"url_not_allowed", "address_not_public", "unreachable", "timed_out", "not_media"}
"""What was found out about an address is handed on as it is."""
CODE = re.compile(r"`([a-z_]+)`")
WORD = re.compile(r"[a-z_]+")


def named(text: str) -> set[str]:
    """Codes in the first column of tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in CODE.findall(row)}


def nodes(*folders: str) -> Iterator[ast.AST]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if path.name not in ("examples.py", "refusal_codes.py"):
                yield from ast.walk(ast.parse(path.read_text()))


def texts(values: Sequence[ast.AST]) -> set[str]:
    return {v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)}


def violation_codes() -> set[str]:
    """Second words of `violation(...)`, and `code` of violations that are written as dicts."""
    found = {rule.code for rule in RULES} | set(_DOWNLOAD_PROBLEMS.values())
    for node in nodes("models", "routes"):
        if isinstance(node, ast.Call) and _name(node.func).endswith(("violation", "_refused")):
            found |= {word for word in texts(node.args[1:2]) if WORD.fullmatch(word)}
        elif isinstance(node, ast.Dict) and not OF_PARAMETERS & texts(
            [key for key in node.keys if key is not None]
        ):
            found |= texts(
                [
                    value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if key is not None and texts([key]) == {"code"}
                ]
            )
    return found


def job_codes() -> set[str]:
    """Codes of errors that steps and jobs end or wait with."""
    found = {row.word for row in TABLE} | set(_DOWNLOAD_PROBLEMS.values()) | LEAST_BUDGETS
    found |= {ACTIVATION_IN_DOUBT, CAMPAIGN_ACTIVE}
    for node in nodes("workers"):
        if isinstance(node, ast.Call) and _name(node.func) in STEP_ERRORS | {"_parked"}:
            values = [word.value for word in node.keywords if word.arg == "code"]
            found |= texts([part for value in values for part in ast.walk(value)])
            found |= texts(node.args[:1]) if _name(node.func) == "_parked" else set()
        elif isinstance(node, ast.Dict):
            found |= {word for word in texts(node.values) if word.startswith("media_not_a")}
    return found - NOT_SHOWN


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def test_every_violation_stands_on_the_page():
    found = violation_codes()

    assert {"missing", "masked_secret", "goal_does_not_fit_objective", "read_only"} <= found
    assert found - named(VIOLATIONS) == set(), "add them to docs/errors.md"


def test_examples_of_refusals_show_violations_that_exist():
    shown = {
        error.code
        for refusal in REFUSALS.values()
        for error in refusal.errors
        if error.pointer is not UNSET
    }

    assert "too_short" in shown
    # found out about an address, too, and named by its number
    assert shown - violation_codes() - OF_ADDRESSES == {"media_status_404"}


def test_every_code_of_a_job_stands_on_the_page():
    found = job_codes()

    assert {"worker_lost", "token_rejected", "media_not_a_video", "media_changed"} <= found
    assert found - named(JOBS) == set(), "add them to docs/errors.md"


def test_the_page_names_no_code_that_nobody_can_meet():
    assert named(VIOLATIONS) - violation_codes() == OF_ADDRESSES
    assert named(JOBS) - job_codes() == set()

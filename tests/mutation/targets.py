"""Which modules are changed, and which tests are meant to notice."""

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Target(NamedTuple):
    """Modules that the same tests guard."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    needs_database: bool = False
    without: tuple[str, ...] = ()
    """Slow tests that are about something else."""

    def there(self) -> list[str]:
        """The files of tests that exist."""
        return [test for test in self.tests if (ROOT / test).exists()]


TARGETS = {
    "outcomes": Target(
        ("workers/platforms/meta/outcomes.py",), ("tests/workers/platforms/meta/test_outcomes.py",)
    ),
    "inspection": Target(
        ("models/inspection.py",),
        ("tests/models/test_inspection.py", "tests/models/test_inspection_words.py"),
    ),
    "rules": Target(
        tuple(str(p.relative_to(ROOT)) for p in sorted(ROOT.glob("models/meta_rules/*.py"))),
        (
            "tests/models/test_meta_rules.py",
            "tests/models/test_meta_rule_edges.py",
            "tests/models/test_meta_rule_tables.py",
            "tests/models/test_meta_rule_corners.py",
            "tests/models/test_meta_rule_times.py",
            "tests/models/test_meta_rule_places.py",
            "tests/models/test_meta_rule_categories.py",
            "tests/models/test_inspection.py",
        ),
        without=("test_inspection_and_decoding_agree_about_any_change",),
    ),
    "ledger": Target(
        ("workers/ledger.py", "workers/records.py", "workers/effects.py"),
        (
            "tests/workers/test_ledger.py",
            "tests/workers/test_ledger_intents.py",
            "tests/workers/test_ledger_rows.py",
            "tests/workers/test_ledger_words.py",
            "tests/workers/test_retried_doubts.py",
            "tests/workers/test_ledger_memory.py",
            "tests/workers/test_records.py",
            "tests/workers/test_outages.py",
        ),
        needs_database=True,
    ),
    "runner": Target(
        ("workers/claims.py", "workers/runner.py", "workers/worker_settings.py"),
        (
            "tests/workers/test_runner_ends.py",
            "tests/workers/test_runner_claims.py",
            "tests/workers/test_runner_lost_claims.py",
            "tests/workers/test_runner_stops.py",
            "tests/workers/test_runner.py",
            "tests/workers/test_runner_tells.py",
            "tests/workers/test_claims.py",
            "tests/workers/test_runner_half_alive.py",
            "tests/workers/test_runner_cut_off.py",
            "tests/workers/test_runner_begins.py",
            "tests/workers/test_runner_home.py",
        ),
        needs_database=True,
    ),
    "runs": Target(
        ("workers/runs.py",),
        (
            "tests/workers/test_runs.py",
            "tests/workers/test_runner_ends.py",
            "tests/workers/test_runner_claims.py",
            "tests/workers/test_runner_half_alive.py",
            "tests/workers/test_runner_lost_claims.py",
            "tests/workers/test_runner_stops.py",
            "tests/workers/test_runner.py",
            "tests/workers/test_runner_tells.py",
            "tests/workers/test_runner_cut_off.py",
            "tests/workers/test_runner_begins.py",
            "tests/workers/test_accounts.py",
            "tests/workers/test_writes.py",
        ),
        needs_database=True,
    ),
    "endings": Target(("workers/endings.py",), ("tests/workers/test_endings.py",)),
    "flush": Target(
        ("models/flush.py",),
        (
            "tests/workers/test_flush.py",
            "tests/workers/test_writes.py",
            "tests/routes/test_job_writes.py",
        ),
        needs_database=True,
    ),
    "database": Target(
        ("models/database.py",),
        (
            "tests/models/test_database.py",
            "tests/models/test_ways_to_connect.py",
            "tests/models/test_pooler.py",
            "tests/workers/test_flush.py",
        ),
        needs_database=True,
    ),
    "limits": Target(
        ("middleware/limits.py",),
        (
            "tests/middleware/test_limits.py",
            "tests/middleware/test_limit_leases.py",
            "tests/middleware/test_limit_batches.py",
        ),
        needs_database=True,
    ),
    "requests": Target(
        ("routes/idempotency.py", "routes/job_writes.py", "routes/open_jobs.py"),
        (
            "tests/routes/test_idempotency.py",
            "tests/routes/test_job_writes.py",
            "tests/routes/test_open_jobs.py",
            "tests/routes/test_open_job_counts.py",
            "tests/routes/test_new_jobs.py",
            "tests/routes/test_shortcut.py",
        ),
        needs_database=True,
    ),
}


def module_of(file: str) -> str:
    """The name that a file is imported by."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

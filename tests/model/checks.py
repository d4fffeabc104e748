"""The rules that hold after every step, whatever happened: what is seen against before and model."""

from collections import Counter
from uuid import UUID

from tests.model.broken import demand
from tests.model.plain import Job, Plain
from tests.model.real import Row, Seen

LEGAL = {
    "PENDING": {"PROCESSING", "CANCELLED"},
    "PROCESSING": {"SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED"},
    "SUCCESS": set[str](),
    "FAILED": {"PENDING"},
    "PARTIAL_SUCCESS": {"PENDING"},
    "CANCELLED": {"PENDING"},
}
FINISHED = ("SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED")


def check(plain: Plain, before: Seen, now: Seen) -> None:
    """Raises Broken; afterwards the model knows the moments that the database's clock has set."""
    _nothing_else_was_written(plain, before, now)
    for job_id, row in now.jobs.items():
        _moves_are_legal(before.jobs.get(job_id), row)
    check_rows(before, now)
    _database_and_model_agree(plain, before, now)
    plain.touched.clear()


def check_rows(before: Seen, now: Seen) -> None:
    """What needs no model, however much has happened between the two looks."""
    for job_id, row in now.jobs.items():
        _claims_are_whole(row)
        _events_are_in_order(row, now.events.get(job_id, []))
    _accounts_keep_their_limits(before, now)
    _done_stays_done(before, now)


def _nothing_else_was_written(plain: Plain, before: Seen, now: Seen) -> None:
    """A write without its fence, or one too many, shows here: rows bear who wrote them last."""
    demand(before.jobs.keys() <= now.jobs.keys(), "no job disappears")
    demand(before.steps.keys() <= now.steps.keys(), "no step disappears")
    for key, row in [*now.jobs.items(), *now.steps.items()]:
        old = before.steps.get(key) if isinstance(key, tuple) else before.jobs.get(key)
        written = old is None or old["written_by"] != row["written_by"]
        demand(
            written == (key in plain.touched),
            f"{key} was {'' if written else 'not '}written: {_difference(old, row)}",
        )


def _moves_are_legal(old: Row | None, row: Row) -> None:
    was = "PENDING" if old is None else old["status"]
    is_now = row["status"]
    demand(is_now == was or is_now in LEGAL[was], f"{was} does not become {is_now}")


def _claims_are_whole(row: Row) -> None:
    held = row["claim_token"] is not None
    demand(held == (row["worker_id"] is not None), "a claimed job has a worker")
    demand(not held or row["status"] == "PROCESSING", f"{row['status']} jobs are never claimed")
    ended = row["status"] in FINISHED
    demand(ended == (row["finished_at"] is not None), f"{row['status']} with its end's moment")


def _events_are_in_order(row: Row, kinds: list[str]) -> None:
    """Started once and before all else, finished once and nothing but a retry after it.

    What becomes known late of a step may still be told after the end.
    """
    started, ended = False, False
    for kind in kinds:
        match kind:
            case "job.started":
                demand(not started and not ended, f"started once, and open: {kinds}")
                started = True
            case "job.finished":
                demand(not ended, f"finished once: {kinds}")
                ended = True
            case "job.retried":
                demand(ended, f"only what has ended is retried: {kinds}")
                ended = False
            case "job.step.done" | "job.step.failed":
                demand(started, f"steps are of jobs that have started: {kinds}")
            case _:
                demand(started and not ended, f"{kind} of a running job: {kinds}")
    demand(started == (row["started_at"] is not None), f"job.started is told: {kinds}")
    demand(ended == (row["status"] in FINISHED), f"job.finished is told: {kinds}")


def _accounts_keep_their_limits(before: Seen, now: Seen) -> None:
    """A limit that was lowered holds for the next claims; what runs may end."""
    running, earlier = _running(now), _running(before)
    for account_id, row in now.accounts.items():
        most = max(row["max_running"], earlier[account_id])
        demand(
            running[account_id] <= most,
            f"{running[account_id]} jobs of an account run where {row['max_running']} may",
        )


def _running(seen: Seen) -> Counter[UUID]:
    return Counter(row["ad_account_id"] for row in seen.jobs.values() if row["claim_token"])


def _done_stays_done(before: Seen, now: Seen) -> None:
    for key, old in before.steps.items():
        row = now.steps[key]
        demand(old["status"] != "DONE" or row["status"] == "DONE", f"{key} was done already")
        demand(
            old["status"] != "DONE" or old["intent_at"] == row["intent_at"],
            f"{key} was done and is begun again",
        )


def _database_and_model_agree(plain: Plain, before: Seen, now: Seen) -> None:
    demand(plain.jobs.keys() == now.jobs.keys(), "the same jobs")
    for job_id, job in plain.jobs.items():
        row = now.jobs[job_id]
        _settle_due(job, row, before, now)
        _agree(f"job {job_id}", _of_model(job), {name: row[name] for name in _of_model(job)})
        demand((row["started_at"] is not None) == job.started, "the job's start is known")
        asked = row["cancel_requested_at"] is not None
        demand(asked == job.cancel_requested, "whoever asks for a stop is heard")
        _agree("events", job.events, now.events.get(job_id, []))
    steps = {
        (job.id, name): (step.status, step.token)
        for job in plain.jobs.values()
        for name, step in job.steps.items()
    }
    _agree("steps", steps, {k: (r["status"], r["claim_token"]) for k, r in now.steps.items()})
    accounts = {a.id: (a.status, a.version, a.max_running) for a in plain.accounts.values()}
    names = ("status", "credentials_version", "max_running")
    seen = {key: tuple(row[name] for name in names) for key, row in now.accounts.items()}
    _agree("accounts", accounts, seen)


def _of_model(job: Job) -> dict[str, object]:
    return {
        "status": job.status,
        "lane": job.lane,
        "due_at": job.due_at,
        "claim_token": job.token,
        "worker_id": job.worker,
        "waiting_reason": job.waiting_reason,
        "rescues": job.rescues,
    }


def _settle_due(job: Job, row: Row, before: Seen, now: Seen) -> None:
    """A delay counts from a moment of the database's between the two looks."""
    if job.due_in is None:
        return
    earliest = (row["due_at"] - before.clock).total_seconds()
    latest = (row["due_at"] - now.clock).total_seconds()
    demand(latest <= job.due_in <= earliest, f"due in {job.due_in} s, not {earliest}")
    job.due_at, job.due_in = row["due_at"], None


def _agree(what: str, model: object, seen: object) -> None:
    demand(model == seen, f"{what}: the model says\n{model}\nthe database\n{seen}")


def _difference(old: Row | None, row: Row) -> str:
    if old is None:
        return "new"
    return ", ".join(f"{k}: {old[k]} -> {row[k]}" for k in row if old[k] != row[k])

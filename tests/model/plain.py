"""What the job table promises, told in plain Python: no SQL, no clock of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

OPEN = ("PENDING", "PROCESSING")
RETRIED = ("FAILED", "PARTIAL_SUCCESS", "CANCELLED")


@dataclass
class Account:
    """An ad account, as far as claims care for it."""

    id: UUID
    max_running: int
    throttled: bool = False
    status: str = "ACTIVE"
    version: int = 1


@dataclass
class Step:
    """A row of the ledger; `token` is the run's that wrote it last."""

    status: str
    token: UUID


@dataclass
class Job:
    """`due_in` is set when the database was told a delay and its clock decides the moment."""

    id: UUID
    account: UUID
    lane: int
    due_at: datetime | None = None
    due_in: float | None = 0.0
    status: str = "PENDING"
    token: UUID | None = None
    worker: UUID | None = None
    waiting_reason: str | None = None
    cancel_requested: bool = False
    rescues: int = 0
    started: bool = False
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    events: list[str] = field(default_factory=list[str])

    def is_claimable(self, clock: datetime) -> bool:
        return (
            self.status in OPEN
            and self.token is None
            and self.due_at is not None
            and self.due_at <= clock
        )


@dataclass
class Run:
    """What a worker knows of one claim: its token, whether earlier workers died on the job, and the
    tokens that it read in the ledger."""

    job: UUID
    token: UUID
    was_rescued: bool
    read: dict[str, UUID]


class Plain:
    """The whole state; every method also notes in `touched` which rows it writes."""

    def __init__(self) -> None:
        self.accounts: dict[UUID, Account] = {}
        self.jobs: dict[UUID, Job] = {}
        self.workers: dict[UUID, bool] = {}
        self.runs: list[Run] = []
        self.touched: set[UUID | tuple[UUID, str]] = set()

    def is_current(self, run: Run) -> bool:
        """The run's claim still holds."""
        return self.jobs[run.job].token == run.token

    def submit(self, job: UUID, account: UUID, lane: int) -> None:
        self.jobs[job] = Job(job, account, lane)
        self.touched.add(job)

    def claim(self, worker: UUID, job_id: UUID, token: UUID) -> None:
        job = self._touch(job_id)
        if not job.started:
            job.events.append("job.started")
        job.status, job.lane, job.started = "PROCESSING", 0, True
        job.token, job.worker = token, worker
        read = {name: step.token for name, step in job.steps.items()}
        self.runs.append(Run(job_id, token, job.rescues > 0, read))

    def move(self, run: Run, status: str, delay: float = 0.0, reason: str | None = None) -> bool:
        """Ends the run; False where the claim is lost, and then nothing changes."""
        if not self.is_current(run):
            return False
        job = self._touch(run.job)
        if status == "PROCESSING" and job.cancel_requested:
            status = "CANCELLED"
        job.status, job.due_in, job.waiting_reason = status, delay, reason
        job.token = job.worker = None
        if status != "PROCESSING":
            job.events.append("job.finished")
        elif reason is not None:
            job.events.append("job.waiting")
        return True

    def start_step(self, run: Run, name: str) -> bool:
        """Begins a step: with the claim, before a stop is asked for, over the row that was read."""
        job = self.jobs[run.job]
        row = job.steps.get(name)
        if not self.is_current(run) or job.cancel_requested:
            return False
        if row is not None and (row.status == "DONE" or not self._owns(run, name, row)):
            return False
        job.steps[name] = Step("RUNNING", run.token)
        run.read[name] = run.token
        self.touched.add((job.id, name))
        return True

    def record_step(self, run: Run, name: str, status: str) -> bool:
        """Writes an outcome. It needs the step, not the job: what is known of an effect is kept,
        whoever holds the job by now, until somebody else has begun or recorded the step. Only to go
        further in it (RUNNING) takes the job, too."""
        job = self.jobs[run.job]
        row = job.steps.get(name)
        if row is None or not self._owns(run, name, row):
            return False
        if row.status == "DONE" and row.token != run.token:
            return False
        if status == "RUNNING" and not self.is_current(run):
            return False
        row.status, row.token = status, run.token
        run.read[name] = run.token
        self.touched.add((job.id, name))
        if status in ("DONE", "FAILED"):
            job.events.append(f"job.step.{status.lower()}")
        if status == "DONE" and run.was_rescued:
            self._touch(job.id).rescues = 0
        return True

    def cancel(self, job_id: UUID) -> bool:
        if self.jobs[job_id].status not in OPEN:
            return False
        job = self._touch(job_id)
        is_news = not job.cancel_requested
        job.cancel_requested, job.waiting_reason = True, None
        if job.token is None:
            job.status = "CANCELLED"
            job.events.append("job.finished")
        elif is_news:
            job.events.append("job.cancel_requested")
        return True

    def retry(self, job_id: UUID) -> bool:
        if self.jobs[job_id].status not in RETRIED:
            return False
        job = self._touch(job_id)
        job.status, job.lane, job.due_in, job.rescues = "PENDING", 0, 0.0, 0
        job.cancel_requested, job.waiting_reason = False, None
        for name, step in job.steps.items():
            if step.status != "DONE":
                self.touched.add((job_id, name))
            if step.status in ("FAILED", "WAITING"):
                step.status = "PENDING"
        job.events.append("job.retried")
        return True

    def free_dead(self) -> set[UUID]:
        """Upkeep: what silent or vanished workers hold becomes claimable."""
        dead = [j for j in self.jobs.values() if j.token and not self.workers.get(j.worker)]
        return self._free(dead, rescued=True)

    def give_back(self, worker: UUID, known: Iterable[Run] = ()) -> set[UUID]:
        """A worker in good health lets go of all claims, or of those that it does not know."""
        kept = {(run.job, run.token) for run in known}
        held = [j for j in self.jobs.values() if j.worker == worker and (j.id, j.token) not in kept]
        return self._free(held, rescued=False)

    def wake(self, account: UUID) -> int:
        """New credentials have come; how many jobs waited for them."""
        waiting = [
            job
            for job in self.jobs.values()
            if job.account == account
            and job.token is None
            and job.status in OPEN
            and job.waiting_reason == "reauth_required"
        ]
        for job in waiting:
            self._touch(job.id).due_in, job.waiting_reason = 0.0, None
        return len(waiting)

    def _free(self, jobs: list[Job], *, rescued: bool) -> set[UUID]:
        for job in jobs:
            self._touch(job.id).token = job.worker = None
            job.rescues += rescued
        return {job.id for job in jobs}

    def _owns(self, run: Run, name: str, row: Step) -> bool:
        return row.token in (run.token, run.read.get(name))

    def _touch(self, job_id: UUID) -> Job:
        self.touched.add(job_id)
        return self.jobs[job_id]

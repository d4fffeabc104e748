"""A state machine of hypothesis: what callers, workers, deaths and time may do, in any order."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.plain import OPEN, Account, Job, Plain, Run
from tests.model.real import Real
from tests.model.world import STEPS, World

MOST_JOBS = 100

pick = st.integers(0, 40)
wants = st.sampled_from([4, 1, 2, 8, 20])
chances = st.sampled_from([0.0, 0.25, 0.5, 0.75])  # of these, 0.25 lets the age decide
crowds = st.sampled_from([0, 0, 0, 70])  # 70 fill what a claim looks at before it sweeps
lanes = st.sampled_from([3, 1, 2])
limits = st.sampled_from([4, 1, 2, 3])
step_names = st.sampled_from(STEPS)
delays = st.sampled_from([0.0, 600.0, 3600.0])
reasons = st.sampled_from(["retry", "throttled", "in_doubt", "reauth_required"])
endings = st.sampled_from(["SUCCESS", "FAILED", "PARTIAL_SUCCESS"])
records = st.sampled_from(["DONE", "RUNNING", "WAITING", "IN_DOUBT", "FAILED"])


def current(plain: Plain) -> list[Run]:
    return [run for run in plain.runs if plain.is_current(run)]


def stale(plain: Plain) -> list[Run]:
    return [run for run in plain.runs if not plain.is_current(run)]


def open_jobs(plain: Plain) -> list[Job]:
    """Claimed ones last: a stop matters most where work is going on."""
    found = [job for job in plain.jobs.values() if job.status in OPEN]
    return sorted(found, key=lambda job: job.token is not None)


def ended_jobs(plain: Plain) -> list[Job]:
    return [job for job in plain.jobs.values() if job.status not in OPEN]


def waiting(plain: Plain) -> list[Job]:
    return [job for job in open_jobs(plain) if job.token is None and job.waiting_reason]


def begun(plain: Plain) -> list[tuple[Run, str]]:
    """Steps that a run has read or begun, the ones that it knows as done left out."""
    return [
        (run, name)
        for run in plain.runs
        for name in run.read
        if (step := plain.jobs[run.job].steps[name]).status != "DONE" or step.token != run.token
    ]


def lost(plain: Plain) -> list[tuple[Run, Run]]:
    """A stale run beside the current one of the same job, as one process may have them."""
    held = {run.job: run for run in current(plain)}
    return [(run, held[run.job]) for run in stale(plain) if run.job in held]


def holders(plain: Plain) -> list[UUID]:
    """Workers that have jobs, alive or not."""
    return sorted({job.worker for job in plain.jobs.values() if job.worker})


def gone(plain: Plain) -> list[UUID]:
    """Workers that are silent, or that left jobs behind and no row."""
    silent = {worker for worker, alive in plain.workers.items() if not alive}
    return sorted(silent | (set(holders(plain)) - plain.workers.keys()))


def throttled(plain: Plain) -> list[Account]:
    return [account for account in plain.accounts.values() if account.throttled]


def stuck(plain: Plain) -> list[Account]:
    """Accounts whose token is dead, or whose jobs wait for that or another reason."""
    with_waiting = {job.account for job in waiting(plain)}
    return [a for a in plain.accounts.values() if a.status != "ACTIVE" or a.id in with_waiting]


def given(select: Callable[[Plain], Sequence[Any]]) -> Any:
    return precondition(lambda machine: bool(select(machine.world.plain)))


class JobMachine(RuleBasedStateMachine):
    """Draws an act, does it to the database and to the model, then looks at everything."""

    def __init__(self, real: Real) -> None:
        super().__init__()
        self.world = World(real)

    @initialize(
        rooms=st.lists(limits, min_size=1, max_size=4),
        workers=st.integers(1, 3),
        queue=st.lists(st.tuples(pick, lanes), min_size=4, max_size=16),
        crowd=crowds,
    )
    def open_shop(
        self, rooms: list[int], workers: int, queue: list[tuple[int, int]], crowd: int
    ) -> None:
        for room in rooms:
            self.world.account(room)
        self.workers = [self.world.worker() for _ in range(workers)]
        for account, lane in queue:
            self.world.submit(self._account(account).id, lane)
        self.world.submit(self._account(0).id, 2, crowd)

    @invariant()
    def everything_agrees(self) -> None:
        self.world.settle()

    @precondition(lambda self: len(self.world.plain.jobs) < MOST_JOBS)
    @rule(account=pick, lane=lanes, count=st.integers(1, 4))
    def submit(self, account: int, lane: int, count: int) -> None:
        self.world.submit(self._account(account).id, lane, count)

    @rule(worker=pick, want=wants, chance=chances)
    def claim(self, worker: int, want: int, chance: float) -> None:
        self.world.claim(self._worker(worker), want, chance)

    @rule(worker=pick, want=wants, name=step_names)
    def claim_and_begin(self, worker: int, want: int, name: str) -> None:
        for run in self.world.claim(self._worker(worker), want):
            self.world.start_step([run], name)

    @given(holders)
    @rule(worker=pick, want=wants)
    def lose_and_regain(self, worker: int, want: int) -> None:
        holder = self._one(holders, worker)
        self.world.silence(holder)
        self.world.rescue()
        self.world.register(holder)
        self.world.settle()
        self.world.claim(holder, want)

    @given(current)
    @rule(run=pick, status=endings)
    def end(self, run: int, status: str) -> None:
        self.world.move([self._one(current, run)], status)

    @given(current)
    @rule(run=pick, delay=delays, reason=reasons)
    def wait(self, run: int, delay: float, reason: str) -> None:
        self.world.move([self._one(current, run)], "PROCESSING", delay, reason)

    @given(current)
    @rule(run=pick)
    def let_go(self, run: int) -> None:
        self.world.move([self._one(current, run)], "PROCESSING")

    @given(stale)
    @rule(run=pick, status=endings | st.just("PROCESSING"), delay=delays)
    def move_with_a_lost_claim(self, run: int, status: str, delay: float) -> None:
        self.world.move([self._one(stale, run)], status, delay)

    @given(lost)
    @rule(pair=pick, status=endings | st.just("PROCESSING"))
    def move_both_at_once(self, pair: int, status: str) -> None:
        self.world.move(self._one(lost, pair), status)

    @given(current)
    @rule(run=pick, name=step_names)
    def start_step(self, run: int, name: str) -> None:
        self.world.start_step([self._one(current, run)], name)

    @given(stale)
    @rule(run=pick, name=step_names)
    def start_step_with_a_lost_claim(self, run: int, name: str) -> None:
        self.world.start_step([self._one(stale, run)], name)

    @given(lost)
    @rule(pair=pick, name=step_names)
    def start_step_both_at_once(self, pair: int, name: str) -> None:
        self.world.start_step(self._one(lost, pair), name)

    @given(current)
    @rule(run=pick, name=step_names, status=records)
    def do_step(self, run: int, name: str, status: str) -> None:
        chosen = self._one(current, run)
        self.world.start_step([chosen], name)
        self.world.settle()
        if (chosen, name) in begun(self.world.plain):
            self.world.record_step(chosen, name, status)

    @given(begun)
    @rule(step=pick, status=records)
    def record_step(self, step: int, status: str) -> None:
        run, name = self._one(begun, step)
        self.world.record_step(run, name, status)

    @given(current)
    @rule(run=pick, others_came=st.booleans())
    def lose_token(self, run: int, *, others_came: bool) -> None:
        chosen = self._one(current, run)
        account = self.world.plain.accounts[self.world.plain.jobs[chosen.job].account]
        self.world.lose_token(chosen, seen_version=account.version - others_came)

    @given(stuck)
    @rule(account=pick)
    def reauthorise(self, account: int) -> None:
        self.world.reauthorise(self._one(stuck, account).id)

    @given(open_jobs)
    @rule(job=pick, retry_too_early=st.booleans())
    def cancel(self, job: int, *, retry_too_early: bool) -> None:
        chosen = self._one(open_jobs, job).id
        (self.world.retry if retry_too_early else self.world.cancel)(chosen)

    @given(ended_jobs)
    @rule(job=pick, cancel_too_late=st.booleans())
    def retry(self, job: int, *, cancel_too_late: bool) -> None:
        chosen = self._one(ended_jobs, job).id
        (self.world.cancel if cancel_too_late else self.world.retry)(chosen)

    @given(holders)
    @rule(worker=pick, row_too=st.booleans())
    def die(self, worker: int, *, row_too: bool) -> None:
        dead = self._one(holders, worker)
        (self.world.forget if row_too else self.world.silence)(dead)

    @given(gone)
    @rule(worker=pick)
    def come_back(self, worker: int) -> None:
        chosen = self._one(gone, worker)
        self.world.renew(chosen)
        self.world.register(chosen)

    @given(holders)
    @rule()
    def rescue(self) -> None:
        self.world.rescue()

    @given(holders)
    @rule(worker=pick, knows=st.one_of(st.none(), pick))
    def give_back(self, worker: int, knows: int | None) -> None:
        chosen = self._one(holders, worker)
        if knows is None:
            self.world.give_back(chosen)
        else:
            held = current(self.world.plain)
            self.world.give_back_unknown(chosen, held[: knows % len(held)])

    @rule(account=pick, seconds=delays)
    def throttle(self, account: int, seconds: float) -> None:
        self.world.throttle(self._account(account).id, seconds)

    @given(throttled)
    @rule(account=pick)
    def end_throttle(self, account: int) -> None:
        self.world.end_throttle(self._one(throttled, account).id)

    @rule(account=pick, room=limits)
    def change_limit(self, account: int, room: int) -> None:
        self.world.limit(self._account(account).id, room)

    @given(waiting)
    @rule(job=pick, all_of_them=st.booleans())
    def let_time_pass(self, job: int, *, all_of_them: bool) -> None:
        due = waiting(self.world.plain) if all_of_them else [self._one(waiting, job)]
        self.world.end_wait(due)

    def _account(self, index: int) -> Account:
        return one(list(self.world.plain.accounts.values()), index)

    def _worker(self, index: int) -> UUID:
        return one(self.workers, index)

    def _one[Thing](self, select: Callable[[Plain], Sequence[Thing]], index: int) -> Thing:
        return one(select(self.world.plain), index)


def one[Thing](things: Sequence[Thing], index: int) -> Thing:
    """The newest for 0, so that small numbers draw what happened last."""
    return things[-1 - index % len(things)]

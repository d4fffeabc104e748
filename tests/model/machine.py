"""A state machine of hypothesis: what callers, workers, deaths and time may do, in any order."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.plain import OPEN, Account, Job, Plain, Run
from tests.model.real import Real
from tests.model.world import STEPS, World

MOST_JOBS = 30
BURST = 70

pick = st.integers(0, 40)
wants = st.integers(1, 12)
chances = st.sampled_from([0.0, 0.25, 0.5, 0.75])
lanes = st.integers(1, 3)
limits = st.integers(1, 4)
step_names = st.sampled_from(STEPS)
delays = st.sampled_from([0.0, 600.0, 3600.0])
reasons = st.sampled_from(["retry", "throttled", "in_doubt", "reauth_required"])
endings = st.sampled_from(["SUCCESS", "FAILED", "PARTIAL_SUCCESS"])
records = st.sampled_from(["DONE", "RUNNING", "WAITING", "IN_DOUBT", "FAILED"])


def current(plain: Plain) -> list[Run]:
    return [run for run in plain.runs if plain.is_current(run)]


def stale(plain: Plain) -> list[Run]:
    return [run for run in plain.runs if not plain.is_current(run)]


def jobs(plain: Plain) -> list[Job]:
    return list(plain.jobs.values())


def waiting(plain: Plain) -> list[Job]:
    return [j for j in plain.jobs.values() if j.token is None and j.waiting_reason]


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


def given(select: Callable[[Plain], Sequence[Any]]) -> Any:
    return precondition(lambda machine: bool(select(machine.world.plain)))


class JobMachine(RuleBasedStateMachine):
    """Draws an act, does it to the database and to the model, then looks at everything."""

    def __init__(self, real: Real) -> None:
        super().__init__()
        self.world = World(real)

    @initialize(rooms=st.lists(limits, min_size=1, max_size=4), workers=st.integers(1, 3))
    def open_shop(self, rooms: list[int], workers: int) -> None:
        for room in rooms:
            self.world.account(room)
        self.workers = [self.world.worker() for _ in range(workers)]

    @invariant()
    def everything_agrees(self) -> None:
        self.world.settle()

    @precondition(lambda self: len(self.world.plain.jobs) < MOST_JOBS)
    @rule(account=pick, lane=lanes, count=st.integers(1, 4))
    def submit(self, account: int, lane: int, count: int) -> None:
        self.world.submit(self._account(account).id, lane, count)

    @precondition(lambda self: len(self.world.plain.jobs) < MOST_JOBS)
    @rule(account=pick, lane=lanes, sure=st.integers(0, 7))
    def submit_very_many(self, account: int, lane: int, sure: int) -> None:
        if sure == 7:
            self.world.submit(self._account(account).id, lane, BURST)

    @rule(worker=pick, want=wants, chance=chances)
    def claim(self, worker: int, want: int, chance: float) -> None:
        self.world.claim(self._worker(worker), want, chance)

    @rule(worker=pick)
    def claim_all(self, worker: int) -> None:
        self.world.claim(self._worker(worker), 20)

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

    @rule(account=pick)
    def reauthorise(self, account: int) -> None:
        self.world.reauthorise(self._account(account).id)

    @given(jobs)
    @rule(job=pick)
    def cancel(self, job: int) -> None:
        self.world.cancel(self._one(jobs, job).id)

    @given(jobs)
    @rule(job=pick)
    def retry(self, job: int) -> None:
        self.world.retry(self._one(jobs, job).id)

    @rule(worker=pick, row_too=st.booleans())
    def die(self, worker: int, *, row_too: bool) -> None:
        dead = self._worker(worker)
        (self.world.forget if row_too else self.world.silence)(dead)

    @rule(worker=pick)
    def come_back(self, worker: int) -> None:
        self.world.renew(self._worker(worker))
        self.world.register(self._worker(worker))

    @rule()
    def rescue(self) -> None:
        self.world.rescue()

    @rule(worker=pick, knows=st.one_of(st.none(), pick))
    def give_back(self, worker: int, knows: int | None) -> None:
        held = [run.token for run in current(self.world.plain)]
        if knows is None or not held:
            self.world.give_back(self._worker(worker))
        else:
            self.world.give_back_unknown(self._worker(worker), held[: knows % len(held)])

    @rule(account=pick, seconds=delays)
    def throttle(self, account: int, seconds: float) -> None:
        self.world.throttle(self._account(account).id, seconds)

    @rule(account=pick)
    def end_throttle(self, account: int) -> None:
        self.world.end_throttle(self._account(account).id)

    @rule(account=pick, room=limits)
    def change_limit(self, account: int, room: int) -> None:
        self.world.limit(self._account(account).id, room)

    @given(waiting)
    @rule(job=pick, all_of_them=st.booleans())
    def let_time_pass(self, job: int, *, all_of_them: bool) -> None:
        due = waiting(self.world.plain) if all_of_them else [self._one(waiting, job)]
        self.world.end_wait([job for job in due if job.status in OPEN])

    def _account(self, index: int) -> Account:
        return one(list(self.world.plain.accounts.values()), index)

    def _worker(self, index: int) -> UUID:
        return one(self.workers, index)

    def _one[Thing](self, select: Callable[[Plain], Sequence[Thing]], index: int) -> Thing:
        return one(select(self.world.plain), index)


def one[Thing](things: Sequence[Thing], index: int) -> Thing:
    """The newest for 0, so that small numbers draw what happened last."""
    return things[-1 - index % len(things)]

"""The database and its plain model side by side: each act is done to both, the answers compared."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from tests.model.broken import demand
from tests.model.checks import check
from tests.model.claims import judge
from tests.model.plain import Account, Job, Plain, Run
from tests.model.real import Claimed, Real
from workers.writes import Intent, Move, Record

STEPS = ("campaign", "ad_set[0]")


class World:
    """Starts empty. After each act, `settle` looks at every row and compares."""

    def __init__(self, real: Real) -> None:
        self.real = real
        self.plain = Plain()
        real.clear()
        self.seen = real.look()
        self.claims: set[tuple[UUID, UUID]] = set()

    def settle(self) -> None:
        now = self.real.look()
        check(self.plain, self.seen, now)
        self.seen = now

    def account(self, max_running: int) -> UUID:
        account = self.real.account(max_running)
        self.plain.accounts[account] = Account(account, max_running)
        return account

    def worker(self) -> UUID:
        worker = self.real.new_id()
        self.register(worker)
        return worker

    def register(self, worker: UUID) -> None:
        self.real.register(worker)
        self.plain.workers[worker] = True

    def renew(self, worker: UUID) -> None:
        known = worker in self.plain.workers
        demand(self.real.renew(worker) == known, "a worker learns whether it is given up")
        if known:
            self.plain.workers[worker] = True

    def silence(self, worker: UUID) -> None:
        self.real.silence(worker)
        if worker in self.plain.workers:
            self.plain.workers[worker] = False

    def forget(self, worker: UUID) -> None:
        self.real.forget(worker)
        self.plain.workers.pop(worker, None)

    def limit(self, account: UUID, max_running: int) -> None:
        self.real.limit(account, max_running)
        held = self.plain.accounts[account]
        held.max_running, held.status = max_running, "ACTIVE"

    def throttle(self, account: UUID, seconds: float) -> None:
        """A shorter throttle never ends a longer one."""
        self.real.throttle(account, seconds)
        self.plain.accounts[account].throttled |= seconds > 0

    def end_throttle(self, account: UUID) -> None:
        self.real.end_throttle(account)
        self.plain.accounts[account].throttled = False

    def submit(self, account: UUID, lane: int, count: int = 1) -> list[UUID]:
        submitted = self.real.submit(account, lane, count)
        for job in submitted:
            self.plain.submit(job, account, lane)
        return submitted

    def claim(self, worker: UUID, want: int, chance: float = 0.0) -> list[Run]:
        taken = self.real.claim(worker, want, chance)
        by_age = self.real.draws_age(chance)
        judge(self.plain, self.seen.clock, want, [job.id for job in taken], by_age=by_age)
        return self._take(worker, taken)

    def move(
        self, runs: Sequence[Run], status: str, delay: float = 0.0, reason: str | None = None
    ) -> None:
        """All of these runs end alike, in one statement."""
        answers = self.real.move(
            [Move(run.job, run.token, status, delay, reason) for run in runs]  # pyright: ignore[reportArgumentType]  # a drawn status
        )
        expected = [self.plain.move(run, status, delay, reason) for run in runs]
        demand(
            [answer is not False for answer in answers] == expected,
            f"each run is told whether its move was written: {expected}, not {answers}",
        )

    def start_step(self, runs: Sequence[Run], name: str) -> None:
        """All of these runs begin the step of their job, in one statement."""
        answers = self.real.start_steps([self._intent(run, name) for run in runs])
        expected = [self.plain.start_step(run, name) for run in runs]
        demand(
            answers == expected,
            f"each run is told whether its intent was written: {expected}, not {answers}",
        )

    def record_step(self, run: Run, name: str, status: str) -> None:
        record = Record(
            run.job,
            self.real.team,
            run.token,
            run.read.get(name, run.token),
            name,
            status,  # pyright: ignore[reportArgumentType]  # a drawn status
            attempt=0,
            outcome="{}" if status == "DONE" else None,
            platform_id="1" if status == "DONE" else None,
            was_rescued=run.was_rescued,
            delay_seconds=600.0 if status in ("WAITING", "IN_DOUBT") else None,
        )
        (answer,) = self.real.record_steps([record])
        expected = self.plain.record_step(run, name, status)
        demand(answer == expected, f"a record of {status}: {expected}, not {answer}")

    def cancel(self, job: UUID) -> None:
        demand(not self.real.cancel(job, uuid4()), "other teams cancel nothing")
        answer = self.real.cancel(job, self.real.team)
        demand(answer == self.plain.cancel(job), "who cancels learns whether it was open")

    def retry(self, job: UUID) -> None:
        demand(not self.real.retry(job, uuid4()), "other teams retry nothing")
        answer = self.real.retry(job, self.real.team)
        demand(answer == self.plain.retry(job), "who retries learns whether it had failed")

    def rescue(self) -> None:
        freed = self.real.rescue()
        demand(freed == len(self.plain.free_dead()), "upkeep frees what the dead hold")

    def give_back(self, worker: UUID) -> None:
        given = self.real.give_back(worker)
        demand(given == len(self.plain.give_back(worker)), "all claims are given back")

    def give_back_unknown(self, worker: UUID, known: list[Run]) -> None:
        given = self.real.give_back_unknown(worker, known)
        expected = self.plain.give_back(worker, known)
        demand(given == len(expected), "only claims that the worker does not know are given back")

    def lose_token(self, run: Run, *, seen_version: int) -> None:
        """Parks the job; with other credentials than the account's own now, it only lets go."""
        account = self.plain.accounts[self.plain.jobs[run.job].account]
        parked = self.real.lose_token(run, account.id, seen_version)
        expected = seen_version == account.version
        demand(parked == expected, "only the credentials that failed are given up")
        if expected:
            account.status = "REQUIRES_REAUTH"
            self.plain.move(run, "PROCESSING", 7 * 86400.0, "reauth_required")

    def reauthorise(self, account: UUID) -> None:
        woken = self.real.reauthorise(account)
        held = self.plain.accounts[account]
        held.version, held.status = held.version + 1, "ACTIVE"
        demand(woken == self.plain.wake(account), "new credentials wake what waited for them")

    def end_wait(self, jobs: Sequence[Job]) -> None:
        """As if a month had passed for these."""
        self.real.end_wait([job.id for job in jobs])
        for job in jobs:
            assert job.due_at is not None
            job.due_at -= timedelta(days=30)
            self.plain.touched.add(job.id)

    def _intent(self, run: Run, name: str) -> Intent:
        return Intent(run.job, run.token, name, 0, "TEST", 0, b"", run.read.get(name), 30)

    def _take(self, worker: UUID, taken: list[Claimed]) -> list[Run]:
        for job in taken:
            demand((job.id, job.token) not in self.claims, "a job has a fresh token in each claim")
            self.claims.add((job.id, job.token))
            self.plain.claim(worker, job.id, job.token)
        return self.plain.runs[len(self.plain.runs) - len(taken) :]

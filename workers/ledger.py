"""What a job has already done, and the one way to do more: intent, call, outcome."""

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NoReturn

import msgspec
import structlog

from common import clock
from common.backoff import backoff_seconds, patient_seconds
from common.errors import ClaimLost, Reject, Retry, StepError, Unknown, Wait
from models.gen import campaign_jobs
from models.gen.rows import Connection, JobStep, StepStatus
from models.job import JobError
from models.jsonb import foreign_jsonb
from models.plan import PlannedStep
from workers import records
from workers.claimed import ClaimedJob
from workers.effects import Effect, NotSent, Pace, Stopping, Try
from workers.platforms.base import Done
from workers.writes import Intent, Record, Writes

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = {"reauth_required": 7 * 24 * 3600.0}
MOST_ATTEMPTS = 8
LONGEST_STEP = timedelta(hours=24)


class Ledger:
    """The steps of one claimed job. Raises ClaimLost when the job belongs to another worker."""

    def __init__(
        self,
        job: ClaimedJob,
        payload: str,
        rows: Sequence[JobStep],
        writes: Writes,
        *,
        claimed_at: float,
        steady_since: float = float("-inf"),
        is_stopping: Callable[[], bool] = lambda: False,
        guard_from_now: Callable[[], Callable[[], None]] = lambda: _unguarded,
    ) -> None:
        """`claimed_at` is `clock.seconds()` after the claim was answered: behind the database's
        clock, so that waits counted from it are never too short. Since `steady_since` that clock has
        not jumped ahead."""
        self._job = job
        self._payload = payload
        self._token = job.claim_token
        self._rows = {row.name: row for row in rows}
        self._outcomes = {row.name: records.done_of(row) for row in rows if row.status == "DONE"}
        self._writes = writes
        self._claimed_at = claimed_at
        self._steady_since = steady_since
        self._is_stopping = is_stopping
        self._guard_from_now = guard_from_now

    @property
    def outcomes(self) -> Mapping[str, Done]:
        """What every finished step has brought: the same mapping at every look, for there may be
        thousands of steps, each of which looks."""
        return self._outcomes

    def has_done(self, kinds: Set[str]) -> bool:
        """Whether a step of one of these kinds has made something."""
        return any(row.kind in kinds for row in self._rows.values() if row.status == "DONE")

    def has_begun(self, step_name: str) -> bool:
        """Whether its call may have been sent."""
        row = self._rows.get(step_name)
        return row is not None and row.status != "PENDING"

    def error_of(self, step_name: str) -> JobError | None:
        """Why a step failed for good."""
        row = self._rows.get(step_name)
        if row is None or row.status != "FAILED" or row.error is None:
            return None
        return msgspec.json.decode(row.error, type=JobError)

    def now(self) -> datetime:
        """The database's clock, never ahead of it."""
        # seconds as a float take six times as long
        microseconds = int((clock.seconds() - self._claimed_at) * 1_000_000)
        return self._job.claimed_at + timedelta(0, 0, microseconds)

    async def step(self, step: PlannedStep, effect: Effect, pace: Pace) -> Done:
        """Does the step unless it is done; returns what it brought.

        Raises Wait when it is not its time, Reject when it failed for good, Stopping when no
        further step may begin, ClaimLost when another worker has the job.
        """
        row = self._rows.get(step.name)
        if row is not None:
            if row.status == "DONE":
                return records.done_of(row)
            self._refuse_failed(row)
            self._wait_for_its_time(row)
            if row.status in ("RUNNING", "IN_DOUBT") and effect.find is not None:
                found = await self._reconcile(step, effect, pace)
                if found is not None:
                    return found
        return await self._perform(step, effect, pace)

    async def require_wanted(self, connection: Connection) -> None:
        """For a try that has sent nothing yet. Raises NotSent when the worker stops, somebody asked the job
        to, or another worker has it."""
        job_id = None
        if not self._is_stopping():
            job_id = await campaign_jobs.get_wanted_job(
                connection, id=self._job.id, claim_token=self._token
            )
        if job_id is None:
            raise NotSent("nobody waits for it any more", code="stopping")

    def _refuse_failed(self, row: JobStep) -> None:
        error = self.error_of(row.name)
        if error is not None:
            raise Reject(error.message, code=error.code)

    def _wait_for_its_time(self, row: JobStep) -> None:
        if row.due_at is not None and row.due_at > self.now():
            raise records.not_yet(row, (row.due_at - self.now()).total_seconds())

    async def _reconcile(self, step: PlannedStep, effect: Effect, pace: Pace) -> Done | None:
        """Asks the platform what an unanswered try has made. None: certainly nothing."""
        row = self._rows[step.name]
        assert effect.find is not None  # noqa: S101 - the caller checked
        try:
            found = await effect.find(self._try(row, pace, row))
        except (ClaimLost, Stopping):
            raise
        except Exception as error:
            await self._settle(row, records.met(step.name, error), pace, in_doubt=True)
            raise
        if found is not None:
            log.info("step.found", step=step.name, platform_id=found.platform_id)
            await self._write(row, self._outcome(row, found))
            return found
        since = self.now() - (row.intent_at or self._job.created_at)
        steady = clock.seconds() - self._steady_since
        quiet_in = records.seconds_until_quiet(row, pace, min(since.total_seconds(), steady))
        if quiet_in > 0 or row.looks < 1:
            wait = pace.wait(max(quiet_in, pace.lag_seconds))
            await self._record(
                row, status="IN_DOUBT", looks=row.looks + 1, delay=wait, keep_error=True
            )
            raise records.in_doubt_for(wait)
        log.info("step.not_found", step=step.name, looks=row.looks + 1)
        await self._count_resolved_doubt(row)
        return None

    async def _count_resolved_doubt(self, row: JobStep) -> None:
        """A doubt that was resolved counts as an attempt, unless the platform has let the step wait."""
        if records.was_made_to_wait(row):
            return
        attempt = row.attempt + 1
        self._rows[row.name] = msgspec.structs.replace(row, attempt=attempt)
        if self._is_spent(row, attempt):
            await self._give_up(row, records.last_error(row), attempt)

    async def _perform(self, step: PlannedStep, effect: Effect, pace: Pace) -> Done:
        earlier = self._rows.get(step.name)
        before, guard = clock.seconds(), self._guard_from_now()
        intent = self._intent(step, pace)
        row = self._begun(intent, is_ours=await self._writes.intents.submit(intent))
        if clock.seconds() - before > pace.call_seconds / 2:
            # too little of the call's time is left: begin again rather than send a call that may
            # still be at work when a later look believes it cannot
            before, guard = clock.seconds(), self._guard_from_now()
            intent = self._intent(step, pace)
            row = self._begun(intent, is_ours=await self._writes.intents.submit(intent))
        try:
            done = await effect.perform(self._try(row, pace, earlier, before, guard))
        except Unknown as error:
            log.warning("step.in_doubt", step=step.name, code=error.code)
            return await self._resolve(step, effect, pace, error)
        except StepError as error:
            is_open = error.may_have_happened and effect.find is not None
            await self._settle(row, error, pace, in_doubt=is_open)
            raise
        except NotSent:
            if earlier is None or earlier.status == "PENDING":
                await self._record(self._rows[row.name], status="PENDING", keep_error=True)
            raise
        except (ClaimLost, Stopping):
            raise
        except Exception as error:
            log.exception("step.crashed", step=step.name)
            return await self._resolve(step, effect, pace, records.unexpected(error))
        row = self._rows[step.name]
        record = self._outcome(row, done)
        self._written(row, record, is_ours=await self._writes.records.submit(record))
        log.info("step.done", step=step.name, platform_id=done.platform_id)
        return done

    async def _resolve(self, step: PlannedStep, effect: Effect, pace: Pace, error: Unknown) -> Done:
        """After an unanswered write: look at once, it is mostly there."""
        row = self._rows[step.name]
        if effect.find is None:
            await self._again_or_never(row, error, pace, "IN_DOUBT")
        await self._record(row, status="IN_DOUBT", error=error)
        found = await self._reconcile(step, effect, pace)
        if found is None:
            # the quiet time had passed already: let the next run begin the step afresh
            raise Wait(error.message, code=error.code, reason="in_doubt", seconds=0)
        return found

    @cached_property
    def _digest(self) -> bytes:
        return hashlib.sha256(self._payload.encode()).digest()

    def _intent(self, step: PlannedStep | JobStep, pace: Pace) -> Intent:
        """To be written durably before the step is tried."""
        if self._is_stopping():
            raise Stopping("the worker stops", code="stopping")
        row = self._rows.get(step.name)
        return Intent(
            self._job.id,
            self._token,
            step.name,
            step.position,
            step.kind,
            0 if row is None else row.attempt,
            self._digest,
            None if row is None else row.claim_token,
            pace.told_call_seconds,
        )

    def _begun(self, intent: Intent, *, is_ours: bool) -> JobStep:
        """The row as it stands after its intent was written."""
        if not is_ours:
            raise Stopping("the job was taken away or asked to stop", code="stopping")
        # the row's own time is not later: quiet times counted from here are never too short
        row = records.begun(intent, self._rows.get(intent.name), self.now())
        self._rows[intent.name] = row
        return row

    def _try(
        self,
        row: JobStep,
        pace: Pace,
        earlier: JobStep | None,
        begun_at: float | None = None,
        guard: Callable[[], None] | None = None,
    ) -> Try:
        progress: dict[str, Any] = msgspec.json.decode(row.outcome or "{}")
        asked = guard or self._guard_from_now()

        async def save(progress: dict[str, Any]) -> None:
            nonlocal asked
            anew = self._guard_from_now()
            await self._record(self._rows[row.name], status="RUNNING", progress=progress)
            asked = anew

        async def go_on() -> None:
            nonlocal asked
            anew = self._guard_from_now()
            intent = self._intent(row, pace)
            self._begun(intent, is_ours=await self._writes.intents.submit(intent))
            asked = anew

        def is_ours() -> None:
            asked()

        ends_at = (clock.seconds() if begun_at is None else begun_at) + pace.call_seconds
        earlier_run = earlier and earlier.claim_token
        return Try(progress, self._token, earlier_run, ends_at, save, go_on, is_ours)

    async def _settle(self, row: JobStep, error: StepError, pace: Pace, *, in_doubt: bool) -> None:
        """Writes down what a step met. A Retry that was the last raises Reject instead."""
        row = self._rows[row.name]
        waiting: StepStatus = "IN_DOUBT" if in_doubt else "WAITING"
        match error:
            case Wait():
                longest = LONGEST_WAIT_SECONDS.get(error.reason, 3600.0)
                seconds = longest if error.seconds is None else error.seconds
                if error.reason != "reauth_required":
                    seconds = pace.wait(seconds)
                # nothing happened on a refused call, so the next run may begin at once when woken
                delay = None if error.reason == "reauth_required" else seconds
                keeps = records.is_known_to_count(row)
                await self._record(row, status=waiting, error=error, delay=delay, keep_error=keeps)
                error.seconds = seconds
            case Reject():
                records.tell_of_doubt(row, error, is_in_doubt=in_doubt)
                await self._record(row, status="FAILED", error=error, looks=int(in_doubt))
            case _:
                await self._again_or_never(row, error, pace, waiting)

    async def _again_or_never(
        self, row: JobStep, error: StepError, pace: Pace, waiting: StepStatus
    ) -> NoReturn:
        if isinstance(error, Retry) and error.is_outage:
            await self._bear_with(row, error, pace, waiting)
        attempt = row.attempt + 1
        if self._is_spent(row, attempt):
            await self._give_up(row, error, attempt, looks=int(waiting == "IN_DOUBT"))
        after = error.after if isinstance(error, Retry) else None
        seconds = pace.wait(backoff_seconds(attempt) if after is None else after)
        await self._record(row, status=waiting, error=error, attempt=attempt, delay=seconds)
        raise Wait(error.message, code=error.code, reason="retry", seconds=seconds) from error

    async def _bear_with(self, row: JobStep, error: Retry, pace: Pace, waiting: StepStatus) -> None:
        """Waits for the end of an outage, which is none of the step's attempts. Returns when it has lasted
        too long."""
        since = self._in_vain_since(row, waiting)
        lasted = (self.now() - since).total_seconds()
        if lasted >= pace.outage_seconds:
            return
        seconds = pace.wait(patient_seconds(lasted))
        await self._record(row, status=waiting, error=error, delay=seconds)
        raise Wait(error.message, code=error.code, reason="retry", seconds=seconds) from error

    def _in_vain_since(self, row: JobStep, waiting: StepStatus) -> datetime:
        """Since when the step has been tried and the job has waited for nothing but another try."""
        tried = row.intent_at if waiting == "IN_DOUBT" else records.began_at(row, self.now())
        waited = self._job.waiting_since if self._job.waiting_reason == "retry" else None
        return max(tried or self._job.created_at, waited or self.now())

    def _is_spent(self, row: JobStep, attempt: int) -> bool:
        if attempt >= MOST_ATTEMPTS:
            return True
        began_at = records.began_at(row, self.now())
        return self.now() - began_at > LONGEST_STEP

    async def _give_up(
        self, row: JobStep, error: StepError, attempt: int, *, looks: int = 0
    ) -> NoReturn:
        """For good. Looks that are told stand for a doubt that stays, also after a retry."""
        last = records.given_up(error, attempt)
        records.tell_of_doubt(row, last, is_in_doubt=looks > 0)
        await self._record(row, status="FAILED", error=last, attempt=attempt, looks=looks)
        raise last from error

    async def _record(
        self,
        row: JobStep,
        *,
        status: StepStatus,
        progress: dict[str, Any] | None = None,
        error: StepError | None = None,
        attempt: int | None = None,
        looks: int = 0,
        delay: float | None = None,
        keep_error: bool = False,
    ) -> None:
        record = Record(
            campaign_job_id=self._job.id,
            team_id=self._job.team_id,
            claim_token=self._token,
            previous_token=row.claim_token,
            name=row.name,
            status=status,
            attempt=row.attempt if attempt is None else attempt,
            looks=looks,
            outcome=None if progress is None else foreign_jsonb(progress),
            error=row.error if keep_error else records.error_text(row.name, error),
            delay_seconds=delay,
            was_rescued=self._job.rescues > 0,
        )
        await self._write(row, record)

    def _outcome(self, row: JobStep, done: Done) -> Record:
        job = self._job
        return Record(
            job.id,
            job.team_id,
            self._token,
            row.claim_token,
            row.name,
            "DONE",
            row.attempt,
            0,  # looks
            foreign_jsonb(done),
            done.platform_id,
            None,  # error
            None,  # delay_seconds
            job.rescues > 0,
        )

    async def _write(self, row: JobStep, record: Record) -> None:
        self._written(row, record, is_ours=await self._writes.records.submit(record))

    def _written(self, row: JobStep, record: Record, *, is_ours: bool) -> None:
        if not is_ours:
            raise ClaimLost("the step was begun by another worker since", code="claim_lost")
        delay = record.delay_seconds
        due_at = None if delay is None else self.now() + timedelta(seconds=delay)
        written = records.written(row, record, due_at)
        self._rows[row.name] = written
        if record.status == "DONE":
            self._outcomes[row.name] = records.done_of(written)


def _unguarded() -> None:
    """Where nobody takes jobs away."""

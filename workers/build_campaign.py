"""The campaign of a request, built as its plan says: what is ready runs side by side."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog

from common import clock, tracing
from common.errors import ClaimLost, Reject, Wait
from common.keyring import CannotOpen
from common.log import add_ids
from common.tracing import Sink
from models.credentials import CREDENTIALS
from models.job import JobError, platform_ids
from models.jsonb import to_jsonb
from models.plan import LAYERS_THAT_COUNT, REQUESTS, PlannedStep, plan
from workers.effects import Effect, Pace, Stopping, Try
from workers.kinds import Ended, Interrupted, Outcome, Parked, Run
from workers.least_budgets import LeastBudgets
from workers.ledger import LONGEST_WAIT_SECONDS, Ledger
from workers.metrics import WorkerMetrics
from workers.missing_keys import wait_for_key
from workers.platforms.base import Account, Platform, StepContext, StoredMedia
from workers.records import job_error

log = structlog.get_logger()

MOST_STEPS_AT_ONCE = 16


class MediaSource(Protocol):
    """Where the bytes of a media entry come from."""

    async def open(
        self,
        media: Any,
        *,
        key: str,
        expected_kind: Any,
        team_id: UUID | None,
        save: Any,
        progress: Any,
        require_wanted: Any,
    ) -> StoredMedia:
        """The bytes, complete in a local file. What `require_wanted` raises ends a download."""
        ...


class BuildCampaign:
    """Handler of BUILD_CAMPAIGN. `open_secret` opens the sealed credentials of an account."""

    def __init__(
        self,
        platforms: dict[str, Platform],
        media: MediaSource,
        open_secret: Callable[[bytes, str, UUID, str], bytes],
        *,
        live: Pace,
        sandbox: Pace,
        least_budgets: LeastBudgets,
        metrics: WorkerMetrics | None = None,
        sink: Sink | None = None,
    ) -> None:
        self._sink = sink
        self._metrics = metrics or WorkerMetrics()
        self._platforms = platforms
        self._media = media
        self._open_secret = open_secret
        self._least_budgets = least_budgets
        self._paces = {"live": live, "sandbox": sandbox}

    async def __call__(self, run: Run) -> Outcome:
        """Runs every step that can run now."""
        refused = self._refuse_account(run)
        if refused is not None:
            return _over_already(run) or refused
        try:
            build = self._build(run)
        except CannotOpen as closed:
            return _over_already(run) or wait_for_key(closed)
        self._enter_trace(run)
        with tracing.span("job BUILD_CAMPAIGN", "consumer", job_id=str(run.job.id)):
            too_small = await build.refusal(self._least_budgets)
            if too_small is not None:
                return await self.abandon(run, too_small)
            await build.run()
        return build.outcome()

    async def abandon(self, run: Run, error: JobError) -> Ended:
        """Ends the job with what exists."""
        steps = plan(run.job.platform_type, _request(run))
        return ending(steps, run.ledger, [error])

    def _enter_trace(self, run: Run) -> None:
        """The request's own."""
        trace = tracing.parse(run.request.traceparent) or tracing.new_trace()
        tracing.enter(trace, self._sink)
        add_ids(trace_id=trace.trace_id)

    def _refuse_account(self, run: Run) -> Outcome | None:
        account = run.account
        if account.status == "REQUIRES_REAUTH":
            wait = Wait(
                "the account's token is no longer accepted",
                code="reauth_required",
                reason="reauth_required",
                seconds=None,
                remedy="Replace the account's credentials; the job then goes on by itself.",
            )
            return Parked(
                LONGEST_WAIT_SECONDS["reauth_required"], wait.reason, job_error(None, wait)
            )
        if account.status == "ACTIVE" and account.deleted_at is None:
            return None
        error = JobError(
            code="ad_account_not_active",
            message=f"the ad account is {'deleted' if account.deleted_at else account.status}",
            remedy="Set the account ACTIVE, then ask for a retry.",
            retryable=True,
        )
        return ending(plan(run.job.platform_type, _request(run)), run.ledger, [error])

    def _build(self, run: Run) -> "Build":
        row = run.account
        sealed = self._open_secret(row.credentials, "ad_accounts", row.id, "credentials")
        account = Account(
            id=row.id,
            platform_account_id=row.platform_account_id,
            mode=row.mode,
            credentials=msgspec.json.decode(sealed, type=CREDENTIALS[row.platform_type]),
            additional_config=msgspec.json.decode(row.additional_config),
        )
        platform = self._platforms[run.job.platform_type]
        return Build(
            run,
            account,
            _request(run),
            platform,
            self._media,
            self._paces[row.mode],
            self._metrics.stepped,
        )


class Build:
    """One run over the steps of one job."""

    def __init__(
        self,
        run: Run,
        account: Account,
        request: Any,
        platform: Platform,
        media: MediaSource,
        pace: Pace,
        stepped: Callable[[str, str, float], None],
    ) -> None:
        self._stepped = stepped
        self._run = run
        self._account = account
        self._request = request
        self._platform = platform
        self._media = media
        self._pace = pace
        self._steps = plan(run.job.platform_type, request)
        self._slots = asyncio.Semaphore(MOST_STEPS_AT_ONCE)
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._waits: list[tuple[str, Wait]] = []
        self._stopped = False
        self._lost: ClaimLost | None = None

    async def refusal(self, least_budgets: LeastBudgets) -> JobError | None:
        """Why it must not begin."""
        return await least_budgets.refusal(
            self._run, self._account, self._platform, self._pace.call_seconds
        )

    async def run(self) -> None:
        """Starts what is ready until nothing more can start. Raises ClaimLost."""
        finished = {step.name: asyncio.Event() for step in self._steps}
        async with asyncio.TaskGroup() as group:
            for step in self._steps:
                group.create_task(self._after(step, finished), name=step.name)
        if self._lost is not None:
            raise self._lost

    async def _after(self, step: PlannedStep, finished: dict[str, asyncio.Event]) -> None:
        try:
            for name in step.needs:
                await finished[name].wait()
            if step.name in self._run.ledger.outcomes:
                self._done.add(step.name)  # by an earlier run
            elif self._run.ledger.error_of(step.name) is not None:
                self._failed.add(step.name)
            elif self._may_begin(step):
                async with self._slots:
                    await self._one(step)
        finally:
            finished[step.name].set()

    def _may_begin(self, step: PlannedStep) -> bool:
        if step.kind == "activate" and len(self._done) < len(self._steps) - 1:
            return False
        return all(name in self._done for name in step.needs) and not self._stopped

    async def _one(self, step: PlannedStep) -> None:
        add_ids(step=step.name)
        effect = Effect(
            perform=partial(self._call, self._platform.perform, step),
            find=partial(self._call, self._platform.find, step)
            if self._platform.must_look(step)
            else None,
        )
        began_at, outcome = clock.seconds(), "done"
        try:
            with tracing.span(f"step {step.kind}", step=step.name):
                await self._run.ledger.step(step, effect, self._pace)
            self._done.add(step.name)
        except Wait as wait:
            outcome = "waits"
            self._waits.append((step.name, wait))
        except Reject:
            outcome = "failed"
            self._failed.add(step.name)
        except Stopping:
            outcome = "stopped"
            self._stopped = True
        except ClaimLost as lost:
            # siblings end their calls by themselves; what they would write is refused
            outcome = "lost"
            self._stopped, self._lost = True, lost
        self._stepped(step.kind, outcome, clock.seconds() - began_at)

    async def _call(
        self, method: Callable[[StepContext], Any], step: PlannedStep, trial: Try
    ) -> Any:
        trial.guard()
        return await method(self._context(step, trial))

    def _context(self, step: PlannedStep, trial: Try) -> StepContext:
        progress = dict(trial.progress)

        async def save(more: dict[str, Any]) -> None:
            progress.update(more)
            await trial.save(progress)

        async def media() -> StoredMedia:
            assert step.media_key is not None  # noqa: S101 - only media steps ask
            return await self._media.open(
                self._request.media[step.media_key],
                key=step.media_key,
                expected_kind=step.media_kind,
                team_id=self._run.job.team_id,
                save=save,
                progress=progress,
                require_wanted=self._run.ledger.require_wanted,
            )

        return StepContext(
            step=step,
            job_id=self._run.job.id,
            account=self._account,
            request=self._request,
            outcomes=self._run.ledger.outcomes,
            progress=progress,
            deadline_seconds=self._pace.call_seconds,
            run=trial.run,
            earlier_run=trial.earlier_run,
            write_deadline=trial.write_deadline,
            save=save,
            go_on=trial.go_on,
            media=media,
            guard=trial.guard,
        )

    def outcome(self) -> Outcome:
        """What the run came to."""
        if self._stopped and len(self._done) < len(self._steps):
            return Interrupted()
        if self._waits:
            return self._parked()
        return ending(self._steps, self._run.ledger, [])

    def _parked(self) -> Parked:
        """Until the first step's time has come; a dead token or a throttle stops everything else."""
        for name, wait in self._waits:
            if wait.reason == "reauth_required":
                return Parked(LONGEST_WAIT_SECONDS[wait.reason], wait.reason, job_error(name, wait))
        throttles = [wait.seconds or 0.0 for _, wait in self._waits if wait.reason == "throttled"]
        if throttles:
            return Parked(max(throttles), "throttled")
        _, wait = min(self._waits, key=lambda pair: pair[1].seconds or 0.0)
        return Parked(wait.seconds or 0.0, wait.reason)


def _over_already(run: Run) -> Ended | None:
    """The end of a job whose worker died behind the last outcome: it asks nothing more of its account."""
    steps = plan(run.job.platform_type, _request(run))
    return ending(steps, run.ledger, []) if _is_whole(steps, run.ledger) else None


def _is_whole(steps: Sequence[PlannedStep], ledger: Ledger) -> bool:
    return all(step.name in ledger.outcomes for step in steps)


def ending(steps: Sequence[PlannedStep], ledger: Ledger, errors: list[JobError]) -> Ended:
    """How the job ends with what its ledger holds; `errors` come before those of steps. Where nothing is
    left to be done nothing has failed."""
    done = ledger.outcomes
    found = (ledger.error_of(step.name) for step in steps)
    all_errors = [*errors, *(error for error in found if error is not None)]
    if _is_whole(steps, ledger):
        all_errors = []
    exists = any(step.kind in LAYERS_THAT_COUNT and step.name in done for step in steps)
    campaign = done.get("campaign")
    ids: dict[str, str | None] = {name: outcome.platform_id for name, outcome in done.items()}
    return Ended(
        status=_status(all_errors, exists=exists),
        platform_campaign_id=None if campaign is None else campaign.platform_id,
        result=to_jsonb(platform_ids(steps, ids)),
        error=all_errors[0] if all_errors else None,
    )


def _status(errors: Sequence[JobError], *, exists: bool) -> Any:
    if not errors:
        return "SUCCESS"
    return "PARTIAL_SUCCESS" if exists else "FAILED"


def _request(run: Run) -> Any:
    return msgspec.json.decode(run.request.payload, type=REQUESTS[run.job.platform_type])

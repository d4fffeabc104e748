"""The runs that a worker has in hand: from their first step to the answer to their last write."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from common.errors import ClaimLost
from common.log import begin_ids
from common.tasks import at_once
from models.database import Pool
from models.flush import AGAIN
from models.gen import ad_accounts
from models.job import JobError
from models.plan import LAYERS_THAT_COUNT
from workers.claimed import ClaimedJob
from workers.endings import (
    CRASHED,
    Ending,
    Status,
    ended,
    going_on,
    let_go,
    parked,
    require_written,
    too_often,
)
from workers.kinds import Ended, Handler, Handlers, Interrupted, Outcome, Parked, Run
from workers.ledger import Ledger
from workers.reauthorisation import park_for_reauthorisation
from workers.writes import Move, Writes

log = structlog.get_logger()

_WITHOUT_DATABASE_SECONDS = 2.0


class Runs:
    """Each in a task of its own. `doubt` is called when a job may be in our name without our knowing,
    `freed` after every run."""

    def __init__(
        self,
        pool: Pool,
        handlers: Handlers,
        writes: Writes,
        *,
        doubt: Callable[[], None],
        freed: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._handlers = handlers
        self._writes = writes
        self._doubt = doubt
        self._freed = freed
        self._running: dict[Ledger, tuple[Run, asyncio.Task[None] | None]] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._running)

    def jobs(self) -> list[ClaimedJob]:
        """Those that are run, and those whose end is not written yet."""
        return [run.job for run, _ in self._running.values()]

    async def end(self, grace_seconds: float) -> None:
        """Lets all of them end, and stops those that do not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        tasks = [task for _, task in self._running.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, run: Run) -> None:
        """Right now, as far as it goes without waiting."""
        self._idle.clear()
        self._running[run.ledger] = (run, None)
        task = at_once(self._run_one(run))
        if not task.done():
            self._running[run.ledger] = (run, task)

    async def _run_one(self, run: Run) -> None:
        """The task is over as soon as the run's last write is handed over, the run when it is written."""
        begin_ids(job_id=run.job.id, request_id=run.request.request_id or "")
        try:
            outcome = await self._handle(run)
            if isinstance(outcome, Ended):
                move = ended(run, outcome)
            else:
                move = await self._going_on(run, outcome)
        except ClaimLost as error:
            self._lost(run, error.code)
        except Exception:
            log.exception("job.not_written")
            self._hand_over(run, let_go(run))
        except BaseException:
            self._over(run)
            raise
        else:
            if move is None:
                self._over(run)
            else:
                self._hand_over(run, move)

    def _hand_over(self, run: Run, move: Move) -> None:
        self._writes.moves.hand_over(move, Ending(run, move, self._written))

    def _written(self, ending: Ending, told: Status | Exception) -> None:
        if isinstance(told, Exception):
            self._not_written(ending, told)
            return
        try:
            require_written(ending.move, told)
        except ClaimLost as error:
            self._lost(ending.run, error.code)
        else:
            self._over(ending.run)

    def _not_written(self, ending: Ending, error: Exception) -> None:
        log.error("job.not_written", exc_info=error)
        plain = let_go(ending.run)
        if ending.move == plain:
            self._over(ending.run)
        else:
            self._hand_over(ending.run, plain)

    def _lost(self, run: Run, reason: str) -> None:
        log.warning("job.lost", reason=reason)
        # mostly another worker has it; if only we were out of touch it is still in our name
        self._doubt()
        self._over(run)

    def _over(self, run: Run) -> None:
        self._running.pop(run.ledger, None)
        if not self._running:
            self._idle.set()
        self._freed()

    async def _handle(self, run: Run) -> Outcome:
        handler = self._handlers.get(run.job.kind)
        if handler is None:
            log.warning("job.unknown_kind", kind=run.job.kind)
            return Parked(30.0, "not_ready")
        try:
            if (error := too_often(run.job)) is not None:
                return await handler.abandon(run, error)
            return await handler(run)
        except ClaimLost:
            raise
        except AGAIN as error:
            # what is done stands in the ledger: another run goes on from there
            return _without_database(error)
        except Exception:
            log.exception("job.crashed")
            return await self._abandon(handler, run, CRASHED)

    async def _abandon(self, handler: Handler, run: Run, error: JobError) -> Ended:
        try:
            return await handler.abandon(run, error)
        except Exception:
            log.exception("job.not_abandoned")
            exists = run.ledger.has_done(LAYERS_THAT_COUNT)
            return Ended("PARTIAL_SUCCESS" if exists else "FAILED", error=error)

    async def _going_on(self, run: Run, outcome: Parked | Interrupted) -> Move | None:
        """What is to be written of a job that goes on later; None when it is written already."""
        try:
            return await self._told_of_account(run, outcome)
        except AGAIN as error:
            # the next run meets the same, and then the account is told
            return parked(run, _without_database(error))

    async def _told_of_account(self, run: Run, outcome: Parked | Interrupted) -> Move | None:
        match outcome:
            case Interrupted():
                return going_on(run)
            case Parked(reason="reauth_required"):
                return await self._park_for_reauthorisation(run, outcome)
            case Parked(reason="throttled"):
                await ad_accounts.throttle_account(
                    self._pool, delay_seconds=outcome.seconds, id=run.account.id
                )
            case Parked():
                pass
        return parked(run, outcome)

    async def _park_for_reauthorisation(self, run: Run, outcome: Parked) -> Move | None:
        written = await park_for_reauthorisation(self._pool, run, outcome)
        if written is None:
            return going_on(run)
        move, status = written
        self._writes.moved([move], [status])
        require_written(move, status)
        return None


def _without_database(error: Exception) -> Parked:
    """For a job whose run the database has cut short."""
    log.warning("job.without_database", error=type(error).__name__)
    return Parked(_WITHOUT_DATABASE_SECONDS, "retry")

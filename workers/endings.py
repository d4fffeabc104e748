"""When a job must not run again, and the end of a run as it is written."""

from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Literal

import structlog

from common.errors import ClaimLost
from models.gen.rows import JobStatus
from models.job import JobError
from models.jsonb import to_jsonb
from workers.claimed import ClaimedJob
from workers.kinds import Ended, Parked, Run
from workers.ledger import LONGEST_WAIT_SECONDS
from workers.writes import Move

log = structlog.get_logger()

type Status = JobStatus | Literal[False]

MOST_RESCUES = 20
CRASHED = JobError(
    code="internal_error",
    message="our own program failed on this job; the log has the details",
    remedy="Report it with the job's id; ask for a retry after it is mended.",
    retryable=True,
)


def too_often(job: ClaimedJob) -> JobError | None:
    """Why a job must not run again: too many workers died on it, or nobody renewed its token."""
    if job.rescues >= MOST_RESCUES:
        return JobError(
            code="worker_lost",
            message=f"{job.rescues} workers died on this job without any step done in between",
            remedy="Look into the workers' logs; ask for a retry when they stay alive.",
            retryable=True,
        )
    if job.waiting_reason == "reauth_required" and _waited(job) >= timedelta(
        seconds=LONGEST_WAIT_SECONDS["reauth_required"]
    ):
        return JobError(
            code="reauth_timed_out",
            message="the account's credentials were not replaced for seven days",
            remedy="Replace the account's credentials, then ask for a retry.",
            retryable=True,
        )
    return None


def ended(run: Run, outcome: Ended) -> Move:
    """The end of a job as it is written."""
    error = outcome.error
    return Move(
        run.job.id,
        run.job.claim_token,
        outcome.status,
        result=outcome.result,
        platform_campaign_id=outcome.platform_campaign_id,
        error_code=None if error is None else error.code,
        error=None if error is None else to_jsonb(error),
        kind=run.job.kind,
    )


def parked(run: Run, outcome: Parked) -> Move:
    """The wait of a job as it is written."""
    error = outcome.error
    return Move(
        run.job.id,
        run.job.claim_token,
        "PROCESSING",
        delay_seconds=outcome.seconds,
        waiting_reason=outcome.reason,
        error_code=None if error is None else error.code,
        error=None if error is None else to_jsonb(error),
        kind=run.job.kind,
    )


def going_on(run: Run) -> Move:
    """Any worker may go on at once, unless the caller has asked the job to stop: then it is cancelled."""
    return Move(run.job.id, run.job.claim_token, "PROCESSING", kind=run.job.kind)


def let_go(run: Run) -> Move:
    """The plainest move there is, for a job whose own end could not be written."""
    return Move(
        run.job.id,
        run.job.claim_token,
        "PROCESSING",
        60.0,
        "retry",
        error_code="internal_error",
        kind=run.job.kind,
    )


class Ending:
    """Hears what became of a run's last write. `over` is told of it in the run's own context: the status
    that the job now has, False where it was not ours any more, or what went wrong."""

    __slots__ = ("_context", "_is_told", "_over", "move", "run")

    def __init__(
        self, run: Run, move: Move, over: "Callable[[Ending, Status | Exception], None]"
    ) -> None:
        self.run = run
        self.move = move
        self._over = over
        self._context = copy_context()
        self._is_told = False

    def done(self) -> bool:
        """Not before it has heard: whoever has begun a run also hears of its end."""
        return self._is_told

    def set_result(self, status: Status, /) -> None:
        """The database has answered."""
        self._tell(status)

    def set_exception(self, error: Exception, /) -> None:
        """It has not, or has refused the row."""
        self._tell(error)

    def _tell(self, told: Status | Exception) -> None:
        self._is_told = True
        self._context.run(self._over, self, told)


def require_written(move: Move, status: Status) -> None:
    """Logs what became of the job. Raises ClaimLost when it was not ours any more."""
    if status is False:
        raise ClaimLost("the job was taken away before its end", code="claim_lost")
    if status == "PROCESSING":
        log.info("job.waiting", reason=move.waiting_reason, seconds=move.delay_seconds)
    else:
        code = None if status == "CANCELLED" else move.error_code
        log.info("job.finished", status=status, code=code)


def _waited(job: ClaimedJob) -> timedelta:
    since: datetime = job.waiting_since or job.claimed_at
    return job.claimed_at - since

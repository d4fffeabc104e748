"""Which handler carries out which kind of job, and what a handler gets and gives."""

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from models.gen.campaign_jobs import ListRequestsRow
from models.gen.rows import AdAccount
from models.job import JobError
from workers.claimed import ClaimedJob
from workers.ledger import Ledger


class Run(msgspec.Struct, frozen=True):
    """One claimed job with what was loaded for it."""

    job: ClaimedJob
    request: ListRequestsRow
    """What was asked for; its payload is JSON that the job's kind understands."""
    account: AdAccount
    ledger: Ledger
    guard: Callable[[], None]
    """Raises ClaimLost when this worker has been out of touch for too long."""


class Ended(msgspec.Struct, frozen=True):
    """The job is over. CANCELLED is what a caller's wish to stop leads to."""

    status: Literal["SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED"]
    platform_campaign_id: str | None = None
    result: str | None = None
    error: JobError | None = None


class Parked(msgspec.Struct, frozen=True):
    """The job goes on later, by any worker."""

    seconds: float
    reason: str | None = None
    error: JobError | None = None


class Interrupted(msgspec.Struct, frozen=True):
    """No further step was begun: the worker stops, or somebody asked the job to."""


type Outcome = Ended | Parked | Interrupted


class Handler(Protocol):
    """Carries out one kind of job. Raises ClaimLost, and nothing else on purpose."""

    async def __call__(self, run: Run) -> Outcome:
        """Does as much as can be done now."""
        ...

    async def abandon(self, run: Run, error: JobError) -> Ended:
        """Ends a job that must not run any more, with what it has."""
        ...


type Handlers = dict[str, Handler]

"""Takes jobs in the name of this worker, and gives back those that it took without knowing."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import asyncpg
import structlog

from common import clock
from models.database import DATABASE_FAILURES, HOT_SETTINGS, Connect, connect
from models.gen import campaign_jobs, job_steps, workers
from models.gen.campaign_jobs import ListRequestsRow
from models.gen.rows import Connection, JobStep
from models.moments import share_moments
from workers.claimed import ClaimedJob, claim_jobs
from workers.metrics import WorkerMetrics

log = structlog.get_logger()

CLAIM_SETTINGS = {
    **HOT_SETTINGS,
    # nothing leaves the house for a claim alone: the intent of a step waits for the disk, and with it
    # everything that was written before. A claim that a crash of the server forgets has a token that
    # no row bears, so whoever held it can write nothing more
    "synchronous_commit": "off",
}


class Claims:
    """Over a connection of its own. `known` are the jobs that the worker knows to be its own."""

    def __init__(
        self,
        url: str,
        worker_id: UUID,
        known: Callable[[], Iterable[ClaimedJob]],
        metrics: WorkerMetrics,
        *,
        look_seconds: float,
        connect: Connect = connect,
    ) -> None:
        self._url = url
        self._worker_id = worker_id
        self._known = known
        self._metrics = metrics
        self._look_seconds = look_seconds
        self._connect = connect
        self._may_hold_unknown = False
        self._looked_at = clock.seconds()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def take(self, want: int) -> list[ClaimedJob]:
        """At most so many jobs, perhaps without their requests. Raises what the database, or the way to
        it, may do."""
        connection = await self._connected()
        if self._must_look():
            await campaign_jobs.forget_head_trusted_for_long(connection)
            await self._give_back_unknown(connection)
        return await self._metrics.claimed(
            claim_jobs(connection, worker_id=self._worker_id, want=want)
        )

    async def trusted_seconds(self) -> float:
        """For how long claims will pass over what is behind the place where the last one found the queue to
        begin: what was committed late, or given back."""
        return await campaign_jobs.get_head_trust_seconds(await self._connected()) or 0.0

    def doubt(self) -> None:
        """Jobs may be in our name that we do not know of: looks for them before the next claim."""
        self._may_hold_unknown = True

    def drop_connection(self) -> None:
        """Also ends a claim that still waits for its answer."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            connection = await self._connect(
                self._url, name="mojito claim", settings=CLAIM_SETTINGS
            )
            self._connection = connection
            # else half of the time that an answer takes to read goes into the moments in it
            await share_moments(connection)
            return connection
        return self._connection

    def _must_look(self) -> bool:
        """At once when a claim may have been lost, and now and then: one whose connection was lost may
        be granted by the server long after that look."""
        age = clock.seconds() - self._looked_at
        return self._may_hold_unknown or age > self._look_seconds

    async def _give_back_unknown(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        # whatever is lost while this waits is looked for next time
        self._may_hold_unknown = False
        known = list(self._known())
        given_back = await workers.give_back_unknown_claims(
            connection,
            worker_id=self._worker_id,
            known_ids=[job.id for job in known],
            known_tokens=[job.claim_token for job in known],
        )
        if given_back:
            log.warning("claims.given_back", jobs=given_back)
        self._looked_at = clock.seconds()


async def requests_of(
    connection: Connection, jobs: Sequence[ClaimedJob]
) -> dict[UUID, ListRequestsRow]:
    """What the callers of claimed jobs asked for: as the claim told, else read now."""
    told = {job.id: job.request for job in jobs if job.request is not None}
    left_out = [job.id for job in jobs if job.request is None]
    if left_out:
        for row in await campaign_jobs.list_requests(connection, ids=left_out):
            told[row.campaign_job_id] = row
    return told


async def earlier_steps(
    connection: Connection, jobs: Sequence[ClaimedJob]
) -> dict[UUID, list[JobStep]]:
    """What earlier runs of claimed jobs have begun and done."""
    begun_before = [job.id for job in jobs if job.started_at != job.claimed_at]
    steps: dict[UUID, list[JobStep]] = {}
    if begun_before:
        for row in await job_steps.list_steps_of_jobs(connection, campaign_job_ids=begun_before):
            steps.setdefault(row.campaign_job_id, []).append(row)
    return steps


def tell_not_started(jobs: Sequence[ClaimedJob], error: Exception) -> None:
    """Logs that claimed jobs could not begin; in a word where it was the database."""
    if isinstance(error, DATABASE_FAILURES):
        log.warning("claim.not_started", jobs=len(jobs), error=type(error).__name__)
    else:
        log.error("claim.not_started", jobs=len(jobs), exc_info=error)

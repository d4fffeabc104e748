"""Jobs of concurrent requests are written by one statement: one commit and one round trip for all of them."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec

from common.tasks import Company
from models.flush import Connection, Flusher
from models.gen import campaign_jobs
from models.gen.rows import AccountMode, CampaignJob


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted request and the account as it was when the request was judged."""

    id: UUID
    ad_account_id: UUID
    account_updated_at: datetime
    team_id: UUID
    platform_type: str
    mode: AccountMode
    payload: str
    steps_total: int
    lane: int
    idempotency_key: str | None
    request_fingerprint: bytes | None
    requested_by: UUID
    request_id: str
    traceparent: str | None


class JobWrites:
    """One connection of its own; `async with` opens and closes it."""

    def __init__(
        self,
        database_url: str,
        flushed: Callable[[Sequence[object], Sequence[object]], None] | None = None,
        took: Callable[[str, float], None] | None = None,
        company: Company | None = None,
    ) -> None:
        # a lost connection is told to the callers: whoever sends a key may repeat the request
        self._flusher = Flusher[NewJob, CampaignJob | None](
            database_url, write_jobs, name="requests", again=(), flushed=flushed, took=took
        )
        self._company = company or Company()
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        writing = self._company.beside(job_writes=self._flusher.run())
        await self._opened.enter_async_context(writing)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def write(self, job: NewJob) -> CampaignJob | None:
        """The job, durable. None: its key was used before, or the account is not any more as it was,
        or somebody is changing it just now."""
        return await self._flusher.submit(job)


async def write_jobs(connection: Connection, jobs: list[NewJob]) -> list[CampaignJob | None]:
    """An answer for each, in order."""
    made = await campaign_jobs.create_campaign_jobs(
        connection,
        ids=[job.id for job in jobs],
        ad_account_ids=[job.ad_account_id for job in jobs],
        account_updated_ats=[job.account_updated_at for job in jobs],
        payloads=[job.payload for job in jobs],
        steps_totals=[job.steps_total for job in jobs],
        lanes=[job.lane for job in jobs],
        idempotency_keys=[job.idempotency_key for job in jobs],
        request_fingerprints=[job.request_fingerprint for job in jobs],
        requested_bys=[job.requested_by for job in jobs],
        request_ids=[job.request_id for job in jobs],
        traceparents=[job.traceparent for job in jobs],
    )
    if made is None:
        raise LookupError("the statement returned no row")
    written = set(made.ids)
    return [_born(job, made.created_at) if job.id in written else None for job in jobs]


def _born(job: NewJob, created_at: datetime) -> CampaignJob:
    """The row as it was written."""
    return CampaignJob(
        id=job.id,
        kind="BUILD_CAMPAIGN",
        ad_account_id=job.ad_account_id,
        team_id=job.team_id,
        platform_type=job.platform_type,
        mode=job.mode,
        status="PENDING",
        result=None,
        platform_campaign_id=None,
        error_code=None,
        error=None,
        steps_total=job.steps_total,
        lane=job.lane,
        due_at=created_at,
        claim_token=None,
        worker_id=None,
        waiting_reason=None,
        waiting_since=None,
        cancel_requested_at=None,
        rescues=0,
        created_at=created_at,
        started_at=None,
        finished_at=None,
        updated_at=created_at,
    )

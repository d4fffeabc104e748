"""What a worker gets of the jobs that it claims."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import repeat
from uuid import UUID

import msgspec

from models.gen import campaign_jobs
from models.gen.campaign_jobs import ClaimCampaignJobsRow, ListRequestsRow
from models.gen.rows import Connection


class ClaimedJob(msgspec.Struct, frozen=True, gc=False):
    """A job that this worker alone may write to, as long as the row bears this claim's token."""

    id: UUID
    team_id: UUID | None
    kind: str
    ad_account_id: UUID
    platform_type: str
    created_at: datetime
    account_updated_at: datetime
    """When the account was last changed: what is remembered of it must not be older."""
    claim_token: UUID
    claimed_at: datetime
    """By the database's clock."""
    started_at: datetime
    """When it was claimed for the first time."""
    rescues: int = 0
    waiting_reason: str | None = None
    waiting_since: datetime | None = None
    request: ListRequestsRow | None = None
    """What its caller asked for, where the claim told it."""


async def claim_jobs(connection: Connection, *, worker_id: UUID, want: int) -> list[ClaimedJob]:
    """At most so many due jobs, in the name of this worker."""
    told = await campaign_jobs.claim_campaign_jobs(connection, worker_id=worker_id, want=want)
    return [] if told is None else _jobs(told)


def _jobs(told: ClaimCampaignJobsRow) -> list[ClaimedJob]:
    requests = map(
        ListRequestsRow, told.told_ids, told.payloads, told.request_ids, told.traceparents
    )

    def of_those_with_a_past[Value](column: Iterable[Value], otherwise: Value) -> Iterable[Value]:
        return _spread(told.ids, told.known_ids, column, otherwise)

    return list(
        map(
            ClaimedJob,
            told.ids,
            told.team_ids,
            told.kinds,
            told.ad_account_ids,
            told.platform_types,
            told.created_ats,
            told.account_updated_ats,
            repeat(told.claim_token),
            repeat(told.claimed_at),
            of_those_with_a_past(told.started_ats, told.claimed_at),
            of_those_with_a_past(told.rescues, 0),
            of_those_with_a_past(told.waiting_reasons, None),
            of_those_with_a_past(told.waiting_sinces, None),
            _spread(told.ids, told.told_ids, requests, None),
        )
    )


def _spread[Value](
    ids: Sequence[UUID], some_ids: Sequence[UUID], column: Iterable[Value], otherwise: Value
) -> Iterable[Value]:
    """A value for each id, from a column that has one for some of them."""
    if not some_ids:
        return repeat(otherwise)
    known = dict(zip(some_ids, column, strict=True))
    return [known.get(key, otherwise) for key in ids]

"""The three writes of a running job, fenced by its claim token, shared with its neighbours'.

Answers are found by token too: a process that lost a claim and got the same job again may have both
runs in one statement, and only one of them has written.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Literal
from uuid import UUID

import msgspec

from models.gen import campaign_jobs, job_steps
from models.gen.rows import JobStatus, StepStatus
from workers.flush import Connection, Flusher


class Intent(msgspec.Struct, frozen=True):
    """A step is about to be tried. `previous_token` is the one read in its row, if it had one."""

    campaign_job_id: UUID
    claim_token: UUID
    name: str
    position: int
    kind: str
    attempt: int
    request_digest: bytes
    previous_token: UUID | None


class Record(msgspec.Struct, frozen=True):
    """What became of a step, or what it has brought so far."""

    campaign_job_id: UUID
    claim_token: UUID
    previous_token: UUID
    name: str
    status: StepStatus
    attempt: int
    looks: int = 0
    outcome: str | None = None
    platform_id: str | None = None
    error: str | None = None
    delay_seconds: float | None = None


class Move(msgspec.Struct, frozen=True):
    """The end of a run: the job ends, or (PROCESSING) is let go for `delay_seconds`."""

    id: UUID
    claim_token: UUID
    status: JobStatus
    delay_seconds: float = 0.0
    waiting_reason: str | None = None
    result: str | None = None
    platform_campaign_id: str | None = None
    error_code: str | None = None
    error: str | None = None


class Writes:
    """Answers are True where the row was still ours."""

    def __init__(self, url: str) -> None:
        self.intents = Flusher[Intent, bool](url, write_intents, name="intents")
        self.records = Flusher[Record, bool](url, write_records, name="records")
        self.moves = Flusher[Move, JobStatus | Literal[False]](url, write_moves, name="moves")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Flushes as long as the block lasts."""
        tasks = [
            asyncio.create_task(flusher.run(), name=name)
            for name, flusher in (
                ("intents", self.intents),
                ("records", self.records),
                ("moves", self.moves),
            )
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def write_intents(connection: Connection, items: list[Intent]) -> list[bool]:
    """Begins steps; False where the job is not ours any more or was asked to stop."""
    rows = await job_steps.start_steps(
        connection,
        # our own token too: when the connection was lost the intent may have been committed
        previous_tokens=[
            *(item.previous_token for item in items if item.previous_token is not None),
            *(item.claim_token for item in items),
        ],
        campaign_job_ids=[item.campaign_job_id for item in items],
        names=[item.name for item in items],
        positions=[item.position for item in items],
        kinds=[item.kind for item in items],
        attempts=[item.attempt for item in items],
        request_digests=[item.request_digest for item in items],
        claim_tokens=[item.claim_token for item in items],
    )
    begun = {(row.campaign_job_id, row.name, row.claim_token) for row in rows}
    return [(item.campaign_job_id, item.name, item.claim_token) in begun for item in items]


async def write_records(connection: Connection, items: list[Record]) -> list[bool]:
    """Writes outcomes; False where another worker has begun the step since."""
    rows = await job_steps.record_steps(
        connection,
        campaign_job_ids=[item.campaign_job_id for item in items],
        names=[item.name for item in items],
        previous_tokens=[item.previous_token for item in items],
        claim_tokens=[item.claim_token for item in items],
        statuses=[item.status for item in items],
        attempts=[item.attempt for item in items],
        looks=[item.looks for item in items],
        outcomes=[item.outcome for item in items],
        platform_ids=[item.platform_id for item in items],
        errors=[item.error for item in items],
        delays=[item.delay_seconds for item in items],
    )
    written = {(row.campaign_job_id, row.name, row.claim_token) for row in rows}
    return [(item.campaign_job_id, item.name, item.claim_token) in written for item in items]


async def write_moves(
    connection: Connection, items: list[Move]
) -> list[JobStatus | Literal[False]]:
    """Ends runs; answers the status that the job now has, or False where it was not ours."""
    rows = await campaign_jobs.move_campaign_jobs(
        connection,
        ids=[item.id for item in items],
        claim_tokens=[item.claim_token for item in items],
        statuses=[item.status for item in items],
        delays=[item.delay_seconds for item in items],
        reasons=[item.waiting_reason for item in items],
        results=[item.result for item in items],
        platform_campaign_ids=[item.platform_campaign_id for item in items],
        error_codes=[item.error_code for item in items],
        errors=[item.error for item in items],
    )
    moved = {(row.id, row.claim_token): row.status for row in rows}
    return [moved.get((item.id, item.claim_token), False) for item in items]  # pyright: ignore[reportReturnType]  # text of an enum

"""The three writes of a running job, fenced by its claim token, shared with its neighbours'."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal, Protocol
from uuid import UUID

import asyncpg
import msgspec

from common.errors import ClaimLost
from common.tasks import Company
from models.columns import documents, texts, words
from models.database import HOT_SETTINGS, Connect, connect
from models.flush import Connection, Flusher
from models.gen import campaign_jobs, job_steps
from models.gen.rows import JobStatus, StepStatus
from models.jsonb import to_jsonb

MOVE_SETTINGS = {
    **HOT_SETTINGS,
    # what was told is joined to the rows that one walk found; without it each would meet all of the others
    "enable_hashjoin": "on",
}


class Intent(msgspec.Struct, frozen=True, gc=False):
    """A step is about to be tried. `previous_token` is the one read in its row, if it had one; by
    `call_seconds` after this is written no call of this try may be at work any more."""

    campaign_job_id: UUID
    claim_token: UUID
    name: str
    position: int
    kind: str
    attempt: int
    request_digest: bytes
    previous_token: UUID | None
    call_seconds: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """What became of a step, or what it has brought so far."""

    campaign_job_id: UUID
    team_id: UUID | None
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
    was_rescued: bool = False
    """Whether workers died on the job since a step was last done."""


class Move(msgspec.Struct, frozen=True):
    """The end of a run: the job ends, or (PROCESSING) is let go for `delay_seconds`."""

    id: UUID
    claim_token: UUID
    status: JobStatus
    delay_seconds: float | None = None
    waiting_reason: str | None = None
    result: str | None = None
    platform_campaign_id: str | None = None
    error_code: str | None = None
    error: str | None = None
    kind: str = ""
    """Of the job; only counted."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """What is told of a step that is done."""

    step: str
    platform_id: str | None
    code: None = None


class Measured(Protocol):
    """Hears of every flush."""

    def moved(self, moves: Sequence[Move], answers: Sequence[object]) -> None:
        """Runs ended."""

    def written(self, name: str, answers: Sequence[object]) -> None:
        """Intents or records were written."""

    def took(self, name: str, seconds: float) -> None:
        """That was the time of the statement."""


class Unmeasured:
    """Where nobody counts."""

    def moved(self, moves: Sequence[Move], answers: Sequence[object]) -> None:
        """Nothing."""

    def written(self, name: str, answers: Sequence[object]) -> None:
        """Nothing."""

    def took(self, name: str, seconds: float) -> None:
        """Nothing."""


class Writes:
    """Answers are True where the row was still ours. `changed` is called after each shared statement."""

    def __init__(
        self,
        url: str,
        measured: "Measured | None" = None,
        changed: Callable[[], None] = lambda: None,
        connect: Connect = connect,
        company: Company | None = None,
    ) -> None:
        told = measured or Unmeasured()
        self._company = company or Company()

        def recorded(_: object, answers: Sequence[object]) -> None:
            told.written("records", answers)
            changed()

        def moved(moves: Sequence[Move], answers: Sequence[object]) -> None:
            told.moved(moves, answers)
            changed()

        self.intents = Flusher[Intent, bool](
            url,
            write_intents,
            name="intents",
            flushed=lambda _, answers: told.written("intents", answers),
            took=told.took,
            connect=connect,
            unwritten=_unwritten,
        )
        self.records = Flusher[Record, bool](
            url,
            write_records,
            name="records",
            flushed=recorded,
            took=told.took,
            connect=connect,
            unwritten=_unwritten,
        )
        self.moved = moved
        """For moves that were written in a transaction of their own."""
        self.moves = Flusher[Move, JobStatus | Literal[False]](
            url,
            write_moves,
            name="moves",
            settings=MOVE_SETTINGS,
            flushed=moved,
            took=told.took,
            connect=connect,
            unwritten=_unwritten,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Flushes as long as the block lasts."""
        async with self._company.beside(
            intents=self.intents.run(), records=self.records.run(), moves=self.moves.run()
        ):
            yield


async def write_intents(connection: Connection, items: list[Intent]) -> list[bool]:
    """Begins steps; False where the job is not ours any more or was asked to stop."""
    if await _begin_new(connection, items):
        return [True] * len(items)
    told = await job_steps.start_steps(
        connection,
        campaign_job_ids=[item.campaign_job_id for item in items],
        names=texts([item.name for item in items]),
        positions=[item.position for item in items],
        kinds=words([item.kind for item in items]),
        attempts=_column([item.attempt or None for item in items]),
        request_digests=[item.request_digest for item in items],
        claim_tokens=[item.claim_token for item in items],
        previous_tokens=_column([item.previous_token for item in items]),
        call_seconds=[item.call_seconds for item in items],
    )
    if told is None or told.begun == len(items):
        return [told is not None] * len(items)
    # by token, too: a run that was lost and the present one of the same job may be in one flush
    begun = set(zip(told.campaign_job_ids, told.names, told.claim_tokens, strict=True))
    return [(item.campaign_job_id, item.name, item.claim_token) in begun for item in items]


async def _begin_new(connection: Connection, items: list[Intent]) -> bool:
    """Whether all of these have no row yet, and have one now. What is begun here by one of them that
    is not alone in being begun is begun by the same run once more."""
    if any(item.previous_token or item.attempt for item in items):
        return False
    try:
        begun = await job_steps.start_new_steps(
            connection,
            campaign_job_ids=words([str(item.campaign_job_id) for item in items]),
            names=texts([item.name for item in items]),
            positions=words([str(item.position) for item in items]),
            kinds=words([item.kind for item in items]),
            request_digests=words([item.request_digest.hex() for item in items]),
            claim_tokens=words([str(item.claim_token) for item in items]),
            call_seconds=words([str(item.call_seconds) for item in items]),
        )
    except asyncpg.UniqueViolationError:
        # an earlier run has begun one of them, or nobody knew whether this very write was committed
        return False
    return begun == len(items)


async def write_records(connection: Connection, items: list[Record]) -> list[bool]:
    """Writes outcomes; False where another worker has begun the step since."""
    if all(map(_is_plainly_done, items)):
        recorded = await _record_done(connection, items)
    else:
        recorded = await _record(connection, items)
    answers = [False] * len(items)
    for nth in recorded or ():
        answers[nth - 1] = True
    return answers


def _is_plainly_done(item: Record) -> bool:
    return (
        item.status == "DONE"
        and item.previous_token == item.claim_token
        and item.outcome is not None
        and item.error is None
        and item.delay_seconds is None
        and not (item.attempt or item.looks or item.was_rescued)
    )


async def _record_done(connection: Connection, items: list[Record]) -> list[int] | None:
    return await job_steps.record_done_steps(
        connection,
        steps=len(items),
        campaign_job_ids=words([str(item.campaign_job_id) for item in items]),
        team_ids=words([str(item.team_id or "") for item in items]),
        claim_tokens=words([str(item.claim_token) for item in items]),
        outcomes=documents([item.outcome for item in items]),
        facts=to_jsonb([Fact(item.name, item.platform_id) for item in items]),
    )


async def _record(connection: Connection, items: list[Record]) -> list[int] | None:
    return await job_steps.record_steps(
        connection,
        campaign_job_ids=[item.campaign_job_id for item in items],
        team_ids=_column([item.team_id for item in items]),
        names=texts([item.name for item in items]),
        previous_tokens=_column(
            [
                None if item.previous_token == item.claim_token else item.previous_token
                for item in items
            ]
        ),
        claim_tokens=[item.claim_token for item in items],
        statuses=words([item.status for item in items]),
        attempts=_column([item.attempt or None for item in items]),
        looks=_column([item.looks or None for item in items]),
        outcomes=documents([item.outcome for item in items]),
        platform_ids=texts([item.platform_id for item in items]),
        errors=_column([item.error for item in items]),
        delays=_column([item.delay_seconds for item in items]),
        rescued_ids=[item.campaign_job_id for item in items if item.was_rescued],
    )


async def write_moves(
    connection: Connection, items: list[Move]
) -> list[JobStatus | Literal[False]]:
    """Ends runs; answers the status that the job now has, or False where it was not ours."""
    row = await campaign_jobs.move_campaign_jobs(
        connection,
        ids=[item.id for item in items],
        claim_tokens=[item.claim_token for item in items],
        statuses=words(item.status for item in items),
        delays=_column([item.delay_seconds for item in items]),
        reasons=_column([item.waiting_reason for item in items]),
        results=_column([item.result for item in items]),
        platform_campaign_ids=_column([item.platform_campaign_id for item in items]),
        error_codes=_column([item.error_code for item in items]),
        errors=_column([item.error for item in items]),
    )
    answers: list[JobStatus | Literal[False]] = [False] * len(items)
    if row is not None:
        for nth in row.moved:
            answers[nth - 1] = items[nth - 1].status
        for nth in row.cancelled:
            answers[nth - 1] = "CANCELLED"
    return answers


def _unwritten(why: str) -> Exception:
    """The run stops where it is, and the next one finds that as a killed worker would have left it."""
    return ClaimLost(why, code="not_written")


def _column[Value](values: list[Value | None]) -> list[Value | None]:
    """Nothing at all when every value is null: unnest fills a shorter column up with nulls."""
    return values if values.count(None) < len(values) else []

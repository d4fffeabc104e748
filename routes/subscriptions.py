"""What one open stream has coming: a bounded buffer between the shared reader and one caller."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from models.gen.rows import AccountMode

MOST_WAITING = 2000
"""Events that wait for a caller who reads slower than they happen; then the stream ends."""

type Kind = Literal["job", "team"]


class JobEvent(msgspec.Struct, frozen=True):
    """Something that happened to a job; the data of an event of a stream."""

    id: Annotated[int, Meta(description="Its number; send the last one seen as Last-Event-ID.")]
    type: Annotated[
        str,
        Meta(
            description="job.started, job.step.done, job.step.failed, job.waiting, job.cancel_requested, "
            "job.finished or job.retried; more may come."
        ),
    ]
    campaign_job_id: Annotated[UUID, Meta(description="Of which job.")]
    created_at: Annotated[datetime, Meta(tz=True, description="When it happened.")]
    data: Annotated[
        dict[str, Any],
        Meta(
            description="What is known of it: step and platform_id, status and code, or the like."
        ),
    ]


class Row(msgspec.Struct, frozen=True):
    """An event as it was read, ready to be sent to everybody who watches it."""

    id: int
    kind: str
    mode: AccountMode | None
    text: bytes


class Subscription:
    """One open stream: what was read for it and not yet taken, and from which number on to read."""

    def __init__(
        self,
        kind: Kind,
        watched_id: UUID,
        *,
        after: int,
        key_id: UUID,
        mode: AccountMode | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.watched_id = watched_id
        self.after = after
        self.key_id = key_id
        self.mode = mode
        """The only mode whose events are shown; None for all."""
        self.is_live = False
        """Whether it has had everything that was there when it began."""
        self.is_over = False
        self._waiting: list[bytes] = []
        self._something = asyncio.Event()

    @property
    def wants_more(self) -> bool:
        """History comes as fast as the caller takes it; what happens now comes when it happens."""
        return not self.is_over and (self.is_live or not self._waiting)

    def put(self, rows: Sequence[Row], after: int, *, is_live: bool) -> None:
        """Events behind `after`; a caller who is too slow gets no more, and the end."""
        shown = [row for row in rows if self.mode in (None, row.mode)]
        is_over = False
        if self.kind == "job":
            shown, is_over = until_end(shown)
        if self.is_live and len(self._waiting) + len(shown) > MOST_WAITING:
            self.end()
            return
        self.after = after
        self.is_live = self.is_live or is_live
        self._waiting += [row.text for row in shown]
        if is_over:
            self.is_over = True
        if shown or is_over:
            self._something.set()

    def end(self) -> None:
        """Nothing more comes; what waits may still be taken."""
        self.is_over = True
        self._something.set()

    async def take(self, seconds: float) -> bytes:
        """All that waits, as one piece; nothing when nothing came in that time, or it is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something.wait()
        if not self.is_over:
            self._something.clear()
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken


def until_end(rows: Sequence[Row]) -> tuple[list[Row], bool]:
    """Nothing is shown after the end of a job's last run; whether that end is among them.

    A worker that lost its claim may write down a step after the end. After a retry the job goes on.
    """
    ends = [place for place, row in enumerate(rows) if row.kind == "job.finished"]
    if not ends or any(row.kind == "job.retried" for row in rows[ends[-1] :]):
        return list(rows), False
    return list(rows[: ends[-1] + 1]), True


def encoded(event: JobEvent) -> bytes:
    """As a server-sent event."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.id,
        event.type.encode(),
        msgspec.json.encode(event),
    )

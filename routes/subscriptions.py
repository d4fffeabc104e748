"""What one open stream has coming: a bounded buffer between the shared reader and one caller."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from models.gen.rows import AccountMode

MOST_WAITING = 2000
"""Events that wait for a caller who reads slower than they happen; then the stream ends."""


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
    livemode: Annotated[bool, Meta(description="False where no money can be spent.")]
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
        team_id: UUID,
        job_id: UUID | None = None,
        *,
        after: int,
        key_id: UUID,
        mode: AccountMode | None = None,
        ends_after: int = 0,
        ends_by: int | None = None,
    ) -> None:
        self.team_id = team_id
        self.job_id = job_id
        """None: all jobs of the team."""
        self.after = after
        """Behind which number nothing was read for it."""
        self.key_id = key_id
        self.mode = mode
        """The only mode whose events are shown; None for all."""
        self.ends_after = ends_after
        """The first end of its job behind that number ends it; earlier ones were followed by a retry."""
        self.ends_by = ends_by
        """The number of that end, where the job has ended already."""
        self.is_live = False
        """Whether it has had everything that was there when it began."""
        self.is_over = False
        self._waiting: list[bytes] = []
        self._something = asyncio.Event()

    @property
    def wants_history(self) -> bool:
        """It comes as fast as the caller takes it; what happens now comes when it happens."""
        return not (self.is_over or self.is_live or self._waiting)

    def put(self, rows: Sequence[Row]) -> None:
        """More events; a caller who is too slow gets no more, and the end."""
        if self.is_over:
            return
        shown = [row for row in rows if row.id > self.after and self.mode in (None, row.mode)]
        end = self._end_among(shown)
        shown = shown[:end]
        if self.is_live and len(self._waiting) + len(shown) > MOST_WAITING:
            self.end()
            return
        if rows:
            self.after = max(self.after, rows[-1].id)
        self._waiting += [row.text for row in shown]
        self.is_over = end is not None
        if shown:
            self._something.set()

    def has_had_all_until(self, number: int) -> None:
        """It is live from now on; but for one whose end must have been among what it had and was not: the
        job was deleted meanwhile, with all its events, and nothing more is ever heard of it."""
        self.is_live = True
        if self.ends_by is not None and self.ends_by <= number:
            self.end()

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

    def _end_among(self, rows: Sequence[Row]) -> int | None:
        """How many are shown until the end of the job; None when they tell of none.

        A worker that lost its claim may write down a step after the end: that is not shown.
        """
        if self.job_id is None:
            return None
        for place, row in enumerate(rows):
            if row.kind == "job.finished" and row.id > self.ends_after:
                return place + 1
        return None


def encoded(event: JobEvent) -> bytes:
    """As a server-sent event."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.id,
        event.type.encode(),
        msgspec.json.encode(event),
    )

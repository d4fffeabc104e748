"""Answers that are held: a job is compared when something of it is new, and every job once a second.

Not everything that a caller may see of a job is an event, hence the round. It goes in pieces, so that a
thousand held answers are no burst.
"""

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import Generator
from itertools import islice
from uuid import UUID

import structlog

from common import clock
from common.seldom import Seldom
from models.database import DATABASE_FAILURES, Pool
from models.gen import campaign_jobs
from models.gen.rows import JobStatus

_ROUND_SECONDS = 1.0
_MOST_TOGETHER = 100
_SHORTEST_PAUSE_SECONDS = 0.005
_PAUSE_AFTER_FAILURE_SECONDS = 0.25

log = structlog.get_logger()


class Hold:
    """One held answer: of which job, and what its caller has seen of it."""

    def __init__(self, job_id: UUID, status: JobStatus, *, until_anything: bool) -> None:
        self.job_id = job_id
        self.status = status
        self.until_anything = until_anything
        self.mark: int | None = None
        self.changed = asyncio.Event()

    def compare(self, status: JobStatus | None, mark: int) -> None:
        """With the job as it is now. The first mark counts as a change: what came before is unknown."""
        if status != self.status or (self.until_anything and mark != self.mark):
            self.changed.set()
        self.mark = mark


class Holds:
    """`run` reads as long as it is not cancelled. Without held answers it asks nothing."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._of: OrderedDict[UUID, set[Hold]] = OrderedDict()
        self._hurried: dict[UUID, None] = {}
        self._round_due = 0.0
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """How many answers are held."""
        return sum(map(len, self._of.values()))

    @contextlib.contextmanager
    def holding(self, hold: Hold) -> Generator[None]:
        """Compares it as long as the block lasts, for the first time at once."""
        self._of.setdefault(hold.job_id, set()).add(hold)
        self.hurry(hold.job_id)
        try:
            yield
        finally:
            self._of[hold.job_id].discard(hold)
            if not self._of[hold.job_id]:
                del self._of[hold.job_id]

    def hurry(self, job_id: UUID) -> None:
        """Something of that job is new."""
        self._hurried[job_id] = None
        self._wake.set()

    def end(self) -> None:
        """All are answered."""
        for holds in self._of.values():
            for hold in holds:
                hold.changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        seldom = Seldom()
        while True:
            await self._until_due()
            began = clock.seconds()
            ids = self._next()
            try:
                await self._compare(ids)
            except DATABASE_FAILURES as error:
                seldom.warning("holds.failed", error=type(error).__name__)
                self._hurried |= dict.fromkeys(ids)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
            except Exception:
                log.exception("holds.broken")
                await asyncio.sleep(_ROUND_SECONDS)
            # never busy for more than a third of the time, however many are held
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, 2 * (clock.seconds() - began)))

    async def _until_due(self) -> None:
        while not self._of:
            self._hurried.clear()
            self._wake.clear()
            await self._wake.wait()
        self._wake.clear()
        if not self._hurried:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._round_due - clock.seconds())):
                    await self._wake.wait()

    def _next(self) -> list[UUID]:
        """Those that hurry; and when a piece of the round is due, those longest not compared."""
        ids = dict.fromkeys(islice(self._hurried, _MOST_TOGETHER))
        for job_id in ids:
            del self._hurried[job_id]
        if clock.seconds() >= self._round_due:
            ids |= dict.fromkeys(islice(self._of, _MOST_TOGETHER))
            pieces = max(1.0, len(self._of) / _MOST_TOGETHER)
            seconds = _ROUND_SECONDS / pieces * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
            self._round_due = clock.seconds() + seconds
        known = [job_id for job_id in ids if job_id in self._of]
        for job_id in known:
            self._of.move_to_end(job_id)
        return known

    async def _compare(self, ids: list[UUID]) -> None:
        if not ids:
            return
        rows = await campaign_jobs.list_marks_of_jobs(self._pool, ids=ids)
        found = {row.id: row for row in rows}
        for job_id in ids:
            row = found.get(job_id)
            for hold in self._of.get(job_id, ()):
                hold.compare(row.status if row else None, row.mark if row else 0)

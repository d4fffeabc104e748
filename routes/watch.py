"""One reader for everybody who watches jobs: it asks once for all of them and hands out what is new."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import structlog

from common import clock
from models.database import DATABASE_FAILURES, Pool
from models.gen import api_keys, campaign_jobs, job_events
from models.gen.job_events import ListEventsOfJobsRow, ListEventsOfTeamsRow
from models.gen.rows import AccountMode, JobStatus
from models.horizon import Horizon
from models.listener import CHANGES, Listener
from routes.subscriptions import JobEvent, Row, Subscription, encoded

_POLL_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25
_PAGE = 500
_SMALLEST_PAGE = 10
_MOST_ROWS = 5000
"""That one look reads and makes into text, in which time the program does nothing else."""
_KEYS_SECONDS = 15.0

type Group = tuple[str, UUID, int]

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


class Watch:
    """`async with running()` around everything that watches. Without watchers it asks nothing."""

    def __init__(
        self, url: str, pool: Pool, stopping: asyncio.Event, *, keys_seconds: float = _KEYS_SECONDS
    ) -> None:
        self._pool = pool
        self.stopping = stopping
        self._wake = asyncio.Event()
        self._listener = Listener(url, self._wake.set, channel=CHANGES)
        self._horizon = Horizon()
        self._subscriptions: set[Subscription] = set()
        self._holds: set[Hold] = set()
        self._keys_seconds = keys_seconds
        self._keys_due = 0.0
        self._soon_seconds = _SHORTEST_PAUSE_SECONDS

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Reads as long as the block lasts."""
        jobs = (self._listener.run(), self._read(), self._end_when_stopping())
        tasks = [asyncio.create_task(job, name="watch") for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.contextmanager
    def subscribed(self, subscription: Subscription) -> Generator[Subscription]:
        """Hands events to it as long as the block lasts."""
        self._subscriptions.add(subscription)
        if self.stopping.is_set():
            subscription.end()
        self._wake.set()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    @contextlib.contextmanager
    def holding(self, hold: Hold) -> Generator[Hold]:
        """Compares it as long as the block lasts."""
        self._holds.add(hold)
        self._wake.set()
        try:
            yield hold
        finally:
            self._holds.discard(hold)

    async def change(self, hold: Hold, until: float) -> bool:
        """Whether the job has changed; False when time is over, or the program stops."""
        if self.stopping.is_set():
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await hold.changed.wait()
        is_changed = hold.changed.is_set() and not self.stopping.is_set()
        hold.changed.clear()
        return is_changed

    def want_more(self) -> None:
        """Somebody has taken what there was."""
        self._wake.set()

    async def _end_when_stopping(self) -> None:
        await self.stopping.wait()
        for subscription in self._subscriptions:
            subscription.end()
        for hold in self._holds:
            hold.changed.set()

    async def _read(self) -> None:
        while True:
            await self._until_due()
            began = clock.seconds()
            try:
                await self._look()
            except DATABASE_FAILURES as error:
                log.warning("watch.failed", error=type(error).__name__)
                await asyncio.sleep(_LONGEST_PAUSE_SECONDS)
            except Exception:
                log.exception("watch.broken")
                await asyncio.sleep(_POLL_SECONDS)
            # never busy for more than a third of the time, however many watch
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, 2 * (clock.seconds() - began)))

    async def _until_due(self) -> None:
        while not (self._subscriptions or self._holds):
            self._wake.clear()
            await self._wake.wait()
        seconds = _POLL_SECONDS
        if self._subscriptions and not self._horizon.is_reached:
            seconds = self._soon_seconds
            self._soon_seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
        else:
            self._soon_seconds = _SHORTEST_PAUSE_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load
                await self._wake.wait()
        self._wake.clear()

    async def _look(self) -> None:
        if self._holds:
            await self._look_at_holds()
        if self._subscriptions:
            until = await self._horizon.look(self._pool)
            await self._hand_out(until)
            if clock.seconds() >= self._keys_due:
                self._keys_due = clock.seconds() + self._keys_seconds
                await self._end_those_without_key()

    async def _look_at_holds(self) -> None:
        holds = list(self._holds)
        rows = await campaign_jobs.list_marks_of_jobs(
            self._pool, ids=list({hold.job_id for hold in holds})
        )
        found = {row.id: row for row in rows}
        for hold in holds:
            row = found.get(hold.job_id)
            hold.compare(row.status if row else None, row.mark if row else 0)

    async def _hand_out(self, until: int) -> None:
        """Everybody gets what is settled behind his own number; who is up to date costs one question."""
        groups: dict[Group, list[Subscription]] = {}
        for subscription in self._subscriptions:
            if subscription.after >= until:
                subscription.is_live = True
            elif subscription.wants_more:
                group = (subscription.kind, subscription.watched_id, subscription.after)
                groups.setdefault(group, []).append(subscription)
        page = page_size(len(groups))
        found = await self._events([g for g in groups if g[0] == "job"], until, page)
        found |= await self._team_events([g for g in groups if g[0] == "team"], until, page)
        for group, subscriptions in groups.items():
            rows = found.get(group, [])
            is_whole = len(rows) < page
            after = until if is_whole else rows[-1].id
            for subscription in subscriptions:
                subscription.put(rows, after, is_live=is_whole)
            if not is_whole:
                self._wake.set()

    async def _events(
        self, groups: Sequence[Group], until: int, page: int
    ) -> dict[Group, list[Row]]:
        if not groups:
            return {}
        rows = await job_events.list_events_of_jobs(
            self._pool,
            campaign_job_ids=[watched_id for _, watched_id, _ in groups],
            after_ids=[after for _, _, after in groups],
            until_id=until,
            page_size=page,
        )
        return _grouped((("job", row.campaign_job_id, row.after_id), row, None) for row in rows)

    async def _team_events(
        self, groups: Sequence[Group], until: int, page: int
    ) -> dict[Group, list[Row]]:
        if not groups:
            return {}
        rows = await job_events.list_events_of_teams(
            self._pool,
            team_ids=[watched_id for _, watched_id, _ in groups],
            after_ids=[after for _, _, after in groups],
            until_id=until,
            page_size=page,
        )
        return _grouped((("team", row.team_id, row.after_id), row, row.mode) for row in rows)

    async def _end_those_without_key(self) -> None:
        asked = {subscription.key_id for subscription in self._subscriptions}
        usable = set(await api_keys.list_usable_api_keys(self._pool, ids=list(asked)))
        for subscription in self._subscriptions:
            if subscription.key_id in asked - usable:
                subscription.end()


def page_size(groups: int) -> int:
    """How many events a look reads for each, so that many who read history get it in more looks.

    >>> page_size(1), page_size(50), page_size(400)
    (500, 100, 12)
    """
    return max(_SMALLEST_PAGE, min(_PAGE, _MOST_ROWS // max(groups, 1)))


def _grouped(
    found: Iterable[tuple[Group, ListEventsOfJobsRow | ListEventsOfTeamsRow, AccountMode | None]],
) -> dict[Group, list[Row]]:
    groups: dict[Group, list[Row]] = {}
    for group, row, mode in found:
        known: dict[str, Any] = msgspec.json.decode(row.data)
        data = {name: value for name, value in known.items() if value is not None}
        event = JobEvent(row.id, row.kind, row.campaign_job_id, row.created_at, data)
        groups.setdefault(group, []).append(Row(row.id, row.kind, mode, encoded(event)))
    return groups

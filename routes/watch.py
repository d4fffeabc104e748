"""One reader for everybody who watches jobs: it asks once for what is new and hands it out.

Who has had everything so far shares one question, which costs what happened and not how many watch;
who reads history is asked for singly until he has had all of it.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Generator, Sequence
from uuid import UUID

import structlog

from common import clock
from common.seldom import Seldom
from common.tasks import Company
from models.database import DATABASE_FAILURES, Pool
from models.gen import api_keys, job_events
from models.horizon import Horizon
from models.listener import CHANGES, Listener
from routes.audience import Audience
from routes.event_rows import Group, history, news
from routes.holds import Hold, Holds
from routes.places import Places
from routes.subscriptions import Row, Subscription

_POLL_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.25
_PAGE = 500
_SMALLEST_PAGE = 10
_MOST_ROWS = 5000
"""That one look reads and makes into text, in which time the program does nothing else."""
_KEYS_SECONDS = 15.0
_LONGEST_ARRIVAL_SECONDS = 2.0
"""Whoever writes events and does not end keeps nobody longer from watching."""

log = structlog.get_logger()


class Watch:
    """`async with running()` around everything that watches. Without watchers it asks nothing."""

    def __init__(
        self,
        url: str,
        pool: Pool,
        stopping: asyncio.Event,
        *,
        most_per_team: int | None = None,
        keys_seconds: float = _KEYS_SECONDS,
        company: Company | None = None,
    ) -> None:
        self._pool = pool
        self._company = company or Company()
        self.stopping = stopping
        self._wake = asyncio.Event()
        self._listener = Listener(url, self._wake.set, channel=CHANGES)
        self._horizon = Horizon()
        self._looked = asyncio.Event()
        self._arriving = 0
        self.settled = 0
        """Up to which number everybody who is live has had everything."""
        self._has_begun = False
        """Whether that number is one of now: what was told before, while nobody watched, is history."""
        self.subscriptions: set[Subscription] = set()
        self._behind: set[Subscription] = set()
        """Those of them who read history."""
        self._audience = Audience()
        self.holds = Holds(pool)
        self.places = Places(most_per_team)
        self._keys_seconds = keys_seconds
        self._keys_due = 0.0
        self._soon_seconds = _SHORTEST_PAUSE_SECONDS

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Reads as long as the block lasts."""
        listener, holds = self._listener.run(), self.holds.run()
        ending = self._end_when_stopping()
        async with self._company.beside(listener, holds, self._read(), ending):
            yield

    @contextlib.contextmanager
    def subscribed(self, subscription: Subscription) -> Generator[Subscription]:
        """Hands events to it as long as the block lasts."""
        self.subscriptions.add(subscription)
        self._behind.add(subscription)
        if self.stopping.is_set():
            subscription.end()
        self._wake.set()
        try:
            yield subscription
        finally:
            self.subscriptions.discard(subscription)
            self._behind.discard(subscription)
            self._audience.discard(subscription.team_id, subscription.job_id, subscription.put)

    @contextlib.contextmanager
    def holding(self, team_id: UUID, hold: Hold) -> Generator[None]:
        """Compares it as long as the block lasts. Raises TooManyRequests."""

        def hear(_: Sequence[Row]) -> None:
            self.holds.hurry(hold.job_id)

        with self.places.one_more("held_answers", team_id):
            self._audience.add(team_id, hold.job_id, hear)
            self._wake.set()
            try:
                with self.holds.holding(hold):
                    yield
            finally:
                self._audience.discard(team_id, hold.job_id, hear)

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

    async def present(self) -> int:
        """The highest number given so far, once what bears it or a lower one can be seen or never will.

        Who hears from there on and then looks at jobs has missed nothing.
        """
        number = await job_events.get_last_event_number(self._pool) or 0
        self._arriving += 1
        self._wake.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_ARRIVAL_SECONDS):
                    while self._horizon.settled < number:
                        await self._looked.wait()
        finally:
            self._arriving -= 1
        return number

    def want_more(self) -> None:
        """Somebody has taken what there was."""
        self._wake.set()

    async def _end_when_stopping(self) -> None:
        await self.stopping.wait()
        for subscription in self.subscriptions:
            subscription.end()
        self.holds.end()

    async def _read(self) -> None:
        seldom = Seldom()
        while True:
            await self._until_due()
            began = clock.seconds()
            try:
                await self._look()
            except DATABASE_FAILURES as error:
                seldom.warning("watch.failed", error=type(error).__name__)
                await asyncio.sleep(_LONGEST_PAUSE_SECONDS)
            except Exception:
                log.exception("watch.broken")
                await asyncio.sleep(_POLL_SECONDS)
            # never busy for more than a third of the time, however many watch
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, 2 * (clock.seconds() - began)))

    async def _until_due(self) -> None:
        while not (self.subscriptions or len(self.holds) or self._arriving):
            self._horizon, self._has_begun = Horizon(), False
            self._wake.clear()
            await self._wake.wait()
        seconds = _POLL_SECONDS
        if not self._horizon.is_reached:
            seconds = self._soon_seconds
            self._soon_seconds = min(2 * seconds, _LONGEST_PAUSE_SECONDS)
        else:
            self._soon_seconds = _SHORTEST_PAUSE_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load
                await self._wake.wait()
        self._wake.clear()

    async def _look(self) -> None:
        until = await self._horizon.look(self._pool)
        self._looked.set()
        self._looked = asyncio.Event()
        if not self._has_begun:
            if not (until or self._horizon.is_reached):
                return  # nobody is live before it is known where the present begins
            self._has_begun, self.settled = True, until
        await self._tell_news(until)
        await self._tell_history()
        if self.subscriptions and clock.seconds() >= self._keys_due:
            self._keys_due = clock.seconds() + self._keys_seconds
            await self._end_those_without_key()

    async def _tell_news(self, until: int) -> None:
        """To all who are live. A database that was set back gives its numbers once more."""
        if until > self.settled:
            told, whole = await news(self._pool, self._audience, self.settled, until, _MOST_ROWS)
            self._audience.tell(told)
            if whole < until:
                self._wake.set()
            until = whole
        self.settled = until

    async def _tell_history(self) -> None:
        """Everybody gets what lies behind his own number; who has had all of it is live from then on."""
        groups: dict[Group, list[Subscription]] = {}
        for subscription in list(self._behind):
            if subscription.after >= self.settled:
                self._is_up_to_date(subscription)
            elif subscription.wants_history:
                group = (subscription.team_id, subscription.job_id, subscription.after)
                groups.setdefault(group, []).append(subscription)
        page = page_size(len(groups))
        found = await history(self._pool, list(groups), self.settled, page)
        for group, subscriptions in groups.items():
            rows = found.get(group, [])
            for subscription in subscriptions:
                subscription.put(rows)
                if len(rows) < page:
                    self._is_up_to_date(subscription)
            if len(rows) == page:
                self._wake.set()

    def _is_up_to_date(self, subscription: Subscription) -> None:
        subscription.has_had_all_until(self.settled)
        if subscription in self._behind:
            self._behind.discard(subscription)
            self._audience.add(subscription.team_id, subscription.job_id, subscription.put)

    async def _end_those_without_key(self) -> None:
        asked = {subscription.key_id for subscription in self.subscriptions}
        usable = set(await api_keys.list_usable_api_keys(self._pool, ids=list(asked)))
        for subscription in self.subscriptions:
            if subscription.key_id in asked - usable:
                subscription.end()


def page_size(groups: int) -> int:
    """How many events a look reads for each, so that many who read history get it in more looks.

    >>> page_size(1), page_size(50), page_size(400)
    (500, 100, 12)
    """
    return max(_SMALLEST_PAGE, min(_PAGE, _MOST_ROWS // max(groups, 1)))

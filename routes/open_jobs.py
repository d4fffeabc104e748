"""How many jobs of an account and of a team may be open: counted from the rows, and seldom.

A count is trusted for as many new jobs as a sixteenth of the room that it found, and for a second, or
for ten as long as half of the cap was free; then it is taken anew, by one request for all. So the caps hold
exactly in one API process; each further process may exceed them by a sixteenth of the cap, within that
time. No count reads more rows than the cap has.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

import asyncpg
import msgspec

from common import clock
from common.errors import TooManyRequests
from models.gen import campaign_jobs
from models.gen.rows import Connection

_TRUST_SECONDS = 1.0
_TRUST_SECONDS_WITH_ROOM = 10.0
"""While half of the cap is free: others would have to fill it in that time."""
_SHARE = 16
_MOST_KNOWN = 10_000
_RETRY_SECONDS = 5


class Caps(msgspec.Struct, frozen=True):
    """None: as many as there are."""

    per_account: int | None = None
    per_team: int | None = None


class _Cap(msgspec.Struct, frozen=True):
    """One of them, and how to count what it is about."""

    name: str
    most: int
    ask: Callable[[Connection, UUID, int], Awaitable[int]]


class Count:
    """What this process knows of the open jobs of one account or team."""

    def __init__(self) -> None:
        self.begun = 0
        """Jobs that this process was about to write, ever; and how many of them it has written or not."""
        self.ended = 0
        self.known = 0
        """Open jobs, when last counted."""
        self.known_of = 0
        """`ended` at that moment: what was under way then may be among the open jobs, or may not."""
        self.trusted_until = 0.0
        self.trusted_jobs = 0
        self.asked_again_at = 0
        """New jobs with which somebody begins to count while others still go on."""
        self.is_asked = False
        """Whether somebody counts just now."""
        self.news: asyncio.Event | None = None
        """Set when a count is over or a job ended; None while nobody waits for that."""

    @property
    def since(self) -> int:
        """New jobs of this process since the count, with those that were under way."""
        return self.begun - self.known_of

    @property
    def under_way(self) -> int:
        """Nobody else can see them yet."""
        return self.begun - self.ended

    @property
    def is_idle(self) -> bool:
        """Whether it can be begun anew."""
        return not (self.under_way or self.is_asked)

    async def next_news(self) -> None:
        """Returns when a count is over or a job ended."""
        if self.news is None:
            self.news = asyncio.Event()
        await self.news.wait()

    def tell(self) -> None:
        """Wakes all who wait for news."""
        if self.news is not None:
            self.news.set()
            self.news = None


class OpenJobs:
    """Kept as long as the program; asks with whatever connection a request has."""

    def __init__(self, caps: Caps, *, seconds: Callable[[], float] = clock.seconds) -> None:
        self._account = _cap("account", caps.per_account, _of_account)
        self._team = _cap("team", caps.per_team, _of_team)
        self._seconds = seconds
        self._counts: dict[UUID, Count] = {}

    @contextlib.asynccontextmanager
    async def one_more(
        self, connection: Connection, ad_account_id: UUID, team_id: UUID
    ) -> AsyncGenerator[None]:
        """Holds a place while the block makes a job. Raises TooManyRequests."""
        held = await self.hold(connection, ad_account_id, team_id)
        try:
            yield
        finally:
            self.release(held)

    async def hold(self, connection: Connection, ad_account_id: UUID, team_id: UUID) -> list[Count]:
        """The same for those who `release` by themselves, which costs the busiest route less."""
        held: list[Count] = []
        for cap, of in ((self._account, ad_account_id), (self._team, team_id)):
            if cap is None:
                continue
            count = self._count(of)
            if self._is_due(count):
                try:
                    await self._renew(connection, count, of, cap)
                except BaseException:
                    self.release(held)
                    raise
            if count.known + count.since >= cap.most:
                self.release(held)
                raise _refusal(cap)
            count.begun += 1
            held.append(count)
        return held

    def release(self, held: list[Count]) -> None:
        """The job is a row, or will never be one."""
        for count in held:
            count.ended += 1
            if count.news is not None:
                count.tell()

    def _is_due(self, count: Count) -> bool:
        """While somebody asks, others go on as far as the last count is trusted."""
        if count.since >= count.trusted_jobs:
            return True
        is_old = self._seconds() >= count.trusted_until or count.since >= count.asked_again_at
        return is_old and not count.is_asked

    async def _renew(self, connection: Connection, count: Count, of: UUID, cap: _Cap) -> None:
        """One asks for all. Whoever holds a connection himself waits for nobody: they may need one."""
        if not isinstance(connection, asyncpg.Pool):
            await self._recount(connection, count, of, cap)
            return
        while True:
            # a count does not help while as many jobs as it would be trusted for are still under way
            is_of_use = (
                count.under_way < count.trusted_jobs or self._seconds() >= count.trusted_until
            )
            if is_of_use and not count.is_asked:
                await self._recount(connection, count, of, cap)
            else:
                await count.next_news()
            # of what was under way when it was counted, some may have come to nothing
            if count.since < count.trusted_jobs or count.known + count.under_way >= cap.most:
                return

    async def _recount(self, connection: Connection, count: Count, of: UUID, cap: _Cap) -> None:
        ended, count.is_asked = count.ended, True
        try:
            found = await cap.ask(connection, of, cap.most)
        finally:
            count.is_asked = False
            count.tell()
        count.known, count.known_of = found, ended
        room = max(0, cap.most - found)
        seconds = _TRUST_SECONDS_WITH_ROOM if 2 * room >= cap.most else _TRUST_SECONDS
        count.trusted_until = self._seconds() + seconds
        count.trusted_jobs = max(1, room // _SHARE)
        count.asked_again_at = count.trusted_jobs - count.trusted_jobs // _SHARE

    def _count(self, of: UUID) -> Count:
        count = self._counts.get(of)
        if count is None:
            if len(self._counts) >= _MOST_KNOWN:
                self._forget_one()
            count = self._counts[of] = Count()
        return count

    def _forget_one(self) -> None:
        """The oldest that nobody is concerned with: of the others it is known what no row tells yet."""
        for of, count in self._counts.items():
            if count.is_idle:
                del self._counts[of]
                return


def _cap(
    name: str, most: int | None, ask: Callable[[Connection, UUID, int], Awaitable[int]]
) -> _Cap | None:
    return None if most is None else _Cap(name, most, ask)


async def _of_account(connection: Connection, of: UUID, most: int) -> int:
    found = await campaign_jobs.count_open_jobs_of_account_up_to(
        connection, ad_account_id=of, most=most
    )
    return found or 0


async def _of_team(connection: Connection, of: UUID, most: int) -> int:
    found = await campaign_jobs.count_open_jobs_of_team_up_to(connection, team_id=of, most=most)
    return found or 0


def _refusal(cap: _Cap) -> TooManyRequests:
    return TooManyRequests(
        f"The {cap.name} has {cap.most} open jobs or more. "
        "Wait until some of them have ended, or cancel some.",
        code=f"too_many_open_jobs_{cap.name}",
        headers={"Retry-After": str(_RETRY_SECONDS)},
    )

"""What any worker does for all, in small batches: frees the jobs of dead workers, tidies up."""

import asyncio
import math
import random
from collections.abc import Callable

import structlog

from common import clock
from common.seldom import Seldom
from models.database import DATABASE_FAILURES, Pool
from models.gen import rate_limits, workers

log = structlog.get_logger()

_JUMP_SECONDS = 3.0
"""More than clocks are set right by, less than a worker may be silent."""


async def keep_up(
    pool: Pool,
    *,
    silence_seconds: float,
    every_seconds: float,
    freed: Callable[[], None],
    watch: "ClockWatch | None" = None,
) -> None:
    """Runs until cancelled; `freed` is called when jobs became claimable. `watch` is told of the clock."""
    watch, seldom = watch or ClockWatch(silence_seconds), Seldom()
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.7, 1.0))  # noqa: S311 - spreads load
        try:
            await workers.mend_workers(pool)
            asked_at = clock.seconds()
            there = await workers.get_database_seconds(pool) or 0.0
            if watch.trusts(asked_at, there, clock.seconds()):
                await rescue(pool, silence_seconds=silence_seconds, freed=freed)
            await workers.delete_dead_workers(pool)
            await rate_limits.delete_idle_rate_limits(pool)
        except DATABASE_FAILURES as error:
            seldom.warning("upkeep.failed", error=type(error).__name__)


class ClockWatch:
    """Notices when the database's clock jumps ahead: then all seem silent, and nobody is dead for it."""

    def __init__(self, silence_seconds: float) -> None:
        self._silence_seconds = silence_seconds
        self._most_ahead = math.inf
        self._settled_at = 0.0
        self._steady_since = math.inf

    def trusts(self, asked_at: float, database_seconds: float, heard_at: float) -> bool:
        """Whether silence means what it says: false until everybody had time to be heard after a jump.

        The database's clock was read between two moments of ours, so a slow answer is no jump.
        """
        jump = database_seconds - heard_at - self._most_ahead
        if jump > _JUMP_SECONDS:
            log.warning("database.clock_jumped", seconds=jump)
            self._settled_at = heard_at + self._silence_seconds
            self._steady_since = heard_at
        self._steady_since = min(self._steady_since, heard_at)
        self._most_ahead = database_seconds - asked_at
        return heard_at >= self._settled_at

    def steady_since(self, database_seconds: float, heard_at: float) -> float:
        """Since which moment of ours the database's clock has surely not jumped ahead, when it now says so.

        From then on no time has passed there that has not passed here.
        """
        jump = database_seconds - heard_at - self._most_ahead
        return heard_at if jump > _JUMP_SECONDS else min(self._steady_since, heard_at)


async def rescue(pool: Pool, *, silence_seconds: float, freed: Callable[[], None]) -> int:
    """Frees what silent workers hold; how many jobs that were."""
    ids = await workers.release_jobs_of_dead_workers(pool, silence_seconds=silence_seconds)
    if ids:
        log.warning("jobs.rescued", jobs=len(ids))
        freed()
    return len(ids)

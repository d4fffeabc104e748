"""What any worker does for all, in small batches: frees the jobs of dead workers, tidies up."""

import asyncio
import random
from collections.abc import Callable

import structlog

from models.database import DATABASE_FAILURES, Pool
from models.gen import rate_limits, workers

log = structlog.get_logger()


async def keep_up(
    pool: Pool, *, silence_seconds: float, every_seconds: float, freed: Callable[[], None]
) -> None:
    """Runs until cancelled; `freed` is called when jobs became claimable."""
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.7, 1.0))  # noqa: S311 - spreads load
        try:
            await rescue(pool, silence_seconds=silence_seconds, freed=freed)
            await workers.delete_dead_workers(pool)
            await rate_limits.delete_idle_rate_limits(pool)
        except DATABASE_FAILURES as error:
            log.warning("upkeep.failed", error=type(error).__name__)


async def rescue(pool: Pool, *, silence_seconds: float, freed: Callable[[], None]) -> int:
    """Frees what silent workers hold; how many jobs that were."""
    ids = await workers.release_jobs_of_dead_workers(pool, silence_seconds=silence_seconds)
    if ids:
        log.warning("jobs.rescued", jobs=len(ids))
        freed()
    return len(ids)

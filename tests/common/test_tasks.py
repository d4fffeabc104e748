"""What goes on beside a block is not missed in silence; what is watched ends with whoever watches."""

import asyncio

import pytest
import structlog

from common.tasks import beside, watched
from tests.house.conftest import until


async def dies() -> None:
    raise ValueError("broken")


async def lasts() -> None:
    await asyncio.Event().wait()


async def deaths_of(*work, until_dead: int) -> list[tuple[str, str, str]]:
    with structlog.testing.capture_logs() as lines:

        async def told() -> bool:
            return len(lines) >= until_dead

        async with beside(*work, named=lasts()):
            await until(told)
    return [(line["log_level"], line["task"], str(line["exc_info"])) for line in lines]


async def test_a_task_that_dies_is_told_while_the_block_goes_on():
    assert await deaths_of(dies(), until_dead=1) == [("critical", "dies", "broken")]


async def test_tasks_that_end_with_the_block_have_not_died():
    assert await deaths_of(lasts(), until_dead=0) == []


async def test_what_is_watched_ends_with_whoever_watches():
    begun, over = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await lasts()
        finally:
            over.set()

    async def look() -> None:
        """Nothing is wrong."""

    watching = asyncio.create_task(watched(work(), look, 0.01))
    await begun.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(watching, 20)

    assert over.is_set()

"""What goes on beside a block is not missed in silence."""

import asyncio

import structlog

from common.tasks import beside
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

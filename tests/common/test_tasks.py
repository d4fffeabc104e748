"""What goes on beside a block is not missed in silence, a program knows when it is not whole any more, and
what is watched ends with whoever watches."""

import asyncio

import pytest
import structlog

from common.errors import PartDied
from common.tasks import Company, beside, watched
from tests.house.conftest import until


async def dies() -> None:
    raise ValueError("broken")


async def is_cut_off() -> None:
    """By something within that takes itself for the end of the task."""
    raise asyncio.CancelledError


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


async def test_a_task_that_nobody_asked_to_end_has_died():
    told = await deaths_of(is_cut_off(), until_dead=1)

    assert told == [("critical", "is_cut_off", "nobody asked it to end")]


async def test_tasks_that_end_with_the_block_have_not_died():
    assert await deaths_of(lasts(), until_dead=0) == []


async def test_the_first_death_stops_the_program_once():
    company, stops, stopped = Company(), [], asyncio.Event()

    def stop() -> None:
        stops.append(company.death)
        stopped.set()

    company.when_one_dies(stop)
    async with company.beside(first=dies(), second=dies(), last=lasts()):
        await asyncio.wait_for(stopped.wait(), 20)

    with pytest.raises(PartDied, match="'first' died of ValueError"):
        company.require_all()
    assert stops == [company.death]


async def test_a_death_is_told_to_whoever_asks_afterwards():
    company, stopped = Company(), asyncio.Event()
    company.mourn("early", ValueError("broken"))

    company.when_one_dies(stopped.set)

    assert stopped.is_set()


async def test_a_program_is_whole_when_a_task_has_done_what_there_was():
    company, over = Company(), asyncio.Event()

    async def ends() -> None:
        over.set()

    async with company.beside(ends(), lasts()):
        await asyncio.wait_for(over.wait(), 20)

    company.require_all()


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

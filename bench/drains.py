"""How fast a queue of no-op jobs is drained, and jobs of four durable steps, beside the plain loop."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bench.ground import Ground
from bench.programs import Process
from bench.table import QUICK, Line, medians, show

JOBS, STEP_JOBS = 20_000, 4_000
STEPS = 4
WARM_UP = 2_000
"""Jobs before the clock runs: plans, accounts and prepared statements are as in a process that works."""

type Look = Callable[[Sequence[Process]], Awaitable[None]]
"""Called with the processes that drain, before the clock runs and when all is done."""
type Fill = Callable[[int], Awaitable[None]]


async def _nobody(_: Sequence[Process]) -> None:
    """Does not look."""


async def ours(
    ground: Ground, jobs: int, *, steps: int = 0, processes: int = 1, look: Look = _nobody
) -> float:
    """Jobs per second, from the moment that the queue is told of until nothing is left."""
    await ground.clear()
    command = ("-m", "bench.worker", ground.url, "--steps", str(steps))
    workers = [await Process(*command).ready() for _ in range(processes)]

    async def drain() -> None:
        await ground.wake()
        await ground.until_done()

    took = await _timed(jobs, ground.fill, drain, partial(look, workers))
    for worker in workers:
        worker.terminate()
    for worker in workers:
        await worker.ended()
        worker.kill()
    return jobs / took


async def plain(
    ground: Ground,
    jobs: int,
    *,
    lanes: int,
    steps: int = 0,
    processes: int = 1,
    look: Look = _nobody,
) -> float:
    """The same for the loop."""
    command = ("-m", "bench.plain", ground.url, "--lanes", str(lanes), "--steps", str(steps))
    return await _looped(ground, jobs, command, ground.fill_plain, processes, look)


async def bare(ground: Ground, jobs: int, *, lanes: int) -> float:
    """The same for our own statements without the objects of a job."""
    command = ("-m", "bench.bare", ground.url, "--lanes", str(lanes))
    return await _looped(ground, jobs, command, ground.fill, 1, _nobody)


async def _looped(
    ground: Ground,
    jobs: int,
    command: Sequence[str],
    fill: Fill,
    processes: int,
    look: Look,
) -> float:
    await ground.clear()
    loops = [await Process(*command).ready() for _ in range(processes)]

    async def drain() -> None:
        for loop in loops:
            loop.go()
        for loop in loops:
            await loop.line()

    took = await _timed(jobs, fill, drain, partial(look, loops))
    for loop in loops:
        loop.kill()
    return jobs / took


async def _timed(
    jobs: int, fill: Fill, drain: Callable[[], Awaitable[None]], look: Callable[[], Awaitable[None]]
) -> float:
    """Seconds, behind a drain that only warms up."""
    took = 0.0
    for count in (WARM_UP, jobs):
        await fill(count)
        await look()
        began = time.perf_counter()
        await drain()
        took = time.perf_counter() - began
        await look()
    return took


async def no_op(ground: Ground, repeats: int) -> None:
    """One process and two."""

    async def free() -> float:
        async with ground.without_limits():
            return await ours(ground, JOBS)

    one, off, one_lane, two_lanes, two, two_loops, statements = await medians(
        QUICK * repeats,
        partial(ours, ground, JOBS),
        free,
        partial(plain, ground, JOBS, lanes=1),
        partial(plain, ground, JOBS, lanes=2),
        partial(ours, ground, JOBS, processes=2),
        partial(plain, ground, JOBS, lanes=1, processes=2),
        partial(bare, ground, JOBS, lanes=2),
    )
    name = "drain of no-op jobs, everything on, jobs/s"
    without = "drain of no-op jobs, limits off, jobs/s, 1 process"
    # now the one, now the other is the quicker loop
    for beside, loop in (("1 connection", one_lane), ("2 connections", two_lanes)):
        show(Line(f"{name}, 1 process", one, f"plain loop, {beside}", loop, 0.75))
        show(Line(without, off, f"plain loop, {beside}", loop, 0.9))
    show(Line(f"{name}, 2 processes", two, "plain loop, 2 processes", two_loops, 0.75))
    floor = "our claims and moves without a job's objects"
    show(Line(f"{floor}, jobs/s", statements, "plain loop, 2 connections", two_lanes))
    show(Line(f"{name}, 1 process", one, floor, statements))


async def four_steps(ground: Ground, repeats: int) -> None:
    """Intent and outcome each committed."""
    one, one_lane, two_lanes = await medians(
        QUICK * repeats,
        partial(ours, ground, STEP_JOBS, steps=STEPS),
        partial(plain, ground, STEP_JOBS, lanes=1, steps=STEPS),
        partial(plain, ground, STEP_JOBS, lanes=2, steps=STEPS),
    )
    name = "jobs of four durable steps, jobs/s"
    show(Line(name, one, "plain loop, 1 connection", one_lane, 0.5))
    show(Line(name, one, "plain loop, 2 connections", two_lanes, 0.5))

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
    """One process and two, each in turns with what it stands beside and with nothing else."""

    async def free() -> float:
        async with ground.without_limits():
            return await ours(ground, JOBS)

    one, two = partial(ours, ground, JOBS), partial(ours, ground, JOBS, processes=2)
    statements = partial(bare, ground, JOBS, lanes=2)
    one_lane, two_lanes = (partial(plain, ground, JOBS, lanes=lanes) for lanes in (1, 2))
    two_loops = partial(plain, ground, JOBS, lanes=1, processes=2)
    everything, off = (
        "drain of no-op jobs, everything on, jobs/s",
        "drain of no-op jobs, limits off",
    )
    floor = "our claims and moves without a job's objects"
    for name, mine, beside, theirs, goal in (
        (f"{everything}, 1 process", one, "plain loop, 1 connection", one_lane, 0.75),
        (f"{off}, jobs/s, 1 process", free, "plain loop, 1 connection", one_lane, 0.9),
        (f"{off}, jobs/s, 1 process", free, "everything on", one, None),
        (f"{everything}, 2 processes", two, "plain loop, 2 processes", two_loops, 0.75),
        (f"{everything}, 1 process", one, "plain loop, 2 connections", two_lanes, 0.75),
        (f"{off}, jobs/s, 1 process", free, "plain loop, 2 connections", two_lanes, 0.9),
        (f"{floor}, jobs/s", statements, "plain loop, 2 connections", two_lanes, None),
        (f"{everything}, 1 process", one, floor, statements, None),
    ):
        rate, limit = await medians(QUICK * repeats, mine, theirs)
        show(Line(name, rate, beside, limit, goal))


async def four_steps(ground: Ground, repeats: int) -> None:
    """Intent and outcome each committed."""
    for lanes, beside in ((1, "plain loop, 1 connection"), (2, "plain loop, 2 connections")):
        rate, limit = await medians(
            QUICK * repeats,
            partial(ours, ground, STEP_JOBS, steps=STEPS),
            partial(plain, ground, STEP_JOBS, lanes=lanes, steps=STEPS),
        )
        show(Line("jobs of four durable steps, jobs/s", rate, beside, limit, 0.5))

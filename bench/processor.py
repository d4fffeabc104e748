"""The processor time that work costs, in its own process and in PostgreSQL's; Linux tells it."""

import sys
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from bench.drains import JOBS, Look, ours, plain
from bench.ground import Ground
from bench.programs import Process
from bench.table import QUICK, Line, medians, show

PROC = Path("/proc")
BACKEND = "select pg_backend_pid()"
OF_THE_BENCH = """
select array_agg(pid) from pg_stat_activity
where application_name = current_setting('application_name')"""


class Drain(Protocol):
    """One of both, as `drains` has them."""

    def __call__(self, *, look: Look) -> Awaitable[float]: ...


async def per_job(ground: Ground, repeats: int) -> None:
    """Waiting costs nothing here, and so the figure depends less on the disk than jobs per second do."""
    name, beside = "processor time of a no-op job, everything on, µs", "plain loop, 1 connection"
    if not is_told():
        return
    mine, limit = await medians(
        QUICK * repeats,
        partial(_microseconds, ground, partial(ours, ground, JOBS)),
        partial(_microseconds, ground, partial(plain, ground, JOBS, lanes=1)),
    )
    show(Line(name, mine, beside, limit, more=False))


async def _microseconds(ground: Ground, drain: Drain) -> float:
    looks: list[dict[int, int]] = []

    async def look(programs: Sequence[Process]) -> None:
        looks.append(await spent(ground, [program.process_id for program in programs]))

    await drain(look=look)
    *_, before, after = looks
    return microseconds_between(before, after) / JOBS


def is_told() -> bool:
    """Says so where it is not."""
    if PROC.joinpath("self/schedstat").exists():
        return True
    sys.stdout.write("processor time is left out: only Linux tells it\n")
    return False


async def spent(ground: Ground, programs: Sequence[int]) -> dict[int, int]:
    """Nanoseconds so far, by process: of these programs, and of all of PostgreSQL that does not work for the
    bench itself."""
    own = await ground.pool.fetchval(OF_THE_BENCH)
    server = _parent(await ground.pool.fetchval(BACKEND))
    backends = [process for process in _children(server) if process not in own]
    return {process: _nanoseconds(process) for process in (*backends, *programs)}


def microseconds_between(before: Mapping[int, int], after: Mapping[int, int]) -> float:
    """Of those that are still there."""
    return sum(spent - before.get(process, 0) for process, spent in after.items()) / 1000


def _parent(process: int) -> int:
    return int(_stat(process)[1])


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                if _parent(int(folder.name)) == parent:
                    found.append(int(folder.name))
            except OSError:
                continue  # it has just ended
    return found


def _stat(process: int) -> list[str]:
    """What stands behind the name, which may have brackets and spaces in it."""
    return PROC.joinpath(str(process), "stat").read_text().rpartition(")")[2].split()


def _nanoseconds(process: int) -> int:
    return sum(
        int(thread.joinpath("schedstat").read_text().split()[0])
        for thread in PROC.joinpath(str(process), "task").iterdir()
    )

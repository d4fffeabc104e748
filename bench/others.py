"""Other libraries and pgbench on the same server, each measured by its own program in bench/peers."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bench.drains import JOBS, STEP_JOBS, STEPS, ours
from bench.ground import Ground
from bench.programs import ENVIRONMENT, ROOT
from bench.table import QUICK, Line, Median, show

PYTHON = ROOT / ".venv.bench" / "bin" / "python"
DRAINS = ((QUICK, "pgqueuer_drain.py"), (1, "procrastinate_drain.py"), (1, "dbos_drain.py"))
"""How many times as often as asked for each is taken."""


def python() -> Path | None:
    """The environment of the others, where somebody has made it."""
    return PYTHON if PYTHON.exists() else None


async def all_of(ground: Ground, repeats: int) -> None:
    """Each in turns with ours: what ran minutes ago may have run on a quicker or a slower machine."""
    await pgbench(ground, repeats)
    if python() is None:
        sys.stdout.write("the others are left out: there is no .venv.bench\n")
        return
    await drains(ground, repeats)
    await steps(ground, repeats)


async def drains(ground: Ground, repeats: int) -> None:
    """Drain with one process and with two; ours is to be twice as fast as the best of them."""
    for processes, (times, program) in product((1, 2), DRAINS):
        (rate,), (told,) = await _in_turns(
            ground,
            times * repeats,
            [partial(ours, ground, JOBS, processes=processes)],
            _peer(program, ground, "drain", "--processes", str(processes)),
        )
        measure = f"drain of no-op jobs, everything on, jobs/s, {processes} process"
        show(Line(measure, rate, f"{told['name']} {told['version']}", told["value"], 2.0))


async def steps(ground: Ground, repeats: int) -> None:
    """Durable workflows of four steps."""
    (rate,), (told,) = await _in_turns(
        ground,
        repeats,
        [partial(ours, ground, STEP_JOBS, steps=STEPS)],
        _peer("dbos_steps.py", ground, "steps"),
    )
    beside = f"DBOS {told['version']}, outcome only"
    show(Line("jobs of four durable steps, jobs/s", rate, beside, told["value"], 10.0))


async def pgbench(ground: Ground, repeats: int) -> None:
    """What PostgreSQL itself does with plain tables, one client or four, none of them in Python."""
    (drain, four_steps), told = await _in_turns(
        ground,
        repeats,
        [partial(ours, ground, JOBS), partial(ours, ground, STEP_JOBS, steps=STEPS)],
        [sys.executable, "-m", "bench.pgbench", ground.url, "--repeats", "1"],
    )
    for line in told:
        beside = f"pgbench, {line['measure'].rpartition(', ')[2]}"
        if "ledger" in line["measure"]:
            show(Line("jobs of four durable steps, jobs/s", four_steps, beside, line["value"], 0.5))
        else:
            show(Line("drain of no-op jobs, jobs/s", drain, beside, line["value"]))


def _peer(program: str, ground: Ground, *arguments: str) -> list[str]:
    return [str(PYTHON), f"bench/peers/{program}", ground.url, *arguments, "--repeats", "1"]


async def _in_turns(
    ground: Ground,
    repeats: int,
    rates: Sequence[Callable[[], Awaitable[float]]],
    command: Sequence[str],
) -> tuple[list[Median], list[dict[str, Any]]]:
    """Medians of our rates and of each line that the command tells."""
    found: list[list[float]] = []
    told: list[list[dict[str, Any]]] = []
    for _ in range(repeats):
        found.append([await rate() for rate in rates])
        await ground.settle()
        told.append(await _lines(command))
    return [Median(same) for same in zip(*found, strict=True)], [
        {**same[0], "value": Median([line["value"] for line in same])}
        for same in zip(*told, strict=True)
    ]


async def _lines(command: Sequence[str]) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return [json.loads(line) for line in told.decode().splitlines() if line.startswith("{")]

"""Other libraries and pgbench on the same server, each measured by its own program in bench/peers."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.programs import ENVIRONMENT, ROOT
from bench.table import Line, show

PYTHON = ROOT / ".venv.bench" / "bin" / "python"
DRAINS = (
    ("PgQueuer", "pgqueuer_drain.py"),
    ("procrastinate", "procrastinate_drain.py"),
    ("DBOS", "dbos_drain.py"),
)


def python() -> Path | None:
    """The environment of the others, where somebody has made it."""
    return PYTHON if PYTHON.exists() else None


async def all_of(url: str, rates: Mapping[int, float], four_steps: float, repeats: int) -> None:
    """Beside what was measured of ours in the same run."""
    if rates and four_steps:
        await pgbench(url, rates[1], four_steps)
    if python() is None:
        sys.stdout.write("the others are left out: there is no .venv.bench\n")
        return
    await drains(url, rates, repeats)
    if four_steps:
        await steps(url, four_steps, repeats)


async def drains(url: str, ours: Mapping[int, float], repeats: int) -> None:
    """Drain with one process and with two; ours is to be twice as fast as the best of them."""
    for processes, rate in ours.items():
        for name, program in DRAINS:
            command = (program, url, "drain", "--processes", str(processes))
            told = await _told(*command, "--repeats", str(repeats))
            measure = f"drain of no-op jobs, everything on, jobs/s, {processes} process"
            show(Line(measure, rate, f"{name} {told['version']}", told["value"], 2.0))


async def steps(url: str, ours: float, repeats: int) -> None:
    """Durable workflows of four steps."""
    told = await _told("dbos_steps.py", url, "steps", "--repeats", str(repeats))
    beside = f"DBOS {told['version']}, outcome only"
    show(Line("jobs of four durable steps, jobs/s", ours, beside, told["value"], 10.0))


async def pgbench(url: str, drain: float, four_steps: float) -> None:
    """What PostgreSQL itself does with plain tables and four clients, none of them in Python."""
    lines = await _lines(Path(sys.executable), "-m", "bench.pgbench", url)
    for line in lines:
        beside = f"pgbench, {line['measure'].rpartition(', ')[2]}"
        if "ledger" in line["measure"]:
            show(Line("durable steps per second", four_steps * 4, beside, line["value"], 0.5))
        else:
            show(Line("drain of no-op jobs, jobs/s", drain, beside, line["value"]))


async def _told(program: str, *arguments: str) -> dict[str, Any]:
    return (await _lines(PYTHON, f"bench/peers/{program}", *arguments))[-1]


async def _lines(executable: Path, *command: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        str(executable), *command, cwd=ROOT, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return [json.loads(line) for line in told.decode().splitlines() if line.startswith("{")]

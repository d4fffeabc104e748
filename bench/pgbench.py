"""What PostgreSQL itself does with plain tables, the ceiling: `python -m bench.pgbench URL`.

pgbench claims and completes jobs in batches of 500, and carries out jobs of four steps in batches of 50,
with 1 and with 4 clients, every intent and every outcome durable. Prints one JSON line for each.
"""

import argparse
import asyncio
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from os import environ
from pathlib import Path

import asyncpg

from bench.ground import FILL_PLAIN, PAYLOAD
from bench.limit import CLAIM, COMPLETE, INTEND, JOB_BATCH, RECORD, SETTINGS, STEP_BATCH
from common.postgres_binaries import find_binaries

CLIENTS = (1, 4)
STEPS = 4


def script(batch: int, steps: int) -> str:
    """One batch: a claim that hands over the payloads, the steps, the completion."""
    token, worker = (_uuid("token"), _uuid("worker"))
    claim = _filled(CLAIM, str(batch), token, worker)
    claimed = "select array_agg(id)::text as ids, string_agg(payload::text, '') as payloads"
    lines = [
        r"\set token random(1, 9223372036854775807)",
        r"\set worker random(1, 9223372036854775807)",
        rf"with claimed as ({claim}) {claimed} from claimed \gset",
    ]
    ids, tokens = ":ids::uuid[]", _repeated(token, batch)
    hashes = _repeated("sha256('request')", batch)
    outcomes = _repeated("""'{"id": "1"}'::jsonb""", batch)
    for step in range(steps):
        names = _repeated(f"'step[{step}]'::text", batch)
        keys = f"(select array_agg(i || '/{step}') from unnest({ids}) as i)"  # noqa: S608 - of constants
        lines.append(_filled(INTEND, ids, names, tokens, keys, hashes) + ";")
        lines.append(_filled(RECORD, ids, names, tokens, outcomes) + ";")
    statuses = _repeated("'SUCCESS'::text", batch)
    lines.append(_filled(COMPLETE, ids, tokens, statuses, _repeated("null::jsonb", batch)) + ";")
    return "\n".join(lines) + "\n"


def _filled(statement: str, *values: str) -> str:
    """With expressions instead of its parameters."""
    for number, value in reversed(list(enumerate(values, 1))):
        statement = re.sub(rf"\${number}(::[a-z]+\[\])?", lambda _, value=value: value, statement)
    return statement


def _uuid(name: str) -> str:
    return f"lpad(to_hex(:{name}::bigint), 32, '0')::uuid"


def _repeated(value: str, times: int) -> str:
    return f"array_fill({value}, array[{times}])"


def pgbench_program() -> Path:
    """The one beside the server's programs, else the one on PATH."""
    beside = find_binaries().folder / "pgbench"
    if beside.exists():
        return beside
    found = shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("no pgbench here; it comes with PostgreSQL")
    return Path(found)


async def jobs_per_second(url: str, clients: int, jobs: int, steps: int) -> float:
    """Jobs claimed, carried out and completed a second, until none is left."""
    connection = await asyncpg.connect(url)
    await connection.execute("truncate plain_jobs, plain_steps")
    await connection.execute(FILL_PLAIN, PAYLOAD, jobs)
    await connection.execute("vacuum analyze plain_jobs")
    batch = STEP_BATCH if steps else JOB_BATCH
    rate = await asyncio.to_thread(
        transactions_per_second, url, script(batch, steps), clients, jobs // batch // clients
    )
    left = await connection.fetchval("select count(*) from plain_jobs where status <> 'SUCCESS'")
    done = await connection.fetchval("select count(*) from plain_steps where state = 'DONE'")
    await connection.close()
    if left or done != jobs * steps:
        raise ValueError(f"{left} of {jobs} jobs were left, {done} steps were done")
    return rate * batch


def transactions_per_second(url: str, text: str, clients: int, each: int) -> float:
    """One run of pgbench."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        command = [str(pgbench_program()), "-n", "-M", "prepared", "-f", file.name]
        command += ["-c", str(clients), "-j", str(min(clients, 2)), "-t", str(each), url]
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        environment = {**environ, "PGOPTIONS": options}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench ended with {done.returncode}: {done.stderr or done.stdout}")
    return float(found[1])


def tell(measure: str, unit: str, values: Sequence[float]) -> None:
    """Prints one line."""
    line = {
        "name": "pgbench",
        "version": find_binaries().version,
        "measure": measure,
        "value": round(statistics.median(values), 1),
        "unit": unit,
        "repeats": [round(value, 1) for value in values],
    }
    print(json.dumps(line), flush=True)


async def run(url: str, jobs: int, step_jobs: int, repeats: int) -> None:
    """All measures."""
    for clients in CLIENTS:
        behind = f"{clients} client{'s' * (clients > 1)}"
        drains = [await jobs_per_second(url, clients, jobs, 0) for _ in range(repeats)]
        tell(f"drain, {behind}", "jobs/s", drains)
        ledgers = [await jobs_per_second(url, clients, step_jobs, STEPS) for _ in range(repeats)]
        tell(f"ledger, {behind}", "jobs/s", ledgers)


def main() -> int:
    """Arguments in, lines out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--jobs", type=int, default=40_000, help="a multiple of 2000")
    parser.add_argument("--step-jobs", type=int, default=8_000, help="a multiple of 200")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(run(given.url, given.jobs, given.step_jobs, given.repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())

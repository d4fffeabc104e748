"""What PostgreSQL itself does with plain tables, the ceiling: `python -m bench.pgbench URL`.

pgbench claims and completes jobs in batches of 500, and writes ledgers of four steps in batches of 50,
with 1 and with 4 clients, every commit durable. Prints one JSON line for each.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from common.postgres_binaries import find_binaries

SCRIPTS = Path(__file__).parent / "pgbench"
SCHEMA = "pgbench_peer"
CLIENTS = (1, 4)
BATCH, LEDGER_BATCH, STEPS = 500, 50, 4
PAYLOAD = json.dumps({"filler": "x" * 1450})
_TABLES = f"""
drop schema if exists {SCHEMA} cascade;
create schema {SCHEMA};
create table {SCHEMA}.jobs (id uuid primary key, payload jsonb not null,
    status text not null default 'PENDING', due_at timestamptz not null default now(),
    claim_token uuid, finished_at timestamptz) with (fillfactor = 70, toast_tuple_target = 256);
alter table {SCHEMA}.jobs alter column payload set storage external;
create index on {SCHEMA}.jobs (due_at) where status = 'PENDING';
create table {SCHEMA}.steps (job_id uuid, name text, status text not null, outcome jsonb,
    finished_at timestamptz, primary key (job_id, name)) with (fillfactor = 70);
"""
_FILL = f"""
insert into {SCHEMA}.jobs (id, payload)
select gen_random_uuid(), $1 from generate_series(1, $2)"""  # noqa: S608 - the name is a constant


def pgbench_program() -> Path:
    """The one beside the server's programs, else the one on PATH."""
    beside = find_binaries().folder / "pgbench"
    if beside.exists():
        return beside
    found = shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("no pgbench here; it comes with PostgreSQL")
    return Path(found)


async def claims_per_second(url: str, clients: int, jobs: int) -> float:
    """Jobs claimed and completed a second, until none is left."""
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLES)
    await connection.execute(_FILL, PAYLOAD, jobs)
    await connection.execute(f"vacuum analyze {SCHEMA}.jobs")
    rate = await asyncio.to_thread(
        transactions_per_second, url, "claim.sql", clients, ["-t", str(jobs // BATCH // clients)]
    )
    left = await connection.fetchval(
        f"select count(*) from {SCHEMA}.jobs where status <> 'SUCCESS'"  # noqa: S608 - likewise
    )
    await connection.close()
    if left:
        raise ValueError(f"{left} jobs were left")
    return rate * BATCH


async def steps_per_second(url: str, clients: int, seconds: int) -> float:
    """Steps a second, each an intent and an outcome."""
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLES)
    await connection.close()
    rate = await asyncio.to_thread(
        transactions_per_second, url, "ledger.sql", clients, ["-T", str(seconds)]
    )
    return rate * LEDGER_BATCH * STEPS


def transactions_per_second(url: str, script: str, clients: int, length: Sequence[str]) -> float:
    """One run of pgbench."""
    command = [str(pgbench_program()), "-n", "-M", "prepared", "-f", str(SCRIPTS / script)]
    command += ["-c", str(clients), "-j", str(min(clients, 2)), *length, url]
    environment = {**os.environ, "PGOPTIONS": f"-c search_path={SCHEMA}"}
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


async def run(url: str, jobs: int, seconds: int, repeats: int) -> None:
    """All measures."""
    for clients in CLIENTS:
        behind = f"{clients} client{'s' * (clients > 1)}"
        values = [await claims_per_second(url, clients, jobs) for _ in range(repeats)]
        tell(f"claim and complete in batches of {BATCH}, {behind}", "jobs/s", values)
        values = [await steps_per_second(url, clients, seconds) for _ in range(repeats)]
        tell(f"ledger of {STEPS} steps in batches of {LEDGER_BATCH}, {behind}", "steps/s", values)


def main() -> int:
    """Arguments in, lines out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--jobs", type=int, default=40_000, help="a multiple of 2000")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(run(given.url, given.jobs, given.seconds, given.repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())

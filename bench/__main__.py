"""What the machinery costs beside the limit and beside others, in one run on one server: one table.

`python -m bench` starts a durable PostgreSQL of its own, measures, and stops it. Ratios matter; absolute
figures depend on the machine. Other libraries are measured when `.venv.bench` exists (requirements.bench.in
says how it is made).
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import uvloop

from bench import builds, crowds, drains, others, pickup, posts, processor, streams
from bench.ground import PAYLOAD, Ground, prepare
from bench.table import QUICK, head
from common.embedded_postgres import EmbeddedPostgres
from common.log import configure
from models.database import open_pool
from models.migrate import migrate

MEASURES = (
    "drain",
    "steps",
    "pickup",
    "posts",
    "streams",
    "waiting",
    "fairness",
    "history",
    "build",
    "others",
)


async def measure(server: EmbeddedPostgres, only: list[str], repeats: int) -> None:
    """All of the table, or some measures of it."""
    url = server.url("bench")
    ground, fresh = await _ground(url, size=16), await _ground(server.url("fresh"), size=1)
    conditions = (
        f"PostgreSQL {server.binaries.version}, durable commits; Python {platform.python_version()}; "
        f"{os.cpu_count()} cores shared by all; payload {len(PAYLOAD)} bytes; "
        f"{len(ground.accounts)} accounts; medians of {repeats}, of what takes seconds "
        f"{QUICK * repeats}, taken in turns"
    )
    sys.stdout.write(f"{conditions}\n")
    head()
    for name in only:
        match name:
            case "drain":
                await drains.no_op(ground, repeats)
                await processor.per_job(ground, repeats)
            case "steps":
                await drains.four_steps(ground, repeats)
            case "pickup":
                await pickup.latency(ground, repeats)
            case "posts":
                await posts.posts(ground, repeats, others.python())
            case "streams":
                await streams.streams(ground, repeats)
            case "waiting":
                await crowds.waiting(ground, fresh, repeats)
            case "fairness":
                await pickup.fairness(ground, repeats)
            case "history":
                await crowds.history(ground, fresh, repeats)
            case "build":
                await builds.builds(ground, repeats)
            case _:
                await others.all_of(ground, repeats)
    for one in (ground, fresh):
        await one.pool.close()


async def _ground(url: str, size: int) -> Ground:
    await migrate(url)
    return await prepare(url, await open_pool(url, size=size, name="bench"))


def main() -> int:
    """Arguments in, the table out."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASURES, help="may be given again")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    configure("json", "error")
    with tempfile.TemporaryDirectory(prefix="mojito-bench-") as name:
        Path(name).chmod(0o755)
        with EmbeddedPostgres(Path(name) / "postgres") as postgres:
            for database in ("bench", "fresh"):
                postgres.create_database(database)
            uvloop.run(measure(postgres, given.only or list(MEASURES), given.repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What watchers cost: memory of the API, connections of the database, and how soon a write is received."""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

from bench.ground import Ground
from bench.posts import free_port, listening
from bench.programs import ENVIRONMENT, ROOT, installation
from bench.request import REQUEST
from bench.table import Line, quantiles, show
from common.uuid7 import uuid7
from models.api_keys import create_key
from models.listener import CHANGES

MEASURED = 200
SECONDS_BETWEEN = 0.02
HOLD_SECONDS = 30
MADE = """
with asked as (insert into campaign_requests (campaign_job_id, team_id, payload) values ($1, $2, $4))
insert into campaign_jobs (id, team_id, ad_account_id, platform_type, mode, kind, status, due_at)
values ($1, $2, $3, 'META', 'sandbox', 'BUILD_CAMPAIGN', 'PROCESSING', 'infinity')"""
WRITTEN = """
insert into job_events (campaign_job_id, team_id, kind, data)
values ($1, $2, 'job.step.done', '{"step": "campaign", "platform_id": "1"}') returning id"""
OPEN = "select count(*) from pg_stat_activity where datname = current_database()"


class Caller:
    """Opens streams and held answers over plain sockets, and notes when each event came."""

    def __init__(self, url: str, key: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._key = key
        self.open = 0
        self.answered = 0
        self.came: dict[int, float] = {}

    async def stream(self, path: str) -> None:
        """Until the task is cancelled."""
        async with self._asked(path) as reader:
            while line := await reader.readline():
                if line.startswith(b"retry: "):
                    self.open += 1
                elif line.startswith(b"id: "):
                    self.came.setdefault(int(line[4:]), time.monotonic())

    async def held(self, path: str) -> None:
        """The same for answers that are held, asked for again and again."""
        while True:
            async with self._asked(path, f"Prefer: wait={HOLD_SECONDS}") as reader:
                await reader.read(-1)
                self.answered += 1

    @contextlib.asynccontextmanager
    async def _asked(self, path: str, *headers: str) -> AsyncGenerator[asyncio.StreamReader]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        lines = [f"GET /api/v1{path} HTTP/1.1", "Host: api", "Connection: close"]
        lines += [f"Authorization: Bearer {self._key}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        try:
            yield reader
        finally:
            writer.close()


async def streams(ground: Ground, repeats: int, watchers: int = 1000) -> None:
    """So many open streams of jobs and so many held answers, beside one stream alone."""
    idle: list[float] = []
    crowded: list[float] = []
    memory: list[tuple[float, float]] = []
    connections: list[tuple[int, int]] = []
    for _ in range(repeats):
        async with _served(ground) as (caller, process, team_id):
            job, one = await _watching(ground, caller, team_id, 1)
            idle += await _latency(ground, caller, job, team_id)
            before = _megabytes(process), await ground.pool.fetchval(OPEN)
            jobs, many = await _watching(ground, caller, team_id, watchers, held=watchers)
            crowded += await _latency(ground, caller, jobs, team_id)
            after = _megabytes(process), await ground.pool.fetchval(OPEN)
            memory.append((after[0], before[0]))
            connections.append((after[1], before[1]))
            if caller.answered:
                raise RuntimeError("answers were given that should have been held")
            for task in (*one, *many):
                task.cancel()
            await asyncio.gather(*one, *many, return_exceptions=True)
    name = f"{watchers:,} streams and {watchers:,} held answers"
    (p50, p99), (idle50, idle99) = quantiles(crowded), quantiles(idle)
    show(Line(f"write to receipt beside {name}, p50, ms", p50, "one stream alone", idle50))
    show(Line(f"write to receipt beside {name}, p99, ms", p99, "one stream alone", idle99))
    held, bare = (statistics.median(values) for values in zip(*memory, strict=True))
    show(Line(f"memory of the API with {name}, MB", held, "one stream alone", bare))
    mine, few = (statistics.median(values) for values in zip(*connections, strict=True))
    show(Line(f"database connections with {name}", mine, "one stream alone", few))


async def _watching(
    ground: Ground, caller: Caller, team_id: UUID, count: int, held: int = 0
) -> tuple[list[UUID], list[asyncio.Task[None]]]:
    """Jobs that nobody works on, each with a stream, and held answers of as many."""
    jobs = [uuid7() for _ in range(max(count, held))]
    payload = json.dumps(REQUEST)
    rows = [(job, team_id, ground.accounts[0], payload) for job in jobs]
    await ground.pool.executemany(MADE, rows)
    wanted = caller.open + count
    paths = [f"/campaign_jobs/{job}" for job in jobs]
    tasks: list[asyncio.Task[None]] = []
    for watch in [
        *(caller.stream(f"{path}/events") for path in paths[:count]),
        *(caller.held(path) for path in paths[:held]),
    ]:
        tasks.append(asyncio.create_task(watch))
        # they come one after the other; a crowd that comes at once is another measure
        await asyncio.sleep(0.004)
    while caller.open < wanted:
        if any(task.done() for task in tasks):
            raise RuntimeError("a watcher was refused")
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)
    return jobs[:count], tasks


async def _latency(ground: Ground, caller: Caller, jobs: list[UUID], team_id: UUID) -> list[float]:
    """Seconds from before the write until its watcher has it, one write after the other."""
    written: dict[int, float] = {}
    for number in range(MEASURED):
        began = time.monotonic()
        event = await ground.pool.fetchval(WRITTEN, jobs[number % len(jobs)], team_id)
        written[event] = began
        await ground.pool.execute(f"notify {CHANGES}")
        await asyncio.sleep(SECONDS_BETWEEN)
    while not written.keys() <= caller.came.keys():  # noqa: ASYNC110 - counts what others do
        await asyncio.sleep(0.01)
    return [caller.came[event] - began for event, began in written.items()]


@contextlib.asynccontextmanager
async def _served(
    ground: Ground,
) -> AsyncGenerator[tuple[Caller, asyncio.subprocess.Process, UUID]]:
    """An API process of ours, somebody who may watch there, and his team."""
    made = await create_key(ground.pool, team="bench", name="bench")
    team_id = await ground.pool.fetchval("select id from teams where name = 'bench'")
    port = free_port()
    with installation() as folder:
        settings = {
            "MOJITO_DATABASE_URL": ground.url,
            "MOJITO_DATA_DIR": folder,
            "MOJITO_LOG_LEVEL": "warning",
            "MOJITO_PORT": str(port),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mojito", "serve"), cwd=ROOT, env={**ENVIRONMENT, **settings}
        )
        try:
            await listening(port)
            yield Caller(f"http://127.0.0.1:{port}", made.key), process, team_id
        finally:
            process.terminate()
            await process.wait()


def _megabytes(process: asyncio.subprocess.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

"""What a claim costs when many jobs wait, when many are done, and when vacuum is held back."""

import asyncio
import statistics
import time
from uuid import UUID, uuid4

import asyncpg

from bench.ground import Ground
from bench.programs import Process
from bench.table import Line, show
from models.database import HOT_SETTINGS, connect
from models.gen import workers
from workers.claimed import claim_jobs
from workers.writes import Move, write_moves

CLAIMS, WANTED = 60, 10

type Connection = asyncpg.Connection[asyncpg.Record]


async def in_turns(crowded: Ground, fresh: Ground, repeats: int) -> tuple[float, float]:
    """Milliseconds of a claim of ten due jobs, here and in a database with nothing else, one claim here and
    one there: what else the machine does meets both alike. Medians of medians."""
    lanes = [await _lane(crowded), await _lane(fresh)]
    medians: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        await fresh.clear()
        for ground in (crowded, fresh):
            await ground.fill(CLAIMS * WANTED, due="clock_timestamp()")
        took = [[await _claim(*lane) for lane in lanes] for _ in range(CLAIMS)]
        for place, column in zip(medians, zip(*took, strict=True), strict=True):
            place.append(statistics.median(column))
    for connection, _ in lanes:
        await connection.close()
    here, there = map(statistics.median, medians)
    return here, there


async def _lane(ground: Ground) -> tuple[Connection, UUID]:
    worker_id = uuid4()
    await workers.register_worker(ground.pool, id=worker_id, host="bench", process_id=1)
    return await connect(ground.url, name="bench claim", settings=HOT_SETTINGS), worker_id


async def _claim(connection: Connection, worker_id: UUID) -> float:
    """Milliseconds; the jobs are done afterwards."""
    began = time.perf_counter()
    jobs = await claim_jobs(connection, worker_id=worker_id, want=WANTED)
    took = time.perf_counter() - began
    if len(jobs) != WANTED:
        raise RuntimeError(f"{len(jobs)} jobs were claimed for {WANTED}")
    moves = [Move(job.id, job.claim_token, "SUCCESS") for job in jobs]
    await write_moves(connection, moves)
    return took * 1000


async def waiting(ground: Ground, fresh: Ground, repeats: int) -> None:
    """Ten thousand and a hundred thousand jobs whose time comes tomorrow."""
    for count in (10_000, 100_000):
        await ground.clear()
        await ground.fill(count, due="now() + interval '1 day'")
        await ground.pool.execute("vacuum analyze campaign_jobs")
        full, empty = await in_turns(ground, fresh, repeats)
        name = f"claim of {WANTED} beside {count:,} waiting jobs, ms"
        show(Line(name, full, "empty table", empty, 1.2, more=False))
    held, name = await _memory(ground), "memory of a worker beside 100,000 waiting jobs, MB"
    show(Line(name, held, "limit", 200, 1.0, more=False))


async def history(ground: Ground, fresh: Ground, repeats: int) -> None:
    """A million finished jobs, and then a transaction that keeps every dead row for 20,000 jobs more."""
    await ground.clear()
    for _ in range(10):
        await ground.fill(100_000, status="SUCCESS")
    await ground.pool.execute("vacuum analyze campaign_jobs", timeout=300)
    behind, empty = await in_turns(ground, fresh, repeats)
    name = f"claim of {WANTED} behind a million finished jobs, ms"
    show(Line(name, behind, "fresh table", empty, 1.2, more=False))
    async with ground.connection() as holder, holder.transaction(isolation="repeatable_read"):
        await holder.execute("select count(*) from ad_accounts")
        rounds = 20_000 // (CLAIMS * WANTED * repeats)
        held, empty = [await in_turns(ground, fresh, repeats) for _ in range(rounds)][-1]
    name = f"claim of {WANTED} with vacuum held back for 20,000 jobs, ms"
    show(Line(name, held, "fresh table", empty))


async def _memory(ground: Ground) -> float:
    """After it has done a thousand jobs and looked around for a while."""
    worker = await Process("-m", "bench.worker", ground.url, "--concurrency", "64").ready()
    await ground.fill(1000)
    await ground.wake()
    await ground.until_done()
    await asyncio.sleep(2)
    held = worker.resident_megabytes()
    worker.kill()
    return held

"""What a claim costs when many jobs wait, when many are done, and when vacuum is held back."""

import asyncio
import statistics
import time
from uuid import UUID, uuid4

from bench.ground import Ground
from bench.programs import Process
from bench.table import Line, show
from models.database import HOT_SETTINGS, connect
from models.gen import campaign_jobs, workers
from workers.writes import Move, write_moves

CLAIMS, WANTED = 60, 10


async def claim_milliseconds(ground: Ground, worker_id: UUID) -> float:
    """Median of claims of ten due jobs each; they are done in between."""
    await ground.fill(CLAIMS * WANTED, due="clock_timestamp()")
    connection = await connect(ground.url, name="bench claim", settings=HOT_SETTINGS)
    took: list[float] = []
    while True:
        began = time.perf_counter()
        jobs = await campaign_jobs.claim_campaign_jobs(connection, worker_id=worker_id, want=WANTED)
        if not jobs:
            break
        took.append(time.perf_counter() - began)
        moves = [Move(job.id, job.claim_token, "SUCCESS") for job in jobs if job.claim_token]
        await write_moves(connection, moves)
    await connection.close()
    return statistics.median(took) * 1000


async def waiting(ground: Ground) -> None:
    """Ten thousand and a hundred thousand jobs whose time comes tomorrow."""
    worker_id = await _registered(ground)
    await ground.clear()
    empty = await claim_milliseconds(ground, worker_id)
    for count in (10_000, 100_000):
        await ground.clear()
        await ground.fill(count, due="now() + interval '1 day'")
        await ground.pool.execute("vacuum analyze campaign_jobs")
        full = await claim_milliseconds(ground, worker_id)
        name = f"claim of {WANTED} beside {count:,} waiting jobs, ms"
        show(Line(name, full, "empty table", empty, 1.2, more=False))
    held, name = await _memory(ground), "memory of a worker beside 100,000 waiting jobs, MB"
    show(Line(name, held, "limit", 200, 1.0, more=False))


async def history(ground: Ground) -> None:
    """A million finished jobs, and then a transaction that keeps every dead row for 20,000 jobs more."""
    worker_id = await _registered(ground)
    await ground.clear()
    fresh = await claim_milliseconds(ground, worker_id)
    await ground.clear()
    for _ in range(10):
        await ground.fill(100_000, status="SUCCESS")
    await ground.pool.execute("vacuum analyze campaign_jobs", timeout=300)
    behind = await claim_milliseconds(ground, worker_id)
    name = f"claim of {WANTED} behind a million finished jobs, ms"
    show(Line(name, behind, "fresh table", fresh, 1.2, more=False))
    async with ground.connection() as holder, holder.transaction(isolation="repeatable_read"):
        await holder.execute("select count(*) from ad_accounts")
        rounds = 20_000 // (CLAIMS * WANTED)
        held = [await claim_milliseconds(ground, worker_id) for _ in range(rounds)]
    name = f"claim of {WANTED} with vacuum held back for 20,000 jobs, ms"
    show(Line(name, held[-1], "fresh table", fresh))


async def _registered(ground: Ground) -> UUID:
    worker_id = uuid4()
    await workers.register_worker(ground.pool, id=worker_id, host="bench", process_id=1)
    return worker_id


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

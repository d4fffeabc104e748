"""How long a job waits, at fifty a second, from its commit until its handler begins."""

import asyncio
import time
from functools import partial
from uuid import UUID

from bench.ground import PAYLOAD, Ground
from bench.programs import Process
from bench.table import QUICK, Line, Median, in_turns, quantiles, show
from common.uuid7 import uuid7

PICKUPS = 300
SECONDS_BETWEEN = 0.02
MADE = """
with asked as (insert into campaign_requests (campaign_job_id, payload) values ($1, $2))
insert into campaign_jobs (id, ad_account_id, platform_type, mode, kind)
values ($1, $3, 'META', 'sandbox', 'NOOP')"""
MADE_PLAIN = "insert into plain_jobs (id, payload) values ($1, $2)"


async def ours(ground: Ground, *, backlog_of: UUID | None = None) -> list[float]:
    """Seconds of each job; `backlog_of` is an account that has nine thousand jobs waiting."""
    await ground.clear()
    if backlog_of is not None:
        await ground.fill(9_000, accounts=[backlog_of])
    others = [account for account in ground.accounts if account != backlog_of]
    worker = await Process(
        "-m", "bench.worker", ground.url, "--concurrency", "64", "--remember"
    ).ready()
    await asyncio.sleep(0.5)
    committed: dict[str, float] = {}
    for number in range(PICKUPS):
        job_id = uuid7()
        await ground.pool.execute(MADE, job_id, PAYLOAD, others[number % len(others)])
        committed[str(job_id)] = time.monotonic()
        await ground.wake()
        await asyncio.sleep(SECONDS_BETWEEN)
    await ground.until_done()
    worker.terminate()
    begun = dict(await worker.ended())
    worker.kill()
    return [begun[job] - at for job, at in committed.items()]


async def plain(ground: Ground) -> list[float]:
    """The same for the loop."""
    await ground.clear()
    loop = await Process("-m", "bench.plain", ground.url, "--listen").ready()
    await asyncio.sleep(0.3)
    committed: dict[str, float] = {}
    for _ in range(PICKUPS):
        job_id = uuid7()
        await ground.pool.execute(MADE_PLAIN, job_id, PAYLOAD)
        committed[str(job_id)] = time.monotonic()
        await ground.wake()
        await asyncio.sleep(SECONDS_BETWEEN)
    await asyncio.sleep(0.5)
    loop.go()
    begun = dict(await loop.ended())
    loop.kill()
    return [begun[job] - at for job, at in committed.items()]


async def latency(ground: Ground, repeats: int) -> None:
    """p50 and p99."""
    mine, limit = await in_turns(QUICK * repeats, partial(ours, ground), partial(plain, ground))
    (p50, p99), (limit50, limit99) = _medians_of(mine), _medians_of(limit)
    show(Line("pickup at 50 jobs/s, p50, ms", p50, "plain loop", limit50, 2.0, more=False))
    allowed = max(3.0, 5.0 / limit99)
    show(Line("pickup at 50 jobs/s, p99, ms", p99, "plain loop", limit99, allowed, more=False))


async def fairness(ground: Ground, repeats: int) -> None:
    """The jobs of small accounts beside nine thousand of one, and beside nothing."""
    crowded, idle = await in_turns(
        QUICK * repeats, partial(ours, ground, backlog_of=ground.accounts[0]), partial(ours, ground)
    )
    name = "small accounts beside one with 9,000 waiting, p99, ms"
    (_, p99), (_, idle99) = _medians_of(crowded), _medians_of(idle)
    show(Line(name, p99, "the same without it", idle99, 2.0, more=False))


def _medians_of(turns: list[list[float]]) -> tuple[Median, Median]:
    """Of p50 and of p99 of each turn, milliseconds."""
    p50s, p99s = zip(*map(quantiles, turns), strict=True)
    return Median(p50s), Median(p99s)

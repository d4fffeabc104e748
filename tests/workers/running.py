"""A whole worker inside the test, with a handler that does as told."""

import asyncio
import contextlib
import inspect

import asyncpg

from workers.kinds import Ended
from workers.runner import Worker
from workers.worker_settings import WorkerSettings

PATIENCE_SECONDS = 30
TEST = "TEST"
NEVER = 10_000
"""Seconds of a wait that no test outlasts."""
CLAIM_LOCK = 7092417
"""What claims take turns under."""
BEATING = {"silence_seconds": 6, "trust_seconds": 1.5}
"""A worker that is soon out of touch, and on no machine so slow that it loses what it has just claimed."""
LISTENS = """select 1 from pg_stat_activity
             where datname = current_database() and query ilike 'listen%' and state = 'idle'"""
_NOT_RENEWED = """select count(*) from pg_stat_activity
                  where datname = current_database() and application_name = 'mojito presence'
                    and wait_event_type = 'Lock'"""


class Scripted:
    """Each run does what comes next in the script, and succeeds when nothing is left of it.

    A part of the script is an exception, an outcome, or a function of the run that gives one.
    """

    def __init__(self, *script, abandoned=None):
        self.script = list(script)
        self.runs = []
        self.left = []
        self.errors = []
        self._abandoned = abandoned

    async def __call__(self, run):
        self.runs.append(run)
        part = self.script.pop(0) if self.script else Ended("SUCCESS")
        if callable(part):
            part = part(run)
        if inspect.isawaitable(part):
            part = await part
        if isinstance(part, Exception):
            raise part
        return part

    async def abandon(self, run, error):
        self.left.append(run)
        self.errors.append(error)
        if self._abandoned is not None:
            raise self._abandoned
        return Ended("FAILED", error=error)


class Gate:
    """Runs that come here stay until they are let go, one after another."""

    def __init__(self):
        self.inside = 0
        self.most = 0
        self._places = asyncio.Semaphore(0)

    async def __call__(self, _run):
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self._places.acquire()
        self.inside -= 1
        return Ended("SUCCESS")

    def release(self, runs=1):
        for _ in range(runs):
            self._places.release()

    async def abandon(self, _run, error):
        return Ended("FAILED", error=error)


@contextlib.asynccontextmanager
async def working(shop, handler, *, kind=TEST, pool=None, metrics=None, **settings):
    """The worker, at work; stopped at the end. Nothing may have gone wrong that only the loop hears of."""
    unheard = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    settings = WorkerSettings(
        **{"poll_seconds": 0.1, "grace_seconds": PATIENCE_SECONDS, **settings}
    )
    pool = pool or shop.pool
    worker = Worker(shop.url, pool, shop.worker_id, {kind: handler}, settings, metrics)
    task = asyncio.create_task(worker.run())
    try:
        await until(lambda: worker.started.is_set() or task.done())
        yield worker
    finally:
        worker.stop()
        await task
        loop.set_exception_handler(None)
    assert unheard == []


async def jobs(shop, count):
    """So many jobs of one account, which lets all of them run at once."""
    account = await shop.account(max_running=count)
    return [await shop.job(account) for _ in range(count)]


async def until(holds):
    """Waits for something that nobody tells of; what it was in the end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            held = holds()
            if inspect.isawaitable(held):
                held = await held
            if held:
                return held
            await asyncio.sleep(0.01)


async def finished(shop, job_id):
    """The job once it has ended."""
    sql = "select * from campaign_jobs where id = $1 and finished_at is not null"
    return await until(lambda: shop.pool.fetchrow(sql, job_id))


async def let_go(shop, job_id):
    """The job once no worker has it, though it has run."""
    sql = (
        "select * from campaign_jobs where id = $1 and claim_token is null and status <> 'PENDING'"
    )
    return await until(lambda: shop.pool.fetchrow(sql, job_id))


@contextlib.asynccontextmanager
async def silenced(shop):
    """No sign of the worker's life is written, and none is on its way, as long as the block lasts."""
    async with connected(shop) as own, own.transaction():
        await own.execute("select 1 from workers for update")
        await until(lambda: shop.value(_NOT_RENEWED))
        yield own


def waits(job):
    """Seconds between the end of the run and the moment that the job is due."""
    return (job["due_at"] - job["updated_at"]).total_seconds()


@contextlib.asynccontextmanager
async def connected(shop):
    """A connection of the test's own, beside the pool."""
    connection = await asyncpg.connect(shop.url)
    try:
        yield connection
    finally:
        await connection.close()

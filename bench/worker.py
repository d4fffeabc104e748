"""A worker process of ours whose jobs do nothing: `python -m bench.worker URL --steps 4`.

Says "ready" when it claims; after SIGTERM it tells, as one line of JSON, which jobs it began and when.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from typing import Any
from uuid import uuid4

import uvloop

from common.garbage import collect_seldom
from common.log import configure
from models.database import open_pool
from models.job import JobError
from models.plan import PlannedStep
from workers.effects import Effect, Pace
from workers.kinds import Ended, Run
from workers.platforms.base import Done
from workers.runner import Worker
from workers.worker_settings import WorkerSettings

PACE = Pace(30, 30)


class NoOp:
    """Carries out a job by doing nothing, in so many durable steps."""

    def __init__(self, steps: int, *, remembers: bool) -> None:
        self._steps = [PlannedStep(f"step[{n}]", "campaign", n) for n in range(steps)]
        self._remembers = remembers
        self.begun: list[tuple[str, float]] = []

    async def __call__(self, run: Run) -> Ended:
        if self._remembers:
            self.begun.append((str(run.job.id), time.monotonic()))
        for step in self._steps:
            await run.ledger.step(step, Effect(_done), PACE)
        return Ended("SUCCESS")

    async def abandon(self, run: Run, error: JobError) -> Ended:  # noqa: ARG002 - its name is the protocol's
        return Ended("FAILED", error=error)


async def _done(_: Any) -> Done:
    return Done("1")


async def work(url: str, steps: int, concurrency: int, *, remembers: bool) -> None:
    """Until SIGTERM."""
    pool = await open_pool(url, size=4, name="bench worker")
    handler = NoOp(steps, remembers=remembers)
    worker = Worker(url, pool, uuid4(), {"NOOP": handler}, WorkerSettings(concurrency=concurrency))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    task = asyncio.create_task(worker.run())
    await worker.started.wait()
    _say("ready")
    await task
    await pool.close()
    _say(json.dumps(handler.begun))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=1500)
    parser.add_argument("--remember", action="store_true")
    given = parser.parse_args()
    configure("json", "error")
    collect_seldom()
    uvloop.run(work(given.url, given.steps, given.concurrency, remembers=given.remember))

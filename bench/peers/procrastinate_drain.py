"""procrastinate drains no-op jobs: `python bench/peers/procrastinate_drain.py URL drain --processes 1`.

As its documentation advises: an asynchronous task, jobs deferred in batches, and a worker with
concurrency, so that several claims and completions of single jobs are under way at once.
"""

import asyncio
import logging
from typing import Any

import uvloop
from measuring import PAYLOAD, Gate, Peer, measure_drain
from procrastinate import App, PsycopgConnector

CONCURRENCY = 10


def application(url: str) -> App:
    """Its application with one task that does nothing."""
    logging.disable()  # it warns of being made in a main module
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=CONCURRENCY + 3))
    app.task(name="noop")(noop)
    return app


async def noop(filler: str) -> None:
    """The task."""
    del filler


async def fill(url: str, jobs: int) -> None:
    """Defers in batches."""
    async with application(url).open_async() as app:
        await app.schema_manager.apply_schema_async()
        for start in range(0, jobs, 1000):
            batch = [dict[str, Any](PAYLOAD)] * min(1000, jobs - start)
            await app.tasks["noop"].batch_defer_async(*batch)


def work(url: str, gate: Gate) -> None:
    """One worker."""
    uvloop.run(_run_worker(url, gate))


async def _run_worker(url: str, gate: Gate) -> None:
    async with application(url).open_async() as app:
        await asyncio.to_thread(gate.wait)
        await app.run_worker_async(concurrency=CONCURRENCY, install_signal_handlers=False)


PEER = Peer(
    package="procrastinate",
    fill=fill,
    work=work,
    left="select exists (select 1 from procrastinate_jobs where status in ('todo', 'doing'))",
    done="select count(*) from procrastinate_jobs where status = 'succeeded'",
    jobs=2_000,
    settings={"concurrency": CONCURRENCY},
)

if __name__ == "__main__":
    measure_drain(PEER)

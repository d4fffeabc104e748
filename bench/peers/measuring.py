"""How every other library is measured: a fresh database, worker processes at a gate, a clock, one line."""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event, Semaphore
from urllib.parse import urlsplit

import asyncpg

PAYLOAD = {"filler": "x" * 1450}
"""What every job carries; 1.5 KB as JSON."""

PAYLOAD_TEXT = json.dumps(PAYLOAD)
_LONGEST_SECONDS = 300


class Gate:
    """Where workers wait, connected and ready, until all of them may begin at once."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._arrived: Semaphore = context.Semaphore(0)
        self._open: Event = context.Event()

    def wait(self) -> None:
        """For a worker: says that it is ready, and returns when the clock runs."""
        self._arrived.release()
        self._open.wait()

    def let_go(self, workers: Sequence[BaseProcess]) -> float:
        """For the clock: waits for all workers, lets them go, and returns the moment of it."""
        for worker in workers:
            if not self._arrived.acquire(timeout=60):
                raise TimeoutError(f"{worker.name} did not become ready")
        self._open.set()
        return time.perf_counter()


@dataclass(frozen=True)
class Peer:
    """A job library: how its jobs are enqueued and drained, and how to see that none is left."""

    package: str
    fill: Callable[[str, int], Awaitable[None]]
    """Installs its tables in an empty database and enqueues that many jobs, in bulk."""
    work: Callable[[str, Gate], None]
    """The worker process: passes the gate, then drains until it is killed."""
    left: str
    """SQL: whether any job is unfinished."""
    done: str
    """SQL: how many jobs have ended well."""
    jobs: int
    """How many it drains in a few seconds."""
    settings: dict[str, object] = field(default_factory=dict[str, object])


async def fresh_database(url: str, name: str) -> str:
    """Drops and makes the database of that name beside the one of the URL, and returns its URL."""
    connection = await asyncpg.connect(url)
    await connection.execute(f'drop database if exists "{name}" with (force)')
    await connection.execute(f'create database "{name}"')
    await connection.close()
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def arguments(measure: str, jobs: int) -> argparse.ArgumentParser:
    """What every program takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="a PostgreSQL that may make databases")
    parser.add_argument("measure", choices=[measure])
    parser.add_argument("--jobs", type=int, default=jobs)
    parser.add_argument("--repeats", type=int, default=3)
    return parser


def tell(
    package: str, measure: str, unit: str, values: Sequence[float], **settings: object
) -> None:
    """Prints the one line."""
    line = {
        "name": package,
        "version": version(package),
        "measure": measure,
        "value": round(statistics.median(values), 1),
        "unit": unit,
        "repeats": [round(value, 1) for value in values],
        "settings": settings,
    }
    print(json.dumps(line), flush=True)


def measure_drain(peer: Peer) -> None:
    """The program of a job library: drains, and prints jobs per second."""
    parser = arguments("drain", peer.jobs)
    parser.add_argument("--processes", type=int, choices=[1, 2], default=1)
    given = parser.parse_args()
    values = [
        asyncio.run(_drain(peer, given.url, given.jobs, given.processes))
        for _ in range(given.repeats)
    ]
    measure = f"drain with {given.processes} worker process{'es' * (given.processes > 1)}"
    tell(peer.package, measure, "jobs/s", values, jobs=given.jobs, **peer.settings)


async def _drain(peer: Peer, url: str, jobs: int, processes: int) -> float:
    url = await fresh_database(url, f"peer_{peer.package}")
    await peer.fill(url, jobs)
    connection = await asyncpg.connect(url)
    await connection.execute("vacuum analyze")
    gate, context = Gate(), multiprocessing.get_context("spawn")
    workers = [context.Process(target=peer.work, args=(url, gate)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    try:
        start = gate.let_go(workers)
        await _until_drained(connection, peer.left, workers)
        took = time.perf_counter() - start
        done = await connection.fetchval(peer.done)
        if done != jobs:
            raise ValueError(f"{done} of {jobs} jobs ended well")
    finally:
        _end(workers)
        await connection.close()
    return jobs / took


async def _until_drained(
    connection: asyncpg.Connection, left: str, workers: Sequence[BaseProcess]
) -> None:
    until = time.perf_counter() + _LONGEST_SECONDS
    while await connection.fetchval(left):
        if time.perf_counter() > until or not all(worker.is_alive() for worker in workers):
            raise TimeoutError("the workers ended, or did not end their jobs")
        await asyncio.sleep(0.02)


def _end(workers: Sequence[BaseProcess]) -> None:
    for worker in workers:
        worker.kill()
        worker.join()

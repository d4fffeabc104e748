"""DBOS runs durable workflows of four steps from one process: `python bench/peers/dbos_steps.py URL steps`.

Workflows are started directly, many at once, which costs fewer writes than its queue. Each step's outcome
is a durable commit of its own; an intent before the step is not written by this library.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
from dbos import DBOS
from dbos_settings import settings
from measuring import PAYLOAD_TEXT, arguments, fresh_database, tell

STEPS = 4
THREADS = 8


@DBOS.step()
def step(number: int) -> str:
    """One effect, which brings an id."""
    return str(number)


@DBOS.workflow()
def four_steps(payload: str) -> None:
    """The workflow."""
    del payload
    for number in range(STEPS):
        step(number)


async def prepare(url: str) -> str:
    """A fresh database of its own."""
    return await fresh_database(url, "peer_dbos_steps")


async def succeeded(url: str) -> int:
    """How many workflows have ended well."""
    connection = await asyncpg.connect(url)
    sql = "select count(*) from dbos.workflow_status where status = 'SUCCESS'"
    count = await connection.fetchval(sql)
    await connection.close()
    return count


def measure(url: str, jobs: int) -> float:
    """Workflows per second, from the first start to the end of the last."""
    url = asyncio.run(prepare(url))
    DBOS(config=settings(url, THREADS))
    DBOS.launch()
    with ThreadPoolExecutor(THREADS) as threads:
        start = time.perf_counter()
        list(threads.map(four_steps, [PAYLOAD_TEXT] * jobs))
        took = time.perf_counter() - start
    DBOS.destroy()
    if asyncio.run(succeeded(url)) != jobs:
        raise ValueError("not every workflow ended well")
    return jobs / took


if __name__ == "__main__":
    given = arguments("steps", 500).parse_args()
    logging.disable()
    values = [measure(given.url, given.jobs) for _ in range(given.repeats)]
    what = f"workflows of {STEPS} durable steps in one process"
    tell("dbos", what, "workflows/s", values, jobs=given.jobs, threads=THREADS)

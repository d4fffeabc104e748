"""PgQueuer drains no-op jobs: `python bench/peers/pgqueuer_drain.py URL drain --processes 1`.

As its guide to performance advises: autovacuum settings of its own, direct asyncpg connections, a batch
well above the default for short jobs, durable tables; as in its own benchmark, several queue managers
share a process.
"""

import asyncio
import logging

import asyncpg
import uvloop
from measuring import PAYLOAD_TEXT, Gate, Peer, measure_drain
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 500
MANAGERS = 2


async def fill(url: str, jobs: int) -> None:
    """Enqueues in bulk."""
    connection = await asyncpg.connect(url)
    queries = Queries.from_asyncpg_connection(connection)
    await queries.install()
    await queries.optimize_autovacuum()
    for start in range(0, jobs, 5000):
        count = min(5000, jobs - start)
        await queries.enqueue(["noop"] * count, [PAYLOAD_TEXT.encode()] * count, [0] * count)
    await connection.close()


def work(url: str, gate: Gate) -> None:
    """The queue managers of one process."""
    logging.disable()
    uvloop.run(_manage(url, gate))


async def _manage(url: str, gate: Gate) -> None:
    managers = [await _manager(url) for _ in range(MANAGERS)]
    await asyncio.to_thread(gate.wait)
    await asyncio.gather(*(manager.run(batch_size=BATCH) for manager in managers))


async def _manager(url: str) -> PgQueuer:
    manager = PgQueuer.from_asyncpg_connection(await asyncpg.connect(url))

    @manager.entrypoint("noop")
    async def noop(job: Job) -> None:
        del job

    return manager


PEER = Peer(
    package="pgqueuer",
    fill=fill,
    work=work,
    left="select exists (select 1 from pgqueuer order by id limit 1)",
    done="select count(*) from pgqueuer_log where status = 'successful'",
    jobs=20_000,
    settings={"batch_size": BATCH, "managers": MANAGERS},
)

if __name__ == "__main__":
    measure_drain(PEER)

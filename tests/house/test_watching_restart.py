"""PostgreSQL is restarted while somebody watches: he hears all that was committed, once and in order."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
from pathlib import Path

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from common.uuid7 import uuid7
from models.api_keys import create_key
from models.database import open_pool
from models.horizon import Horizon
from models.migrate import migrate
from routes.subscriptions import Subscription
from routes.watch import Watch

WRITE = """
insert into job_events (campaign_job_id, team_id, kind)
select $1, $2, 'job.waiting' from generate_series(1, 3) returning id"""
_NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@contextlib.contextmanager
def server(**settings: str):
    home = Path(tempfile.mkdtemp(prefix="mojito-watching-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres", settings=settings) as server:
            server.create_database("watched")
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def own_server():
    with server() as own:
        yield own


@pytest.fixture
def lazy_server():
    """Nothing goes to the disk that nobody waits for."""
    with server(wal_writer_delay="10s", wal_writer_flush_after="1GB") as own:
        yield own


class Writer:
    """Writes events as fast as it may; notes the numbers of those that were committed for sure."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.team, self.job = uuid7(), uuid7()
        self.written: list[int] = []
        self.more = asyncio.Event()
        self.stopping = False

    async def run(self) -> None:
        connection = None
        while not self.stopping:
            try:
                connection = connection or await asyncpg.connect(self.url)
                rows = await connection.fetch(WRITE, self.job, self.team)
                self.written += [row["id"] for row in rows]
                await connection.execute("notify campaign_job_changes")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection = None
            self.more.set()
            await asyncio.sleep(0)  # readers get their turn, also while the server refuses at once
        if connection is not None:
            await connection.close()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.written) < count:
                self.more.clear()
                await self.more.wait()


async def hear(subscription: Subscription, last: asyncio.Future[int]) -> list[int]:
    """Everything up to the last number, as soon as that is known."""
    found: list[int] = []
    async with asyncio.timeout(120):
        while not (last.done() and found and found[-1] >= last.result()):
            found += map(int, _NUMBER.findall(await subscription.take(0.2)))
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["restarted", "crashed"])
async def test_nothing_is_lost_or_doubled(own_server, how):
    url = own_server.url("watched")
    await migrate(url)
    pool = await open_pool(url, size=3, name="test")
    await create_key(pool, team="Team", name="test")
    key_id = await pool.fetchval("select id from api_keys")
    writer = Writer(url)
    last: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    watch = Watch(url, pool, asyncio.Event())
    watching = [
        Subscription(writer.team, after=0, key_id=key_id),
        Subscription(writer.team, writer.job, after=0, key_id=key_id),
    ]

    async with watch.running(), asyncio.TaskGroup() as tasks:
        with watch.subscribed(watching[0]), watch.subscribed(watching[1]):
            hearing = [tasks.create_task(hear(subscription, last)) for subscription in watching]
            writing = tasks.create_task(writer.run())
            await writer.until(300)
            os.kill(own_server.pid, how)
            own_server.process.wait()
            own_server.revive()
            await writer.until(len(writer.written) + 300)
            writer.stopping = True
            await writing
            last.set_result(writer.written[-1])
            heard = [await task for task in hearing]
    rows = await pool.fetch("select id from job_events order by id")
    await pool.close()

    assert heard == [[row["id"] for row in rows]] * 2
    assert set(writer.written) <= set(heard[0])


async def test_a_crash_gives_no_number_again_that_somebody_relies_on(lazy_server):
    url = lazy_server.url("watched")
    await migrate(url)
    reader, writer = await asyncpg.connect(url), await asyncpg.connect(url)
    before = await writer.fetchval(WRITE, uuid7(), uuid7())
    await writer.execute("set synchronous_commit = off")
    seen = [(await writer.fetch(WRITE, uuid7(), uuid7()))[-1]["id"] for _ in range(50)]
    lost = writer.transaction()
    await lost.start()
    await writer.fetch(WRITE, uuid7(), uuid7())
    await lost.rollback()

    settled = await Horizon().look(reader)
    os.kill(lazy_server.pid, signal.SIGKILL)
    lazy_server.process.wait()
    lazy_server.revive()
    later = await asyncpg.connect(url)
    given = await later.fetchval(WRITE, uuid7(), uuid7())
    await later.close()
    for connection in (reader, writer):
        connection.terminate()

    assert before < seen[-1] < settled
    assert given > settled

"""Wake-ups come at once, never in a flood, and their loss is never a request's trouble."""

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from models.notifier import Notifier


@pytest.fixture
async def listener(database: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_new_work_is_told_at_once(database, listener):
    heard = asyncio.Event()
    await listener.add_listener("campaign_jobs", lambda *_: heard.set())

    async with Notifier(database) as notifier:
        notifier.notify()
        await asyncio.wait_for(heard.wait(), 10)


async def test_a_burst_is_told_in_a_few_words_without_payload(database, listener):
    payloads: list[str] = []
    heard = asyncio.Event()

    def hear(*told: object) -> None:
        payloads.append(str(told[3]))
        heard.set()

    await listener.add_listener("campaign_jobs", hear)
    async with Notifier(database) as notifier:
        for _ in range(1000):
            notifier.notify()
        await asyncio.wait_for(heard.wait(), 10)
        await listener.execute("select 1")

    assert set(payloads) == {""}
    assert len(payloads) <= 2


async def test_each_channel_is_told_of_its_own(database, listener):
    work, changes = asyncio.Event(), asyncio.Event()
    await listener.add_listener("campaign_jobs", lambda *_: work.set())
    await listener.add_listener("campaign_job_changes", lambda *_: changes.set())

    async with Notifier(database) as notifier:
        notifier.notify("campaign_job_changes")
        await asyncio.wait_for(changes.wait(), 10)
        was_work_told = work.is_set()
        notifier.notify()
        notifier.notify("campaign_job_changes")
        await asyncio.wait_for(work.wait(), 10)

    assert not was_work_told


async def test_it_comes_back_after_its_connection_was_lost(database, listener):
    heard = asyncio.Event()
    await listener.add_listener("campaign_jobs", lambda *_: heard.set())
    async with Notifier(database) as notifier:
        notifier.notify()
        await asyncio.wait_for(heard.wait(), 10)
        await listener.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'mojito notifier' and datname = current_database()"
        )
        heard.clear()

        notifier.notify()

        await asyncio.wait_for(heard.wait(), 10)


async def test_without_database_nothing_fails():
    async with Notifier("postgresql://127.0.0.1:1/nowhere") as notifier:
        notifier.notify()
        await asyncio.sleep(0)  # the first is taken up before the second comes
        notifier.notify()

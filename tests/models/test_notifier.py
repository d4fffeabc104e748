"""Wake-ups come at once, never in a flood, and their loss is never a request's trouble."""

import asyncio

from models.notifier import Notifier

PATIENCE_SECONDS = 30


async def test_new_work_is_told_at_once(database, connection):
    heard = asyncio.Event()
    await connection.add_listener("campaign_jobs", lambda *_: heard.set())

    async with Notifier(database) as notifier:
        notifier.notify()
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)


async def test_a_burst_is_told_in_a_few_words_without_payload(database, connection):
    payloads: list[str] = []
    heard = asyncio.Event()

    def hear(*told: object) -> None:
        payloads.append(str(told[3]))
        heard.set()

    await connection.add_listener("campaign_jobs", hear)
    async with Notifier(database) as notifier:
        for _ in range(1000):
            notifier.notify()
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)
        await connection.execute("select 1")

    assert set(payloads) == {""}
    assert len(payloads) <= 2


async def test_each_channel_is_told_of_its_own(database, connection):
    work, changes = asyncio.Event(), asyncio.Event()
    await connection.add_listener("campaign_jobs", lambda *_: work.set())
    await connection.add_listener("campaign_job_changes", lambda *_: changes.set())

    async with Notifier(database) as notifier:
        notifier.notify("campaign_job_changes")
        await asyncio.wait_for(changes.wait(), PATIENCE_SECONDS)
        was_work_told = work.is_set()
        notifier.notify()
        notifier.notify("campaign_job_changes")
        await asyncio.wait_for(work.wait(), PATIENCE_SECONDS)

    assert not was_work_told


async def test_it_comes_back_after_its_connection_was_lost(database, connection):
    heard = asyncio.Event()
    await connection.add_listener("campaign_jobs", lambda *_: heard.set())
    async with Notifier(database) as notifier:
        notifier.notify()
        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)
        await connection.execute(
            "select pg_terminate_backend(pid, 30000) from pg_stat_activity "
            "where application_name = 'mojito notifier' and datname = current_database()"
        )
        heard.clear()

        notifier.notify()

        await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)


async def test_without_database_nothing_fails():
    async with Notifier("postgresql://127.0.0.1:1/nowhere") as notifier:
        notifier.notify()
        await asyncio.sleep(0)  # the first is taken up before the second comes
        notifier.notify()

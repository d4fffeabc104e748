"""When a worker may believe that others know of it, and what it says when they cannot."""

import asyncio
import contextlib
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from common import clock
from common.errors import ClaimLost
from common.tasks import beside
from models.gen import workers
from tests.workers.running import connected, until
from workers.presence import Presence


@pytest.fixture
async def deaf():
    """The address of a server that hangs up on everybody, and how often somebody called."""
    calls: list[None] = []

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(None)
        with contextlib.suppress(OSError):
            writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"postgresql://nobody@127.0.0.1:{port}/none?sslmode=disable", calls


async def test_a_long_outage_is_few_lines(deaf):
    url, calls = deaf
    presence = Presence(url, uuid4(), renew_seconds=0.01, trust_seconds=20)

    async def has_tried_often():
        return len(calls) >= 30

    with capture_logs() as lines:
        async with beside(presence._keep_renewing()):
            await until(has_tried_often)

    assert [line["event"] for line in lines] == ["presence.not_renewed"]
    assert lines[0]["log_level"] == "warning"


async def test_nobody_who_was_never_heard_begins_anything(shop):
    presence = Presence(shop.url, shop.worker_id, renew_seconds=5, trust_seconds=20)

    with pytest.raises(ClaimLost):
        presence.guard()

    async with presence.running():
        presence.guard()


async def test_a_sign_of_life_is_as_old_as_the_wish_to_give_it(shop):
    """On a server that takes its time, or behind a lock, others hear of it before we know."""
    presence = Presence(shop.url, shop.worker_id, renew_seconds=5, trust_seconds=20)
    waiting = "select count(*) from pg_locks where not granted"
    async with connected(shop) as own, connected(shop) as presences:
        await presence._renew(presences)
        async with own.transaction():
            await own.execute("update workers set last_seen_at = now()")
            renewing = asyncio.create_task(presence._renew(presences))
            await until(lambda: own.fetchval(waiting))
            begun_before = clock.seconds()
        await renewing

    assert presence._renewed_at < begun_before


async def test_who_leaves_is_not_registered_again(shop):
    """Once more by the renewal that was on its way: his row would stay behind until it is dead."""
    presence = Presence(shop.url, shop.worker_id, renew_seconds=0.01, trust_seconds=20)

    async def is_registered():
        return await shop.value("select count(*) from workers")

    async with presence.running(), connected(shop) as own:
        await workers.delete_worker(shop.pool, id=shop.worker_id)
        await until(is_registered)

        presence.leave()
        await workers.delete_worker(shop.pool, id=shop.worker_id)
        await presence._renew(own)

        assert not await is_registered()

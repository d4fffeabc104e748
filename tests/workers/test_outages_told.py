"""Loops that go on through an outage tell of it in a few lines, however often they try."""

import asyncio
from collections import Counter

import pytest
import structlog

from common.tasks import beside
from common.uuid7 import uuid7
from models.notifier import Notifier
from routes.holds import Hold, Holds
from workers.credential_reads import CredentialReads
from workers.upkeep import keep_up

TRIES = 50
FEW = 8


class Away:
    """A pool, or a server, that is gone; counts who asks all the same."""

    def __init__(self):
        self.tries = 0
        self.enough = asyncio.Event()

    def count(self):
        self.tries += 1
        if self.tries >= TRIES:
            self.enough.set()

    async def execute(self, *_, **__):
        self.count()
        raise ConnectionError("nobody there")

    fetch = fetchrow = fetchval = execute

    async def hang_up(self, _, writer):
        self.count()
        writer.close()


def upkeep(away):
    return keep_up(away, silence_seconds=1, every_seconds=0.001, freed=lambda: None)


async def held_answers(away):
    holds = Holds(away)
    with holds.holding(Hold(uuid7(), "PENDING", until_anything=True)):
        await holds.run()


async def credential_reads(away):
    reads = CredentialReads(away, uuid7(), lambda *_: b"plain")
    reads.open(b"sealed", "ad_accounts", uuid7(), "credentials")
    await reads._keep_writing()


@pytest.fixture
def impatient(monkeypatch):
    """Nobody pauses between two tries."""
    monkeypatch.setattr("routes.holds._PAUSE_AFTER_FAILURE_SECONDS", 0)
    monkeypatch.setattr("workers.credential_reads._PAUSE_SECONDS", 0)
    monkeypatch.setattr("models.notifier._RECONNECT_SECONDS", 0)


@pytest.mark.parametrize("loop", [upkeep, held_answers, credential_reads])
@pytest.mark.usefixtures("impatient")
async def test_a_loop_without_a_database_tells_it_in_a_few_lines(loop):
    away = Away()

    with structlog.testing.capture_logs() as told:
        async with beside(loop(away)):
            await asyncio.wait_for(away.enough.wait(), 20)

    assert 1 <= len(told) < FEW, Counter(line["event"] for line in told)


@pytest.mark.usefixtures("impatient")
async def test_so_does_a_notifier_that_cannot_connect():
    away = Away()
    server = await asyncio.start_server(away.hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    with structlog.testing.capture_logs() as told:
        async with Notifier(f"postgresql://mojito@127.0.0.1:{port}/none?sslmode=disable"):
            await asyncio.wait_for(away.enough.wait(), 20)
    server.close()
    await server.wait_closed()

    assert {line["event"] for line in told} == {"notifier.disconnected"}
    assert len(told) < FEW

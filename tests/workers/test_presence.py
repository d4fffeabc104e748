"""A worker that cannot say that it lives says so in the log, now and then and not each time."""

import asyncio
import contextlib
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from mojito.wiring import beside
from tests.house.conftest import until
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

"""What is submitted again, by the command itself or by whoever called it, makes no second job."""

import asyncio
import json
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from tests.mojito.test_submit import EXAMPLES, Running, running

__all__ = ["running"]

COPIES = """
insert into media_assets (id, team_id, kind, content_type, size_bytes, sha256, origin, storage_key)
select new_key(), a.team_id, a.kind, a.content_type, a.size_bytes, $1, a.origin, a.storage_key
from media_assets as a, generate_series(1, 12)"""


class LosingProxy:
    """Stands before an API and cuts connections instead of handing on answers to requests for campaigns."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.port = 0
        self.answers_to_lose = 0
        self._carried: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        """Nothing is carried any more."""
        for task in self._carried:
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that was made."""
        task = asyncio.create_task(self._carry(reader, writer))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until a side ends it."""
        upstream, to_upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        asked = asyncio.Event()
        there = asyncio.create_task(self._there(reader, to_upstream, asked))
        try:
            while data := await upstream.read(65536):
                if asked.is_set() and self.answers_to_lose:
                    self.answers_to_lose -= 1
                    writer.transport.abort()
                    break
                writer.write(data)
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            to_upstream.close()
            writer.close()

    async def _there(
        self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        try:
            while data := await reader.read(65536):
                if b"POST /api/v1/ads/meta" in data:
                    asked.set()
                upstream.write(data)
        except ConnectionResetError:
            pass  # a client that is done with a connection may drop it
        finally:
            upstream.close()


@pytest.fixture
async def proxy(running: Running) -> AsyncGenerator[LosingProxy]:
    written = json.loads((running.settings.data_dir / "environment.json").read_text())
    proxy = LosingProxy(int(written["MOJITO_PORT"]))
    server = await asyncio.start_server(proxy.take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()
    await proxy.end()
    await server.wait_closed()


async def submit_through(proxy: LosingProxy, running: Running, *arguments: str) -> int:
    address = f"http://127.0.0.1:{proxy.port}"
    return await running.submit(EXAMPLES / "meta_link_ad.json", "--url", address, *arguments)


async def test_a_request_whose_answer_was_lost_is_sent_again_under_its_key(
    running: Running, proxy: LosingProxy, capsys: pytest.CaptureFixture[str]
):
    proxy.answers_to_lose = 2

    code = await submit_through(proxy, running)

    job = await running.job()
    assert (code, capsys.readouterr().out) == (
        0,
        f"accepted: campaign job {job['id']} (Spring sale), PENDING\n",
    )
    assert await running.count("campaign_jobs") == 1


async def test_who_gets_no_answer_at_all_is_told_the_key_that_the_command_made(
    running: Running, proxy: LosingProxy, capsys: pytest.CaptureFixture[str]
):
    proxy.answers_to_lose = 1000
    code = await submit_through(proxy, running)
    key = capsys.readouterr().err.partition("--idempotency-key ")[2].strip()
    proxy.answers_to_lose = 0

    again = await submit_through(proxy, running, "--idempotency-key", key)

    assert (code, again) == (1, 0)
    assert str(UUID(key)) == key
    assert (await running.job())["idempotency_key"] == key
    assert await running.count("campaign_jobs") == 1


async def test_a_file_is_found_however_many_were_stored_since(
    running: Running, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("routes.assets.MOST_LOOKED_AT", 5)
    arguments = (EXAMPLES / "meta_link_ad.json", "--idempotency-key", "spring")
    first = await running.submit(*arguments)
    await running.connection.execute(COPIES, b"\x07" * 32)

    again = await running.submit(*arguments)

    assert (first, again) == (0, 0)
    assert await running.count("campaign_jobs") == 1
    assert await running.count("media_assets") == 13

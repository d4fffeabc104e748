"""A file of the caller's that comes byte by byte holds nobody up who wants to stop."""

import asyncio
import contextlib

import pytest

from common.tasks import beside
from tests.house.conftest import ROOT, until

HERO = (ROOT / "examples" / "hero.png").read_bytes()
PATIENCE_SECONDS = 60.0
LONG_SECONDS = 600.0
LOOKED = """
select exists (select from pg_stat_activity where datname = current_database()
    and query like 'select id from campaign_jobs where %cancel_requested_at is null%')
"""
"""Whether a worker has asked if anybody still waits."""


class Host:
    """Sends its picture byte by byte to whoever comes first, and at once to all others."""

    def __init__(self) -> None:
        self.asked, self.left, self.hurry = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.sent = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One download."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HERO))
        if self.asked.is_set():
            writer.write(HERO)
        else:
            self.asked.set()
            async with beside(self._trickle(writer)):
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            self.left.set()
        writer.close()

    async def _trickle(self, writer: asyncio.StreamWriter) -> None:
        while not self.hurry.is_set():
            writer.write(HERO[self.sent : self.sent + 1])
            self.sent += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.hurry.wait(), 0.2)
        writer.write(HERO[self.sent :])


@pytest.fixture
async def host():
    host = Host()
    async with await asyncio.start_server(host.serve, "127.0.0.1", 0) as server:
        host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hero.png"
        yield host


async def downloading(house, host) -> str:
    """A job whose picture has begun to come."""
    job_id = await house.submit(house.request(media={"hero": {"url": host.url}}))
    await host.asked.wait()
    return job_id


def media_step(job) -> dict:
    return next(step for step in job["steps"] if step["name"] == "media[hero]")


async def half_files(house) -> list[str]:
    """What lies where assets are kept, but for the assets."""
    kept = await house.pool.fetch("select storage_key from media_assets")
    keys = {row["storage_key"] for row in kept}
    files = (path for path in house.settings.assets_dir.rglob("*") if path.is_file())
    return [path.name for path in files if not any(key.endswith(path.name) for key in keys)]


async def test_a_job_that_is_cancelled_waits_for_no_download(house, host):
    async with asyncio.timeout(PATIENCE_SECONDS), house.working():
        job_id = await downloading(house, host)

        answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")
        await host.left.wait()
        job = await house.finished(job_id)
        await house.client.post(f"/campaign_jobs/{job_id}/retry")
        again = await house.finished(job_id)

    assert (answer.status_code, job["status"]) == (202, "CANCELLED")
    assert media_step(job)["status"] == "SKIPPED"
    assert (again["status"], media_step(again)["status"]) == ("SUCCESS", "DONE")
    assert await half_files(house) == []


async def test_a_worker_that_stops_waits_for_no_download(house, host):
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with house.working(grace_seconds=LONG_SECONDS):
            job_id = await downloading(house, host)
        job = await house.job(job_id)
        async with house.working():
            again = await house.finished(job_id)

    assert host.left.is_set()
    assert (job["status"], media_step(job)["status"]) == ("PROCESSING", "PENDING")
    assert again["status"] == "SUCCESS"
    assert await half_files(house) == []


async def test_a_download_that_somebody_waits_for_goes_on(house, host):
    async def looked_at():
        return await house.pool.fetchval(LOOKED)

    async with asyncio.timeout(PATIENCE_SECONDS), house.working():
        job_id = await downloading(house, host)
        await until(looked_at)
        before = host.sent
        await until(lambda: has_sent(host, before + 5))
        host.hurry.set()
        job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"


async def has_sent(host, count) -> bool:
    return host.sent >= count

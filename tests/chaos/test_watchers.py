"""Hundreds who watch: no connection of the database for any of them, and a clean end at SIGTERM."""

import asyncio

import pytest

from tests.chaos.programs import Caller, api
from tests.house.conftest import House, until

pytestmark = pytest.mark.alone

STREAMS, HELD = 300, 300
POOL = 4
PENDING = '"kind":"BUILD_CAMPAIGN","status":"PENDING"'
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database()"


class Watchers:
    """Streams of a job and held answers of it, each over a connection of its own."""

    def __init__(self, caller: Caller, job: str) -> None:
        self._caller = caller
        path = f"/api/v1/campaign_jobs/{job}"
        self.held = [self._ask(path, "Prefer: wait=30") for _ in range(HELD)]
        self.streams = [self._ask(f"{path}/events") for _ in range(STREAMS)]

    def _ask(self, path: str, *headers: str) -> asyncio.Task[str]:
        return asyncio.create_task(self._asked(path, headers))

    async def _asked(self, path: str, headers: tuple[str, ...]) -> str:
        """The whole answer as it came, until the server closed the connection."""
        url = self._caller.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: api",
            "Connection: close",
            f"Authorization: {self._caller.headers['Authorization']}",
            *headers,
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await reader.read(-1)
        writer.close()
        return answer.decode()

    async def are_there(self) -> bool:
        """Whether all streams are open; held answers were asked for before them."""
        assert self._caller.program.is_running, self._caller.program.log()
        return self._caller.program.log().count("/events") >= STREAMS


async def test_an_api_with_hundreds_of_watchers_stops_cleanly_and_in_time(house):
    job = await house.submit(house.request())
    async with api(house, database_pool_size=str(POOL), grace_seconds="10") as caller:
        before = await house.pool.fetchval(CONNECTIONS)
        watchers = Watchers(caller, job)
        await until(watchers.are_there)
        others = await caller.get("/api/v1/campaign_jobs")
        connections = await house.pool.fetchval(CONNECTIONS)
        caller.program.terminate()
        ended = await asyncio.gather(*watchers.streams)
        answers = await asyncio.gather(*watchers.held)
        code = await caller.program.exit_code(8)

    assert others.status_code == 200
    assert connections - before < POOL
    assert code == 0
    for text in ended:
        assert text.startswith("HTTP/1.1 200 ")
        assert text.endswith("\r\n0\r\n\r\n"), "the end of a whole answer"
    for text in answers:
        assert text.startswith("HTTP/1.1 200 ")
        assert "preference-applied: wait=30" in text
        assert PENDING in text
    assert '"level":"error"' not in caller.program.log()


async def test_everybody_hears_of_the_end_of_a_job(house: House):
    job = await house.submit(house.request())
    await house.pool.execute("update campaign_jobs set due_at = now() + interval '1 hour'")
    async with api(house, database_pool_size=str(POOL)) as caller, house.working():
        watchers = Watchers(caller, job)
        await until(watchers.are_there)
        # answers are held for no longer than half a minute: nothing but the job remains to be done
        await house.pool.execute("update campaign_jobs set due_at = now()")
        texts = await asyncio.gather(*watchers.streams)
        answers = await asyncio.gather(*watchers.held)

    for text in texts:
        events = [line for line in text.splitlines() if line.startswith("event: ")]
        assert events[0] == "event: job.started"
        assert events[-1] == "event: job.finished"
        assert events.count("event: job.step.done") == len(events) - 2 == 5
    for text in answers:
        assert text.startswith("HTTP/1.1 200 ")
        assert PENDING not in text

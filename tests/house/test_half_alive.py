"""A program of which a part has died ends by itself, with a code and a line for whoever starts it again."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import httpx
import pytest

from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import until

pytestmark = pytest.mark.alone

HALF_ALIVE = str(Path(__file__).parent / "half_alive.py")
END_SECONDS = 60


@contextlib.asynccontextmanager
async def started(house, command, **settings):
    """The program; its log goes nowhere, what it says at its end can be read."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        HALF_ALIVE,
        command,
        env={**house.environment(), **settings},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def end_of(process):
    """Its exit code, and its last line."""
    async with asyncio.timeout(END_SECONDS):
        _, said = await process.communicate()
    return process.returncode, said.decode().splitlines()[-1]


def last_words(task):
    return (
        f"mojito: stopped, to be started again: the task {task!r} died of ZeroDivisionError, "
        "as the log tells"
    )


async def test_a_worker_whose_job_has_ended_in_vain_makes_way_for_another(house):
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]

    async with started(house, "work") as process:
        end = await end_of(process)
    left = await house.pool.fetchval(
        "select (select count(*) from workers) "
        "+ (select count(*) from campaign_jobs where claim_token is not null)"
    )
    async with house.working():
        ended = [await house.finished(job) for job in jobs]

    assert end == (1, last_words("moves"))
    assert left == 0
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == len(jobs)


async def test_an_api_that_can_write_nothing_more_answers_and_ends(house):
    port = str(free_port())

    async with (
        started(house, "serve", MOJITO_PORT=port) as process,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": house.client.headers["Authorization"]},
            timeout=END_SECONDS,
            trust_env=False,
            verify=CLEAR,
        ) as caller,
    ):
        await until(lambda: is_ready(caller, process))
        # the second one is of an account that is known: it is written with others
        answers = [await caller.post("/api/v1/ads/meta", json=house.request()) for _ in range(2)]
        end = await end_of(process)

    assert [answer.status_code for answer in answers] == [202, 202]
    assert end == (1, last_words("job_writes"))
    assert await house.pool.fetchval("select count(*) from campaign_jobs") == 2


async def is_ready(caller, process):
    assert process.returncode is None
    with contextlib.suppress(httpx.TransportError):
        return (await caller.get("/readyz")).status_code == 200
    return False

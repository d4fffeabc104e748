"""PostgreSQL's disk is full, then full for its log as well: nothing half-written, nothing lost."""

import asyncio
import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from common.errors import ConfigurationError
from models.migrate import migrate
from tests.chaos.programs import both
from tests.chaos.small_disk import mounted
from tests.house.conftest import until

pytestmark = pytest.mark.alone

ADS = 20
KEY = {"Idempotency-Key": "large"}
SETTINGS = {"max_wal_size": "64MB", "min_wal_size": "32MB", "wal_recycle": "off"}


@pytest.fixture
def disk():
    home = Path(tempfile.mkdtemp(prefix="mojito-disk-"))
    home.chmod(0o755)
    try:
        with mounted(home / "disk", megabytes=160) as disk:
            yield disk
    except PermissionError as error:
        pytest.skip(str(error))
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def own_server(disk):
    with EmbeddedPostgres(disk.folder / "postgres", settings=SETTINGS) as server:
        server.create_database("crowded")
        yield server


@pytest.fixture
async def database(own_server):
    await migrate(own_server.url("crowded"))
    return own_server.url("crowded")


async def test_a_full_disk_refuses_requests_and_loses_no_job(house, disk, own_server):
    await house.pool.execute("select pg_switch_wal()")  # a whole piece of log is left for this test
    async with both(house) as (caller, program):
        jobs = await begun(house)

        disk.fill()
        refused = [await caller.submit(large(house), **KEY) for _ in range(4)]
        known = await house.pool.fetchval("select count(*) from campaign_jobs")
        alive = (await caller.get("/livez")).status_code
        await until(lambda: is_refused_too(program))
        disk.clear()
        accepted = await caller.submit(large(house), **KEY)
        jobs.append(accepted.json()["campaign_job_id"])
        ended = [await house.finished(job) for job in jobs]

    assert_refused(refused)
    assert "DiskFullError" in caller.program.log()
    assert own_server.process.poll() is None
    assert (known, alive) == (6, 200)
    assert accepted.headers.get("Idempotent-Replayed") is None
    await assert_made_once(house, ended, ads=6 * 8 + ADS)


async def test_a_log_that_cannot_grow_brings_the_server_down_and_no_job_with_it(
    house, disk, own_server
):
    async with both(house) as (caller, _):
        jobs = await begun(house)

        disk.fill()
        await until(lambda: is_down(own_server))
        refused = [await caller.submit(house.request(), **KEY) for _ in range(4)]
        health = [await caller.readiness(), (await caller.get("/livez")).status_code]
        disk.clear()
        await until(lambda: asyncio.to_thread(is_up, own_server))
        ended = [await house.finished(job) for job in jobs]

    assert_refused(refused)
    assert health == [503, 200]
    await assert_made_once(house, ended, ads=6 * 8)


async def begun(house):
    """Six accepted jobs, of which some have made their campaign and none has ended."""
    await house.sandbox.fault("slow", "*/adsets", seconds=1, times=6)
    jobs = [await house.submit(house.request(name=f"Job {n}", ads=8)) for n in range(6)]
    await until(lambda: some_sent(house))
    return jobs


async def is_refused_too(program):
    """The worker has met the full disk as well."""
    assert program.is_running, program.log()
    return "DiskFullError" in program.log()


async def some_sent(house):
    return len(await house.sandbox.objects(house.account["id"], "campaign")) >= 2


def large(house):
    """A request whose row needs pages that the table does not have yet."""
    body = house.request(name="Large", ads=ADS)
    for number, ad in enumerate(body["ad_sets"][0]["ads"]):
        ad["creative"]["message"] = f"{number} " + "long " * 900
    return body


async def is_down(server):
    """Asks for one piece of log after another, until the server dies for want of a place."""
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection = await asyncpg.connect(server.url("crowded"), timeout=2)
        try:
            await connection.execute("select pg_logical_emit_message(true, 'a', 'b')", timeout=2)
            await connection.execute("select pg_switch_wal()", timeout=2)
        finally:
            connection.terminate()
    return server.process.poll() is not None


def is_up(server):
    with contextlib.suppress(ConfigurationError):
        server.revive()
        return server._answers()
    return False


def assert_refused(answers):
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["code"] == "database_unavailable"


async def assert_made_once(house, ended, ads):
    assert {job["status"] for job in ended} == {"SUCCESS"}
    made = Counter(o["kind"] for o in await house.sandbox.objects(house.account["id"]))
    assert made["campaign"] == made["ad_set"] == len(ended)
    assert made["ad"] == ads

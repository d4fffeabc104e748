"""PostgreSQL is restarted while jobs run: workers and API go on, nothing is lost or made twice."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from common.embedded_postgres import EmbeddedPostgres
from models.migrate import migrate
from tests.house.conftest import until


@pytest.fixture
def own_server():
    home = Path(tempfile.mkdtemp(prefix="mojito-restart-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres") as server:
            server.create_database("restarted")
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def database(own_server):
    await migrate(own_server.url("restarted"))
    return own_server.url("restarted")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["restarted", "crashed"])
async def test_jobs_outlive_the_database_server(house, own_server, how):
    await house.sandbox.fault("slow", "*/adsets", seconds=0.5, times=4)
    jobs = [await house.submit(house.request(name=f"Job {n}", ads=2)) for n in range(12)]

    async with house.working():

        async def some_sent():
            return len(await house.sandbox.objects(house.account["id"], "campaign")) >= 2

        await until(some_sent)
        os.kill(own_server.pid, how)
        own_server.process.wait()
        refused = await house.client.post("/ads/meta", json=house.request())
        own_server.revive()

        async def all_done():
            answers = [await house.client.get(f"/campaign_jobs/{job}") for job in jobs]
            return all(a.status_code == 200 and a.json()["finished_at"] for a in answers)

        await until(all_done)
        ended = [await house.job(job) for job in jobs]

    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 12
    assert len(await house.sandbox.objects(house.account["id"], "ad")) == 24

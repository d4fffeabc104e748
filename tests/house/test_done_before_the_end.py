"""Workers that died between the last outcome and the end of a job: nothing is left to do, and it spends."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import uuid4

import pytest

from tests.house.conftest import until

DYING = str(Path(__file__).parent / "dying_worker.py")
ACTIVE = "The campaign is ACTIVE on the platform"


async def left_behind(house) -> str:
    """A job that nobody has, every step of which is done."""
    job_id = await house.submit(house.request(name="die activate after", activate=True))
    worker = await asyncio.create_subprocess_exec(
        sys.executable, DYING, env=house.environment(), stdin=PIPE, stdout=PIPE
    )
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write(f"{uuid4()}\n".encode())
    dead = (await worker.stdout.readline()).decode().strip()
    worker.stdin.close()
    await worker.wait()
    await house.free(dead)
    return job_id


async def campaign_of(house) -> str:
    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    return campaign["status"]


async def test_whoever_cancels_it_then_hears_that_the_campaign_is_active(house):
    job_id = await left_behind(house)

    answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")

    job = await house.job(job_id)
    assert (job["status"], await campaign_of(house)) == ("CANCELLED", "ACTIVE")
    assert job["error"]["code"] == "campaign_active"
    assert job["error"]["step"] == "activate"
    assert job["error"]["remedy"].startswith(ACTIVE)
    assert answer.json()["error"] == job["error"]


@pytest.mark.parametrize(
    "change",
    [
        "update ad_accounts set updated_at = now(), status = 'INACTIVE'",
        "update ad_accounts set updated_at = now(), status = 'SUSPENDED'",
        "update ad_accounts set updated_at = now(), status = 'REQUIRES_REAUTH'",
        "update ad_accounts set updated_at = now(), credentials = credentials || 'damaged'::bytea",
    ],
)
async def test_it_is_a_success_whatever_became_of_its_account_meanwhile(house, change):
    job_id = await left_behind(house)
    await house.pool.execute(change)

    async with house.working():
        job = await until(lambda: ended_or_waiting(house, job_id))

    assert (job["status"], job["error"], job["waiting"]) == ("SUCCESS", None, None)
    assert await campaign_of(house) == "ACTIVE"


async def ended_or_waiting(house, job_id):
    job = await house.job(job_id)
    return job if job["finished_at"] or job["waiting"] else None

"""A campaign whose job was cancelled while it was being activated: it does not run, or it is told of."""

import asyncio
import signal
from uuid import uuid4

from tests.house.conftest import until

ACTIVATIONS = "*/v26.0/1*"
"""Calls about an object, whose ids begin so; nothing else is posted to one."""


async def test_a_worker_that_was_stopped_meanwhile_activates_nothing_more(house):
    worker_id = str(uuid4())
    await house.sandbox.fault("slow", ACTIVATIONS, seconds=2.0, times=3)
    job_id = await house.submit(house.request(activate=True))
    worker = house.process("-m", "mojito", "work", worker_id=worker_id)

    async def is_asked():
        (fault,) = await house.sandbox.faults()
        return fault["times"] < 3

    await until(is_asked)
    worker.send_signal(signal.SIGSTOP)
    await house.free(worker_id)
    answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")
    worker.send_signal(signal.SIGCONT)
    worker.terminate()
    await asyncio.to_thread(worker.wait)

    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    assert (answer.json()["status"], campaign["status"]) == ("CANCELLED", "PAUSED")


async def test_a_campaign_that_has_not_answered_is_told_to_be_perhaps_active(house):
    await house.sandbox.fault("lose_reply", ACTIVATIONS, skip=2, times=100)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        await house.waiting(job_id, "retry")
        await house.client.post(f"/campaign_jobs/{job_id}/cancel")
        job = await house.finished(job_id)

    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    assert (job["status"], campaign["status"]) == ("CANCELLED", "ACTIVE")
    assert job["steps"][-1]["status"] == "IN_DOUBT"
    assert "may be ACTIVE" in job["steps"][-1]["error"]["remedy"]


async def test_a_job_that_is_cancelled_before_its_campaign_is_asked_leaves_it_paused(house):
    """Its ads may be ACTIVE by then: nothing is delivered below a campaign that is paused."""
    await house.sandbox.fault("slow", ACTIVATIONS, seconds=1.5, skip=1)
    job_id = await house.submit(house.request(activate=True))

    async def is_asked():
        return not await house.sandbox.faults()

    async with house.working():
        await until(is_asked)
        await house.client.post(f"/campaign_jobs/{job_id}/cancel")
        job = await house.finished(job_id)

    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    assert (job["status"], campaign["status"]) == ("CANCELLED", "PAUSED")
    assert (job["steps"][-1]["status"], job["error"]) == ("SKIPPED", None)

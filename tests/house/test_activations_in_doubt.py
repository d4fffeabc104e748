"""A job that is over while nobody knows whether its campaign is ACTIVE says so wherever it is shown."""

import io

import pytest

from mojito.job_display import Log
from tests.house.webhooks import listen, over

OBJECTS = "*/v26.0/1*"
"""Calls about an object, whose ids begin so; nothing else is posted to one."""
BEFORE_THE_CAMPAIGN = 2
"""An ad and its ad set are set ACTIVE first."""
MAY_BE_ACTIVE = "The campaign may be ACTIVE on the platform"
FORBIDDEN = 200
INVALID = 100


def watched(job) -> str:
    """What `mojito submit --watch` shows at the end."""
    shown = io.StringIO()
    Log(shown, "").end(job)
    return shown.getvalue()


async def campaign_of(house) -> str:
    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    return campaign["status"]


async def test_a_job_that_gave_up_asking_says_that_its_campaign_may_be_active(house, receiver):
    await listen(house, receiver)
    await house.sandbox.fault("lose_reply", OBJECTS, skip=BEFORE_THE_CAMPAIGN, times=100)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        job = await house.finished(job_id)
        await over(house)

    assert (job["status"], await campaign_of(house)) == ("PARTIAL_SUCCESS", "ACTIVE")
    activation = job["steps"][-1]
    assert activation["status"] == "IN_DOUBT"
    assert activation["error"] == job["error"]
    assert (job["error"]["step"], job["error"]["code"]) == ("activate", "activation_in_doubt")
    assert job["error"]["message"].startswith("gave up after 8 attempts: no answer came")
    assert job["error"]["remedy"].startswith(MAY_BE_ACTIVE)
    assert job["error"]["retryable"] is True
    told = [posted.event for posted in receiver.posted]
    (finished,) = [event for event in told if event["type"] == "job.finished"]
    assert finished["event"] == {"status": "PARTIAL_SUCCESS", "code": "activation_in_doubt"}
    assert finished["data"]["error"] == job["error"]


async def test_a_retry_of_such_a_job_sets_the_campaign_active_for_sure(house):
    await house.sandbox.fault("reset", OBJECTS, skip=BEFORE_THE_CAMPAIGN, times=100)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        first = await house.finished(job_id)
        await house.sandbox.call("DELETE", "/faults")
        await house.client.post(f"/campaign_jobs/{job_id}/retry")
        second = await house.finished(job_id)

    assert first["error"]["code"] == "activation_in_doubt"
    assert (second["status"], second["error"]) == ("SUCCESS", None)
    assert await campaign_of(house) == "ACTIVE"


async def test_a_refusal_does_not_end_the_doubt_that_an_earlier_call_has_left(house):
    await house.sandbox.fault("lose_reply", OBJECTS, skip=BEFORE_THE_CAMPAIGN)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        await house.waiting(job_id, "retry")
        await house.sandbox.fault("throttle", OBJECTS, code=FORBIDDEN)
        job = await house.finished(job_id)

    assert (job["status"], await campaign_of(house)) == ("PARTIAL_SUCCESS", "ACTIVE")
    assert job["steps"][-1]["status"] == "IN_DOUBT"
    assert job["error"]["code"] == "activation_in_doubt"
    assert job["error"]["remedy"].startswith(MAY_BE_ACTIVE)
    assert "permission" in job["error"]["remedy"]
    assert job["error"]["upstream"]["code"] == FORBIDDEN


async def test_whoever_is_refused_for_good_in_such_a_doubt_is_not_told_to_make_another_campaign(
    house,
):
    """Nor that what was made stays paused."""
    await house.sandbox.fault("lose_reply", OBJECTS, skip=BEFORE_THE_CAMPAIGN)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        await house.waiting(job_id, "retry")
        await house.sandbox.fault("throttle", OBJECTS, code=INVALID)
        job = await house.finished(job_id)

    assert (job["error"]["code"], await campaign_of(house)) == ("activation_in_doubt", "ACTIVE")
    assert job["error"]["upstream"]["code"] == INVALID
    assert "paused" not in job["error"]["remedy"]
    assert "new request" not in job["error"]["remedy"]
    assert job["error"]["retryable"] is True


@pytest.mark.parametrize("skip", [0, 1, BEFORE_THE_CAMPAIGN])
async def test_a_campaign_whose_activation_was_refused_is_not_called_perhaps_active(house, skip):
    await house.sandbox.fault("throttle", OBJECTS, code=FORBIDDEN, skip=skip)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        job = await house.finished(job_id)

    assert (job["status"], await campaign_of(house)) == ("PARTIAL_SUCCESS", "PAUSED")
    assert job["steps"][-1]["status"] == "FAILED"
    assert job["error"]["code"] == "permission_missing"
    assert "ACTIVE" not in job["error"]["remedy"]


async def test_a_cancelled_job_itself_says_that_its_campaign_may_be_active(house, receiver):
    """Lists and webhooks show the steps of a long job no more, and nobody asks for them."""
    await listen(house, receiver)
    await house.sandbox.fault("lose_reply", OBJECTS, skip=BEFORE_THE_CAMPAIGN, times=100)
    job_id = await house.submit(house.request(activate=True))

    async with house.working():
        await house.waiting(job_id, "retry")
        await house.client.post(f"/campaign_jobs/{job_id}/cancel")
        job = await house.finished(job_id)
        await over(house)

    assert (job["status"], await campaign_of(house)) == ("CANCELLED", "ACTIVE")
    assert job["error"] == job["steps"][-1]["error"]
    assert job["error"]["code"] == "activation_in_doubt"
    assert job["error"]["remedy"].startswith(MAY_BE_ACTIVE)
    assert f"remedy: {MAY_BE_ACTIVE}" in watched(job)
    told = [posted.event for posted in receiver.posted]
    (finished,) = [event for event in told if event["type"] == "job.finished"]
    assert finished["event"] == {"status": "CANCELLED", "code": "activation_in_doubt"}
    assert finished["data"]["error"] == job["error"]

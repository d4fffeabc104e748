"""Messages about jobs with many steps stay short, however long the request is."""

from typing import Any

from tests.house.conftest import House
from tests.house.receiver import Receiver
from tests.house.webhooks import listen, over

LONGEST_BYTES = 20_000
FIFTY = {"ads": 23, "activate": True}
"""Media, campaign, ad set, a creative and an ad each, activation."""


async def told(house: House, **options: Any) -> tuple[dict[str, Any], list[Any]]:
    """The job as it ended, and everything that was posted of it."""
    async with Receiver().open() as receiver, house.working():
        await listen(house, receiver)
        job_id = await house.submit(house.request(**options))
        job = await house.finished(job_id)
        await over(house)
    return job, receiver.posted


async def test_a_job_of_fifty_steps_is_told_whole(house):
    job, posted = await told(house, **FIFTY)

    (finished,) = [one.event for one in posted if one.event["type"] == "job.finished"]
    assert job["progress"] == {"done": 50, "total": 50}
    assert finished["data"] == job


async def test_a_longer_job_is_told_in_short(house):
    job, posted = await told(house, ads=24)

    events = [one.event for one in posted]
    (finished,) = [event["data"] for event in events if event["type"] == "job.finished"]
    assert job["progress"] == {"done": 51, "total": 51}
    assert len(events) == 53
    assert max(len(one.body) for one in posted) < LONGEST_BYTES
    assert finished == {
        **job,
        "steps": [],
        "platform_ids": {"campaign": job["platform_ids"]["campaign"]},
    }
    steps = {step["name"]: step for step in job["steps"]}
    for event in events:
        name = event["event"].get("step")
        assert event["data"]["steps"] == ([] if name is None else [steps[name]])
        assert event["data"]["progress"]["total"] == 51


async def test_a_longer_job_that_failed_is_told_with_its_error(house):
    await house.sandbox.fault("throttle", "*/campaigns", code=368)

    job, posted = await told(house, ads=24)

    (finished,) = [one.event["data"] for one in posted if one.event["type"] == "job.finished"]
    assert (job["status"], finished["status"]) == ("FAILED", "FAILED")
    assert finished["error"] == job["error"]
    assert finished["error"]["code"] == "account_blocked"
    assert finished["platform_ids"] == {"campaign": None}

"""Messages about a job are whole up to a bound; of a longer job those about single steps are short."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from common.uuid7 import uuid7
from models.gen.webhook_deliveries import GetWebhookForRunRow
from models.job import StepView
from models.webhook_message import FEWEST_BYTES_OF_A_STEP, LONGEST_MESSAGE
from tests.house.conftest import House
from tests.house.receiver import Receiver
from tests.house.webhooks import listen, over
from workers.webhook_bodies import make_body

SHORT_BYTES = 20_000
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


async def body_of(house: House, job_id: str, kind: str, facts: str = "{}") -> bytes:
    """What would be posted now."""
    team_id = await house.pool.fetchval(
        "select team_id from campaign_jobs where id = $1", UUID(job_id)
    )
    message = GetWebhookForRunRow(
        id=uuid7(),
        type=kind,
        campaign_job_id=UUID(job_id),
        facts=facts,
        body=None,
        status="PENDING",
        tries_since_queued=0,
        happened_at=datetime.now(UTC),
        webhook_endpoint_id=uuid7(),
        team_id=team_id,
        mode="sandbox",
        url="https://example.com/hook",
        is_listening=True,
        is_previous_secret_good=False,
        read_at=datetime.now(UTC),
        request_id=None,
        traceparent=None,
    )
    body = await make_body(house.pool, message)
    assert body is not None
    return body.encode()


def wide(house: House, ad_sets: int) -> dict[str, Any]:
    """A request of so many ad sets with fifty ads each."""
    request = house.request(ads=50)
    (one,) = request["ad_sets"]
    return {**request, "ad_sets": [{**one, "name": f"US {nth}"} for nth in range(ad_sets)]}


async def test_a_job_of_fifty_steps_is_told_whole(house):
    job, posted = await told(house, **FIFTY)

    events = [one.event for one in posted]
    (finished,) = [event for event in events if event["type"] == "job.finished"]
    assert job["progress"] == {"done": 50, "total": 50}
    assert {event["short"] for event in events} == {False}
    assert {len(event["data"]["steps"]) for event in events} == {50}
    assert finished["data"] == job


async def test_of_a_longer_job_steps_are_told_in_short_and_the_rest_whole(house):
    job, posted = await told(house, ads=24)

    events = [one.event for one in posted]
    steps = {step["name"]: step for step in job["steps"]}
    of_steps = [event for event in events if event["type"].startswith("job.step.")]
    whole = {event["type"]: event for event in events if event not in of_steps}
    assert job["progress"] == {"done": 51, "total": 51}
    assert (len(of_steps), set(whole)) == (51, {"job.started", "job.finished"})
    assert whole["job.finished"]["data"] == job
    assert len(whole["job.started"]["data"]["steps"]) == 51
    assert {event["short"] for event in whole.values()} == {False}
    for event in of_steps:
        assert event["short"] is True
        assert event["data"]["steps"] == [steps[event["event"]["step"]]]
        assert event["data"]["progress"]["total"] == 51
        assert len(msgspec.json.encode(event)) < SHORT_BYTES


async def test_a_longer_job_that_failed_is_told_with_its_error(house):
    await house.sandbox.fault("throttle", "*/campaigns", code=368)

    job, posted = await told(house, ads=24)

    (finished,) = [one.event["data"] for one in posted if one.event["type"] == "job.finished"]
    assert (job["status"], finished["status"]) == ("FAILED", "FAILED")
    assert finished == job
    assert finished["error"]["code"] == "account_blocked"


async def test_a_job_is_told_whole_as_long_as_the_message_is_bearable(house):
    bearable, long, endless = [await house.submit(wide(house, sets)) for sets in (10, 20, 28)]
    job = await house.job(bearable)

    bodies = [await body_of(house, one, "job.finished") for one in (bearable, long, endless)]
    step = await body_of(house, bearable, "job.step.done", '{"step": "campaign"}')

    whole, *short = map(msgspec.json.decode, bodies)
    assert (whole["short"], whole["data"]) == (False, job)
    assert SHORT_BYTES < len(bodies[0]) <= LONGEST_MESSAGE
    assert 2022 * FEWEST_BYTES_OF_A_STEP < LONGEST_MESSAGE < 2830 * FEWEST_BYTES_OF_A_STEP
    assert [one["short"] for one in short] == [True, True]
    assert [one["data"]["progress"]["total"] for one in short] == [2022, 2830]
    assert [one["data"]["steps"] for one in short] == [[], []]
    assert msgspec.json.decode(step)["short"] is True
    assert max(map(len, (*bodies[1:], step))) < SHORT_BYTES


def test_no_step_is_shorter_than_is_reckoned():
    least = StepView(name="ad[0][0]", kind="ad", status="DONE", platform_id="1")

    assert len(msgspec.json.encode(least)) + len(",") >= FEWEST_BYTES_OF_A_STEP

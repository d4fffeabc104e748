"""A step that was given up while nobody knew what its call had done is looked up before it is made again."""

from uuid import uuid4

import pytest

from common.errors import Reject, Retry, Unknown, Wait
from models.gen import campaign_jobs
from models.marker import marker
from tests.workers.ledgers import PACE, STEP, Platform
from workers.ledger import MOST_ATTEMPTS
from workers.platforms.base import Done


def unknown():
    return Unknown("no answer came", code="no_answer")


def down():
    return Retry("the platform is down", code="platform_failed")


def forbidden():
    return Reject("the token may not list", code="permission_missing", retryable=True)


async def fail_and_retry(desk):
    """As when the job has ended and its caller asked for a retry."""
    team_id = uuid4()
    await desk.shop.pool.execute(
        "update campaign_jobs set status = 'FAILED', claim_token = null, worker_id = null, "
        "finished_at = now(), team_id = $1",
        team_id,
    )
    assert await campaign_jobs.retry_campaign_job(desk.shop.pool, id=desk.job_id, team_id=team_id)


async def lose_an_answer(desk, platform):
    with pytest.raises((Wait, Reject)) as lost:
        await (await desk.open()).step(STEP, platform.effect, PACE)
    return lost.value


async def test_what_could_not_be_looked_up_in_the_end_is_looked_up_after_a_retry(desk):
    platform = Platform(unknown(), found=[down() for _ in range(MOST_ATTEMPTS)])
    while not isinstance(await lose_an_answer(desk, platform), Reject):
        await desk.age(seconds=100)
    platform.found = [Done("made long ago")]

    await fail_and_retry(desk)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("made long ago")
    assert len(platform.calls) == 1


async def test_what_was_not_allowed_to_be_looked_up_is_looked_up_after_a_retry(desk):
    platform = Platform(unknown(), found=[forbidden(), Done("made long ago")])
    assert isinstance(await lose_an_answer(desk, platform), Reject)

    await fail_and_retry(desk)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("made long ago")
    assert len(platform.calls) == 1


@pytest.mark.parametrize("is_retryable", [True, False])
async def test_whoever_is_told_of_a_refused_look_is_told_where_the_object_may_be(
    desk, is_retryable
):
    """And never to change a request, and send it as a new one, for what he did not ask for himself."""
    refused = Reject(
        "no", code="refused", remedy="Change it.", pointer="/campaign", retryable=is_retryable
    )
    platform = Platform(unknown(), found=[refused])

    await lose_an_answer(desk, platform)

    error = (await desk.open()).error_of(STEP.name)
    assert error is not None
    assert error.retryable
    assert f"[{marker(desk.job_id, STEP.name)}]" in error.remedy
    assert ("Change it." in error.remedy) is is_retryable
    assert (error.pointer is None) is not is_retryable


async def test_what_is_not_found_after_a_retry_is_made_after_two_looks(desk):
    platform = Platform(unknown(), Done("new"), found=[forbidden()])
    await lose_an_answer(desk, platform)

    await fail_and_retry(desk)
    await lose_an_answer(desk, platform)
    await desk.age(seconds=61)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("new")
    assert platform.looks == 3


async def test_what_was_surely_refused_is_made_at_once_after_a_retry(desk):
    platform = Platform(Reject("no", code="refused_by_platform"), Done("new"))
    await lose_an_answer(desk, platform)

    await fail_and_retry(desk)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("new")
    assert platform.looks == 0


async def test_what_was_surely_never_made_is_made_at_once_after_a_retry(desk):
    platform = Platform(unknown(), Done("new"))
    await lose_an_answer(desk, platform)
    await desk.shop.pool.execute("update job_steps set attempt = $1", MOST_ATTEMPTS - 1)
    await desk.age(seconds=61)
    assert isinstance(await lose_an_answer(desk, platform), Reject)

    await fail_and_retry(desk)
    looks = platform.looks
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("new")
    assert platform.looks == looks


def throttled(code="throttled"):
    return Wait("m", code=code, reason="throttled", seconds=60, may_have_happened=True)


async def test_what_a_throttled_call_has_made_all_the_same_is_found(desk):
    platform = Platform(throttled(), found=[Done("made")])
    assert (await lose_an_answer(desk, platform)).reason == "throttled"
    assert (await desk.row()).status == "IN_DOUBT"
    await desk.age(seconds=100)

    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("made")
    assert len(platform.calls) == 1


@pytest.mark.parametrize("code", ["throttled", "throttled_app", "token_rejected"])
async def test_a_wait_that_was_looked_into_is_no_attempt(desk, code):
    platform = Platform(throttled(code), throttled(code), Done("1"))

    for _ in range(2):
        await lose_an_answer(desk, platform)  # the call
        await desk.age(seconds=100)
        await lose_an_answer(desk, platform)  # the first look
        await desk.age(seconds=100)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("1")
    assert (await desk.row()).attempt == 0
    assert (len(platform.calls), platform.looks) == (3, 4)


async def test_a_step_that_need_not_be_looked_for_waits_and_is_in_no_doubt(desk):
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, Platform(throttled()).repeatable, PACE)

    assert (await desk.row()).status == "WAITING"


@pytest.mark.parametrize("code", ["throttled", "token_rejected"])
async def test_a_look_that_must_wait_does_not_make_the_call_before_it_no_attempt(desk, code):
    """Else a step whose every call is unanswered is sent for ever, as long as its looks are throttled."""
    unanswered = [Unknown("no answer came", code="timed_out") for _ in range(MOST_ATTEMPTS)]
    platform = Platform(*unanswered, found=[throttled(code), None, None] * MOST_ATTEMPTS)

    with pytest.raises(Reject) as last:
        for _ in range(4 * MOST_ATTEMPTS):
            try:
                await (await desk.open()).step(STEP, platform.effect, PACE)
            except Wait:
                await desk.age(seconds=100)

    assert last.value.code == "timed_out"
    assert len(platform.calls) == MOST_ATTEMPTS

"""How long a step bears with a platform that is down, and what it is told to be when that was too long."""

import msgspec
import pytest

from common.errors import Reject, Retry, Unknown, Wait
from models.job import JobError
from models.marker import marker
from tests.workers.ledgers import PACE, STEP, Platform
from workers.effects import Pace
from workers.ledger import MOST_ATTEMPTS
from workers.platforms.base import Done

PATIENT = Pace(call_seconds=30, lag_seconds=30, outage_seconds=3600)


def down():
    return Retry("nobody there", code="platform_unreachable", is_outage=True)


async def begun(desk, minutes, reason="retry"):
    """As if the step had been tried, and its job had waited for that reason, for that long."""
    await desk.shop.pool.execute(
        "update job_steps set due_at = null, intent_at = now() - interval '1 minute', "
        "started_at = now() - make_interval(mins => $1)",
        minutes,
    )
    await waited(desk, minutes, reason)


async def waited(desk, minutes, reason="retry"):
    await desk.shop.pool.execute(
        "update campaign_jobs set waiting_reason = $2, waiting_since = now() - make_interval(mins => $1)",
        minutes,
        reason,
    )


async def test_an_outage_costs_no_attempt_and_is_looked_at_ever_more_seldom(desk):
    platform = Platform(*(down() for _ in range(2 * MOST_ATTEMPTS)), Done("1"))
    waits = []

    for minute in range(2 * MOST_ATTEMPTS):
        with pytest.raises(Wait) as wait:
            await (await desk.open()).step(STEP, platform.effect, PATIENT)
        waits.append(wait.value.seconds)
        await begun(desk, minute)
    done = await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert done == Done("1")
    assert waits[0] <= 2
    assert all(60 <= seconds <= 120 for seconds in waits[4:])
    assert (await desk.row()).attempt == 0


async def test_an_outage_of_more_than_an_hour_is_counted(desk):
    platform = Platform(*(down() for _ in range(1 + MOST_ATTEMPTS)))
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    for _ in range(MOST_ATTEMPTS - 1):
        await begun(desk, 61)
        with pytest.raises(Wait):
            await (await desk.open()).step(STEP, platform.effect, PATIENT)
    await begun(desk, 61)
    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert last.value.message == "gave up after 8 attempts: nobody there"


async def test_a_step_that_bears_with_an_outage_says_what_it_meets(desk):
    platform = Platform(down())

    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    error = msgspec.json.decode((await desk.row()).error or "", type=JobError)
    assert (error.code, error.message) == ("platform_unreachable", "nobody there")


async def test_an_outage_counts_at_once_where_none_is_borne_with(desk):
    platform = Platform(down())

    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    assert (await desk.row()).attempt == 1


async def test_what_a_step_waited_for_before_is_no_part_of_an_outage(desk):
    """As a video that is encoded for two hours, each look in its turn."""
    encoded = Wait("not yet", code="media_processing", reason="media_processing", seconds=5)
    platform = Platform(encoded, down())
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    await begun(desk, 120, "media_processing")
    with pytest.raises(Wait) as wait:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert (wait.value.seconds or 0) <= 2
    assert (await desk.row()).attempt == 0


async def test_what_a_job_waited_for_before_a_step_began_is_no_part_of_its_outage(desk):
    platform = Platform(*(down() for _ in range(2)))
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    await begun(desk, 1)
    await waited(desk, 120)
    with pytest.raises(Wait) as wait:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert 30 <= (wait.value.seconds or 0) <= 120
    assert (await desk.row()).attempt == 0


async def test_what_is_no_outage_is_counted_during_one(desk):
    busy = Retry("no", code="creative_not_made")
    platform = Platform(down(), busy)

    for _ in range(2):
        with pytest.raises(Wait):
            await (await desk.open()).step(STEP, platform.effect, PATIENT)
        await begun(desk, 1)

    assert (await desk.row()).attempt == 1


async def test_a_doubt_is_borne_with_for_an_hour_from_the_call_on(desk):
    """A look writes no intent, so the first one says how long it has been."""
    platform = Platform(Unknown("lost", code="no_answer"), found=[down() for _ in range(4)])
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    await desk.age(minutes=45)
    await waited(desk, 45)
    with pytest.raises(Wait) as patient:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)
    before = await desk.row()
    await desk.age(minutes=61)
    await waited(desk, 61)
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert 60 <= (patient.value.seconds or 0) <= 120
    assert (before.status, before.attempt) == ("IN_DOUBT", 0)
    assert (await desk.row()).attempt == 1


@pytest.mark.parametrize("remedy", ["Nothing; the job tries again by itself.", ""])
async def test_a_step_that_was_given_up_does_not_say_that_it_goes_on(desk, remedy):
    platform = Platform(*(Retry("no", code="x", remedy=remedy) for _ in range(2)))
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)
    await desk.age(seconds=0)
    await desk.shop.pool.execute("update job_steps set attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert last.value.remedy == "Ask for a retry when the platform is well again."


async def test_a_step_that_was_given_up_in_doubt_says_where_to_look(desk):
    found = [Retry("no", code="x") for _ in range(2)]
    platform = Platform(Unknown("lost", code="no_answer"), found=found)
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PATIENT)
    await desk.age(seconds=0)
    await desk.shop.pool.execute("update job_steps set attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, platform.effect, PATIENT)

    assert f"[{marker(desk.job_id, STEP.name)}]" in last.value.remedy

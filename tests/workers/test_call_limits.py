"""A step in doubt is made anew when the call that was sent must be over, whoever follows its worker."""

import msgspec
import pytest

from common import clock
from common.errors import ClaimLost, Retry, Wait
from tests.workers.ledgers import PACE, STEP, Platform, is_left
from workers.platforms.base import Done
from workers.writes import Intent, write_intents

PATIENT = msgspec.structs.replace(PACE, call_seconds=120)
HASTY = msgspec.structs.replace(PACE, call_seconds=20)


def cut_off():
    """What leaves a row as a killed worker does."""
    return ClaimLost("the worker is gone", code="claim_lost")


def intent(job, name, call_seconds, read=None):
    token = None if read is None else read.claim_token
    return Intent(job.id, job.claim_token, name, 0, "campaign", 0, b"", token, call_seconds)


async def leave_in_flight(desk, platform, pace):
    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, platform.effect, pace)


async def wait_of(desk, platform, pace):
    with pytest.raises(Wait) as waits:
        await (await desk.open()).step(STEP, platform.effect, pace)
    return waits.value.seconds


@pytest.mark.parametrize(("dead", "follower"), [(PATIENT, HASTY), (HASTY, PATIENT)])
async def test_a_follower_waits_as_long_as_the_call_of_the_dead_may_take_and_as_its_own_may(
    desk, dead, follower
):
    platform = Platform(cut_off(), Done("new"))
    began_at = clock.seconds()
    await leave_in_flight(desk, platform, dead)

    wait = await wait_of(desk, platform, follower)
    await desk.age(seconds=149)
    last_wait = await wait_of(desk, platform, follower)
    calls_before = len(platform.calls)
    await desk.age(seconds=150)
    done = await (await desk.open()).step(STEP, platform.effect, follower)

    assert is_left(wait, 120 + PACE.lag_seconds, began_at)
    assert last_wait == PACE.lag_seconds
    assert calls_before == 1
    assert done == Done("new")


async def test_what_a_worker_of_before_has_begun_may_be_at_work_for_ten_minutes(desk):
    """It does not say how long, and may do so until all workers are new."""
    platform = Platform(Done("new"))
    job_id = await desk.shop.job(await desk.shop.account())
    desk.job_id = job_id
    await desk.shop.pool.execute(
        "insert into job_steps (campaign_job_id, name, position, kind, status, claim_token, "
        "intent_at, started_at) "
        "values ($1, 'campaign', 0, 'campaign', 'RUNNING', gen_random_uuid(), now(), now())",
        job_id,
    )
    await wait_of(desk, platform, PACE)
    await desk.age(seconds=600)

    await wait_of(desk, platform, PACE)
    calls_before = len(platform.calls)
    await desk.age(seconds=630)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert calls_before == 0
    assert done == Done("new")


async def test_a_step_tells_how_long_its_latest_call_may_take_and_never_less(desk):
    platform = Platform(Retry("nothing was sent", code="platform_unreachable"), cut_off())
    await wait_of(desk, platform, PATIENT)
    told_first = (await desk.row()).call_seconds
    await desk.age()

    await leave_in_flight(desk, platform, msgspec.structs.replace(PACE, call_seconds=20.25))

    assert told_first == 120
    assert (await desk.row()).call_seconds == 21


async def test_each_step_of_a_flush_tells_its_own_limit_also_one_that_begins_again(
    shop, connection
):
    live, sandbox = [await shop.claimed() for _ in range(2)]
    steps = [intent(live, "campaign", 30), intent(sandbox, "campaign", 3)]
    await write_intents(connection, steps)
    told_first = await limits(shop)

    answers = await write_intents(
        connection, [intent(live, "campaign", 120, live), intent(sandbox, "ad_set[0]", 4)]
    )

    assert told_first == {(live.id, "campaign"): 30, (sandbox.id, "campaign"): 3}
    assert answers == [True, True]
    assert await limits(shop) == {
        (live.id, "campaign"): 120,
        (sandbox.id, "campaign"): 3,
        (sandbox.id, "ad_set[0]"): 4,
    }


async def limits(shop):
    rows = await shop.pool.fetch("select campaign_job_id, name, call_seconds from job_steps")
    return {(row["campaign_job_id"], row["name"]): row["call_seconds"] for row in rows}

"""What a ledger knows of its job within one run, and what it tells the job's other readers."""

import msgspec
import pytest

from common import clock
from common.errors import Reject, Retry, Unknown, Wait
from models.plan import PlannedStep
from tests.workers.ledgers import PACE, STEP, Platform, is_left
from workers.effects import Effect, Pace
from workers.ledger import Ledger
from workers.platforms.base import Done

AT_ONCE = Pace(call_seconds=0, lag_seconds=0, longest_wait_seconds=0)
OTHER = PlannedStep("ad_set[0]", "ad_set", 1)


async def waited(ledger, platform, pace=AT_ONCE):
    with pytest.raises(Wait) as wait:
        await ledger.step(STEP, platform.effect, pace)
    return wait.value


async def test_time_goes_on_while_a_job_is_run(desk, writes):
    job = await desk.shop.claimed()

    ledger = Ledger(job, job.request.payload, (), writes, claimed_at=clock.seconds() - 100)

    assert 100 <= (ledger.now() - job.claimed_at).total_seconds() < 200


async def test_what_a_job_has_made_is_told_by_kind(desk):
    ledger = await desk.open()
    await ledger.step(STEP, Platform(Done("1")).effect, PACE)
    with pytest.raises(Reject):
        await ledger.step(OTHER, Platform(Reject("no", code="no")).effect, PACE)

    assert ledger.has_done({"campaign", "ad"})
    assert not ledger.has_done({"ad_set", "ad"})


async def test_a_step_begins_with_no_progress_at_all(desk):
    platform = Platform(Done("1"))

    await (await desk.open()).step(STEP, platform.effect, PACE)

    assert platform.calls[0].progress == {}


async def test_an_unanswered_call_of_an_old_job_may_be_at_work_as_long_as_any_other(desk):
    await desk.open()
    await desk.shop.pool.execute("update campaign_jobs set created_at = now() - interval '1 day'")
    began_at = clock.seconds()

    wait = await waited(await desk.open(), Platform(Unknown("lost", code="lost")), PACE)

    assert is_left(wait.seconds, 60, began_at)


async def test_tries_of_one_run_are_counted_one_by_one(desk):
    ledger = await desk.open()
    platform = Platform(Retry("busy", code="busy"), Retry("busy", code="busy"))

    await waited(ledger, platform)
    await waited(ledger, platform)

    assert (await desk.row()).attempt == 2


async def test_looks_of_one_run_are_counted_one_by_one(desk):
    ledger = await desk.open()
    platform = Platform(Unknown("lost", code="lost"), Done("2"))
    await waited(ledger, platform)

    done = await ledger.step(STEP, platform.effect, AT_ONCE)

    assert done == Done("2")
    assert platform.looks == 2


async def test_a_step_tells_its_end_to_the_team_of_its_job(desk, shop):
    desk.job_id = await shop.job(await shop.account())
    team = await shop.value("select gen_random_uuid()")
    await shop.pool.execute("update campaign_jobs set team_id = $1", team)

    await (await desk.open()).step(STEP, Platform(Done("1")).effect, PACE)

    told = await shop.value("select team_id from job_events where kind = 'job.step.done'")
    assert told == team


async def test_a_step_that_is_done_makes_an_earlier_rescue_count_no_more(desk, shop):
    await desk.open()
    ledger = await desk.open()
    rescues = await shop.value("select rescues from campaign_jobs")

    await ledger.step(STEP, Platform(Done("1")).effect, PACE)

    assert rescues == 1
    assert await shop.value("select rescues from campaign_jobs") == 0


async def test_steps_of_a_job_that_nobody_died_on_leave_its_row_alone(desk, shop):
    ledger = await desk.open()
    place = await shop.value("select ctid::text from campaign_jobs")

    await ledger.step(STEP, Platform(Done("1")).effect, PACE)

    assert await shop.value("select ctid::text from campaign_jobs") == place


async def test_a_look_has_as_long_as_a_call_from_its_own_beginning(desk):
    trials = []

    async def find(trial):
        trials.append(trial)
        return Done("1")

    before = clock.seconds()
    effect = Effect(Platform(Unknown("lost", code="lost")).perform, find)
    await (await desk.open()).step(STEP, effect, msgspec.structs.replace(PACE, call_seconds=20))

    assert before + 20 <= trials[0].write_deadline <= clock.seconds() + 20

"""The code words by which a step says why it went no further, and what of an error outlasts a restart."""

import pytest

from common import clock
from common.errors import ClaimLost, Reject, Unknown, Wait
from models.gen import campaign_jobs
from models.plan import PlannedStep
from tests.workers.ledgers import PACE, STEP, Platform, is_left
from workers.effects import Effect, Stopping
from workers.ledger import MOST_ATTEMPTS
from workers.platforms.base import Done

UPSTREAM = {"platform": "META", "code": 2, "message": "Try later"}


async def test_a_step_that_a_stopping_worker_does_not_begin_says_stopping(desk):
    ledger = await desk.open(is_stopping=lambda: True)

    with pytest.raises(Stopping) as refused:
        await ledger.step(STEP, Platform(Done("1")).effect, PACE)

    assert refused.value.code == "stopping"
    assert " " in refused.value.message


async def test_a_step_of_a_job_that_was_taken_away_says_stopping(desk):
    ledger = await desk.open()
    await desk.open()

    with pytest.raises(Stopping) as refused:
        await ledger.step(STEP, Platform(Done("1")).effect, PACE)

    assert refused.value.code == "stopping"
    assert " " in refused.value.message


async def test_an_answer_that_comes_after_another_worker_began_the_step_says_claim_lost(desk):
    ledger = await desk.open()

    async def slow(trial):
        await desk.age(seconds=0)
        await (await desk.open()).step(STEP, Platform(Done("new")).repeatable, PACE)
        return Done("old")

    with pytest.raises(ClaimLost) as lost:
        await ledger.step(STEP, Effect(slow), PACE)

    assert lost.value.code == "claim_lost"
    assert " " in lost.value.message


async def test_giving_up_after_a_restart_repeats_the_whole_error_that_was_met_before(desk):
    """What the platform said stands in the row alone by then."""
    error = Unknown("nothing came", code="timed_out", remedy="Wait.", upstream=UPSTREAM)
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, Platform(error).effect, PACE)
    await desk.age(seconds=100)
    await desk.shop.pool.execute("update job_steps set attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, Platform().effect, PACE)

    assert last.value.message == "gave up after 8 attempts: nothing came"
    assert (last.value.code, last.value.remedy) == ("timed_out", "Wait.")
    assert last.value.upstream is not None
    assert UPSTREAM.items() <= last.value.upstream.items()


async def test_giving_up_a_doubt_without_any_error_blames_no_platform(desk):
    async def die(trial):
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(die), PACE)
    await desk.age(seconds=500)
    await desk.shop.pool.execute("update job_steps set looks = 1, attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject):
        await (await desk.open()).step(STEP, Platform().effect, PACE)

    told = (await desk.open()).error_of("campaign")
    assert told.upstream is None


async def test_a_step_that_waits_is_not_tried_again_in_the_same_run(desk):
    """Its time stands in the row as this run remembers it, too."""
    ledger = await desk.open()
    platform = Platform(Wait("encoding", code="encoding", reason="media_processing", seconds=60))
    began_at = clock.seconds()
    with pytest.raises(Wait):
        await ledger.step(STEP, platform.effect, PACE)

    with pytest.raises(Wait) as again:
        await ledger.step(STEP, platform.effect, PACE)

    assert (again.value.code, again.value.reason) == ("encoding", "retry")
    assert is_left(again.value.seconds, 60, began_at)
    assert len(platform.calls) == 1


async def test_a_step_that_failed_is_not_tried_again_in_the_same_run(desk):
    ledger = await desk.open()
    platform = Platform(Reject("no such page", code="page_missing"))
    with pytest.raises(Reject):
        await ledger.step(STEP, platform.effect, PACE)

    with pytest.raises(Reject) as again:
        await ledger.step(STEP, platform.effect, PACE)

    assert (again.value.message, again.value.code) == ("no such page", "page_missing")
    assert len(platform.calls) == 1


async def test_a_step_in_doubt_is_not_sent_again_in_the_same_run(desk):
    ledger = await desk.open()
    platform = Platform(Unknown("nothing came", code="timed_out"))
    with pytest.raises(Wait):
        await ledger.step(STEP, platform.effect, PACE)

    with pytest.raises(Wait) as again:
        await ledger.step(STEP, platform.effect, PACE)

    assert (again.value.code, again.value.reason) == ("timed_out", "in_doubt")
    assert len(platform.calls) == 1


async def test_a_step_asked_for_by_a_caller_who_wants_the_job_to_stop_says_stopping(desk, shop):
    ledger = await desk.open()
    team = await shop.value("select gen_random_uuid()")
    await shop.pool.execute("update campaign_jobs set team_id = $1", team)
    await ledger.step(STEP, Platform(Done("1")).effect, PACE)
    await campaign_jobs.cancel_campaign_job(shop.pool, id=desk.job_id, team_id=team)

    with pytest.raises(Stopping) as refused:
        await ledger.step(PlannedStep("ad_set[0]", "ad_set", 1), Platform(Done("2")).effect, PACE)

    assert refused.value.code == "stopping"
    assert " " in refused.value.message


async def test_what_was_found_is_written_down_whole(desk):
    """So that a later run has it without another look."""
    found = Done("7", {"thumbnail_url": "x"})
    platform = Platform(Unknown("nothing came", code="timed_out"), found=[found])
    await (await desk.open()).step(STEP, platform.effect, PACE)

    later = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert later == found
    assert platform.looks == 1
    assert (await desk.row()).platform_id == "7"


async def test_an_effect_that_stops_leaves_its_step_as_it_stands_and_is_looked_up_first(desk):
    async def stop(trial):
        raise Stopping("enough", code="stopping")

    ledger = await desk.open()
    with pytest.raises(Stopping):
        await ledger.step(STEP, Effect(stop), PACE)
    left = (await desk.row()).status
    platform = Platform(found=[Done("made all the same")])

    done = await ledger.step(STEP, platform.effect, PACE)

    assert left == "RUNNING"
    assert done == Done("made all the same")
    assert platform.calls == []

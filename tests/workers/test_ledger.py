"""A step is done once: intent, call, outcome, and what follows when one of them is missing."""

import asyncio

import msgspec
import pytest

from common import clock
from common.errors import ClaimLost, Reject, Retry, Unknown, Wait
from models.gen import campaign_jobs
from tests.workers.ledgers import PACE, STEP, Platform, is_left
from workers.effects import Effect, Stopping
from workers.ledger import MOST_ATTEMPTS
from workers.platforms.base import Done
from workers.presence import Presence


def unknown():
    return Unknown("no answer came", code="timed_out")


async def test_a_finished_step_returns_its_recorded_output(desk):
    platform = Platform(Done("123", {"thumbnail_url": "x"}))
    ledger = await desk.open()

    first = await ledger.step(STEP, platform.effect, PACE)
    again = await ledger.step(STEP, platform.effect, PACE)
    later = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert first == again == later == Done("123", {"thumbnail_url": "x"})
    assert len(platform.calls) == 1
    assert (await desk.row()).status == "DONE"


async def test_the_intent_is_durable_before_the_call(desk):
    seen = []

    async def perform(trial):
        seen.append((await desk.row()).status)
        return Done("1")

    await (await desk.open()).step(STEP, Effect(perform), PACE)

    assert seen == ["RUNNING"]


async def test_an_unanswered_call_that_took_effect_is_found_at_once(desk):
    platform = Platform(unknown(), found=[Done("7")])

    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("7")
    assert (len(platform.calls), platform.looks) == (1, 1)


async def test_after_an_unanswered_call_nothing_is_sent_before_every_earlier_call_must_be_over(
    desk,
):
    platform = Platform(unknown(), Done("8"))
    began_at = clock.seconds()

    with pytest.raises(Wait) as first:
        await (await desk.open()).step(STEP, platform.effect, PACE)
    is_whole = is_left(first.value.seconds, 60, began_at)
    await desk.age(seconds=50)
    with pytest.raises(Wait) as second:
        await (await desk.open()).step(STEP, platform.effect, PACE)
    calls_so_far = len(platform.calls)
    await desk.age(seconds=61)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert first.value.reason == second.value.reason == "in_doubt"
    assert is_whole
    assert calls_so_far == 1
    assert done == Done("8")
    assert platform.looks == 3
    assert (await desk.row()).attempt == 1


async def test_a_late_effect_is_found_by_the_second_look(desk):
    platform = Platform(unknown(), found=[None, Done("late")])

    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)
    await desk.age(seconds=61)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("late")
    assert len(platform.calls) == 1


async def test_what_a_dead_worker_left_running_is_looked_up_twice_before_it_is_repeated(desk):
    async def die(trial):
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(die), PACE)
    assert (await desk.row()).status == "RUNNING"
    platform = Platform(Done("9"))

    await desk.age(seconds=100)
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)
    await desk.age(seconds=200)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("9")
    assert platform.looks == 2
    assert (await desk.row()).attempt == 1


async def test_a_step_that_may_be_repeated_is_not_looked_up(desk):
    platform = Platform(unknown(), Done("hash"))

    with pytest.raises(Wait) as wait:
        await (await desk.open()).step(STEP, platform.repeatable, PACE)
    await desk.age(seconds=0)
    done = await (await desk.open()).step(STEP, platform.repeatable, PACE)

    assert wait.value.reason == "retry"
    assert done == Done("hash")
    assert platform.looks == 0
    assert (await desk.row()).attempt == 1


async def test_a_retry_counts_and_waits_ever_longer_then_gives_up(desk):
    refused = [Retry("refused", code="connection_refused") for _ in range(MOST_ATTEMPTS)]
    platform = Platform(*refused)
    waits = []

    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Wait) as wait:
            await (await desk.open()).step(STEP, platform.effect, PACE)
        waits.append(wait.value.seconds)
        await desk.age(seconds=0)
    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, platform.effect, PACE)

    assert waits[0] <= 2 < waits[3] < waits[6]
    assert last.value.code == "connection_refused"
    assert last.value.retryable
    assert (await desk.row()).status == "FAILED"


async def test_a_doubt_that_never_ends_well_gives_up_too(desk):
    platform = Platform(*(unknown() for _ in range(MOST_ATTEMPTS)))

    for _ in range(3 * MOST_ATTEMPTS):
        try:
            await (await desk.open()).step(STEP, platform.effect, PACE)
        except Wait:
            await desk.age(seconds=100)
        except Reject as last:
            assert last.code == "timed_out"
            break

    assert len(platform.calls) == MOST_ATTEMPTS
    assert (await desk.row()).status == "FAILED"


async def test_a_retry_after_a_whole_day_is_the_last(desk):
    platform = Platform(Retry("refused", code="x"), Retry("refused", code="x"))
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)
    await desk.age(seconds=0)
    await desk.shop.pool.execute("update job_steps set started_at = now() - interval '25 hours'")

    with pytest.raises(Reject):
        await (await desk.open()).step(STEP, platform.effect, PACE)


async def test_waiting_costs_no_attempt(desk):
    throttle = [
        Wait("slow down", code="throttled", reason="throttled", seconds=60) for _ in range(20)
    ]
    platform = Platform(*throttle, Done("1"))

    for _ in range(20):
        with pytest.raises(Wait):
            await (await desk.open()).step(STEP, platform.effect, PACE)
        await desk.age(seconds=0)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("1")
    assert (await desk.row()).attempt == 0


async def test_a_step_is_not_tried_before_its_own_time(desk):
    platform = Platform(Wait("encoding", code="encoding", reason="media_processing", seconds=60))
    began_at = clock.seconds()
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    with pytest.raises(Wait) as again:
        await (await desk.open()).step(STEP, platform.effect, PACE)

    assert is_left(again.value.seconds, 60, began_at)
    assert len(platform.calls) == 1


async def test_sandbox_accounts_never_wait_long(desk):
    brief = msgspec.structs.replace(PACE, longest_wait_seconds=2)
    platform = Platform(Wait("slow", code="throttled", reason="throttled", seconds=300))

    with pytest.raises(Wait) as wait:
        await (await desk.open()).step(STEP, platform.effect, brief)

    assert wait.value.seconds == 2


async def test_a_refused_step_stays_refused(desk):
    platform = Platform(Reject("no such page", code="page_missing", remedy="Name another page."))
    with pytest.raises(Reject):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    ledger = await desk.open()
    with pytest.raises(Reject):
        await ledger.step(STEP, platform.effect, PACE)

    error = ledger.error_of("campaign")
    assert error is not None
    assert (error.step, error.code, error.remedy) == (
        "campaign",
        "page_missing",
        "Name another page.",
    )
    assert len(platform.calls) == 1


async def test_progress_is_durable_and_comes_back_after_a_crash(desk):
    async def begin(trial):
        await trial.save({"upload_session_id": "s1"})
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(begin), PACE)
    platform = Platform(Done("1"))
    await (await desk.open()).step(STEP, platform.repeatable, PACE)

    assert platform.calls[0].progress == {"upload_session_id": "s1"}


async def test_a_step_of_many_calls_goes_no_further_when_its_job_was_taken_and_cancelled(
    desk, shop
):
    """A worker that slept through all of it would set a campaign ACTIVE after somebody stopped it."""
    ledger, went_on = await desk.open(), []
    team = await shop.value(
        "update campaign_jobs set team_id = gen_random_uuid() returning team_id"
    )

    async def activate(trial):
        await trial.save({"activated": 1})
        await shop.free()
        await campaign_jobs.cancel_campaign_job(shop.pool, id=desk.job_id, team_id=team)
        await trial.save({"activated": 2})
        went_on.append(trial)
        return Done("1")

    with pytest.raises(ClaimLost):
        await ledger.step(STEP, Effect(activate), PACE)

    assert went_on == []
    assert await shop.value("select outcome ->> 'activated' from job_steps") == "1"


async def test_after_a_silence_a_step_goes_on_when_the_database_was_asked_for_its_job_again(
    desk, shop, connection
):
    """Heard again, a worker may still have lost it."""
    presence = Presence(shop.url, shop.worker_id, renew_seconds=5, trust_seconds=20)
    await presence._renew(connection)
    met = []

    async def go_on(trial):
        trial.guard()
        presence._renewed_at -= 25
        await presence._renew(connection)
        presence.guard()
        with pytest.raises(ClaimLost) as silence:
            trial.guard()
        met.append(silence.value.code)
        await trial.save({"activated": 1})
        trial.guard()
        return Done("1")

    ledger = await desk.open(guard_from_now=presence.guard_from_now)
    await ledger.step(STEP, Effect(go_on), PACE)

    assert met == ["out_of_touch"]


async def test_a_worker_whose_claim_was_taken_begins_nothing(desk):
    ledger = await desk.open()
    await desk.open()
    platform = Platform(Done("1"))

    with pytest.raises(Stopping):
        await ledger.step(STEP, platform.effect, PACE)

    assert platform.calls == []


async def test_a_process_given_its_lost_job_again_calls_once_for_both_runs(desk):
    lost, present = await desk.open(), await desk.open()
    platform = Platform(Done("1"), Done("2"))

    answers = await asyncio.gather(
        *(ledger.step(STEP, platform.effect, PACE) for ledger in (lost, present)),
        return_exceptions=True,
    )

    assert len(platform.calls) == 1
    assert isinstance(answers[0], Stopping)
    assert answers[1] == Done("1")


async def test_a_late_answer_to_a_worker_whose_step_was_begun_again_is_not_written(desk):
    ledger = await desk.open()
    other = Platform(Done("new"))

    async def slow(trial):
        await desk.age(seconds=0)
        await (await desk.open()).step(STEP, other.repeatable, PACE)
        return Done("old")

    with pytest.raises(ClaimLost):
        await ledger.step(STEP, Effect(slow), PACE)

    assert (await desk.row()).platform_id == "new"


async def test_a_job_asked_to_stop_begins_no_step(desk, shop):
    ledger = await desk.open()
    team = await shop.value("select gen_random_uuid()")
    await shop.pool.execute("update campaign_jobs set team_id = $1", team)
    await campaign_jobs.cancel_campaign_job(shop.pool, id=desk.job_id, team_id=team)
    platform = Platform(Done("1"))

    with pytest.raises(Stopping):
        await ledger.step(STEP, platform.effect, PACE)

    assert platform.calls == []


async def test_a_stopping_worker_begins_no_step(desk):
    platform = Platform(Done("1"))

    with pytest.raises(Stopping):
        await (await desk.open(is_stopping=lambda: True)).step(STEP, platform.effect, PACE)

    assert platform.calls == []


async def test_our_own_bug_leaves_the_step_in_doubt(desk):
    platform = Platform(ZeroDivisionError("oops"), found=[Done("made before the bug")])

    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("made before the bug")


async def test_a_failed_look_keeps_the_step_in_doubt(desk):
    platform = Platform(unknown(), found=[Retry("502", code="server_error")])

    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    assert (await desk.row()).status == "IN_DOUBT"


async def test_foreign_text_that_the_database_cannot_hold_is_cleaned(desk):
    nasty = "a\x00b\ud800" + "x" * 10_000
    platform = Platform(Reject(nasty, code="bad", upstream={"platform": "META", "message": nasty}))

    with pytest.raises(Reject):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    error = msgspec.json.decode((await desk.row()).error)
    assert error["message"].startswith("ab?x")
    assert len(error["upstream"]["message"]) <= 4096


async def test_facts_of_steps_are_told(desk, shop):
    await (await desk.open()).step(STEP, Platform(Done("5")).effect, PACE)

    rows = await shop.pool.fetch("select kind, data ->> 'platform_id' from job_events order by id")
    assert [tuple(row) for row in rows] == [("job.started", None), ("job.step.done", "5")]

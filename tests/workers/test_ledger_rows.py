"""What a step leaves in its row and what it tells, to the letter: waits, reasons, codes, times."""

import hashlib

import msgspec
import pytest

from common import clock
from common.errors import ClaimLost, Reject, Retry, Unknown, Wait
from models.plan import PlannedStep
from tests.workers.ledgers import PACE, STEP, Platform, is_left
from workers.effects import Effect
from workers.ledger import MOST_ATTEMPTS
from workers.platforms.base import Done

BRIEF = msgspec.structs.replace(PACE, longest_wait_seconds=2)
UPSTREAM = {"platform": "META", "code": 2, "message": "Try later"}


async def waited(desk, platform, pace=PACE, effect=None):
    """The Wait that the step ends with."""
    ledger = await desk.open()
    with pytest.raises(Wait) as wait:
        await ledger.step(STEP, effect or platform.effect, pace)
    return wait.value


def wait_for(reason, seconds):
    return Wait("wait", code="x", reason=reason, seconds=seconds)


async def test_a_dead_token_waits_seven_days_and_may_be_woken_at_any_moment(desk):
    platform = Platform(wait_for("reauth_required", None), Done("1"))

    wait = await waited(desk, platform, BRIEF)
    row = await desk.row()
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert wait.seconds == 604_800
    assert (row.status, row.due_at, row.attempt) == ("WAITING", None, 0)
    assert done == Done("1")


async def test_a_wait_of_no_said_length_lasts_an_hour(desk):
    assert (await waited(desk, Platform(wait_for("throttled", None)))).seconds == 3600


async def test_a_retry_waits_as_long_as_the_platform_wishes(desk):
    platform = Platform(Retry("busy", code="busy", after=77))

    wait = await waited(desk, platform)

    assert (wait.seconds, wait.code, wait.reason) == (77, "busy", "retry")
    assert wait.message == "busy"
    assert (await desk.row()).status == "WAITING"


async def test_a_retry_of_a_sandbox_account_waits_briefly(desk):
    assert (await waited(desk, Platform(Retry("b", code="b", after=77)), BRIEF)).seconds == 2


async def test_a_step_that_waits_says_what_it_has_met(desk):
    platform = Platform(Retry("busy", code="busy", after=77))
    began_at = clock.seconds()
    await waited(desk, platform)

    again = await waited(desk, platform)

    assert (again.code, again.reason) == ("busy", "retry")
    assert is_left(again.seconds, 77, began_at)
    assert len(platform.calls) == 1


async def test_a_step_in_doubt_says_so_while_it_waits(desk):
    platform = Platform(Unknown("nothing came", code="timed_out"))
    first = await waited(desk, platform)

    again = await waited(desk, platform)

    assert first.code == "in_doubt"
    assert (again.code, again.reason) == ("timed_out", "in_doubt")
    assert platform.looks == 1


async def test_a_look_that_found_nothing_is_counted_and_keeps_what_was_met(desk):
    await waited(desk, Platform(Unknown("nothing came", code="timed_out")))

    row = await desk.row()

    assert (row.status, row.looks, row.attempt) == ("IN_DOUBT", 1, 0)
    assert msgspec.json.decode(row.error)["code"] == "timed_out"


async def test_the_second_look_comes_when_lists_have_caught_up(desk):
    async def die(trial):
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(die), PACE)
    await desk.age(seconds=500)

    wait = await waited(desk, Platform())

    assert wait.seconds == PACE.lag_seconds
    assert (wait.code, wait.reason) == ("in_doubt", "in_doubt")
    again = await waited(desk, Platform())
    assert (again.code, again.reason) == ("not_yet", "in_doubt")


async def test_a_step_of_workers_that_always_die_ends_without_an_answer(desk):
    async def die(trial):
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(die), PACE)
    await desk.age(seconds=500)
    await desk.shop.pool.execute("update job_steps set looks = 1, attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, Platform().effect, PACE)

    assert (last.value.code, last.value.retryable) == ("no_answer", True)
    assert "no answer" in last.value.message
    assert (await desk.row()).attempt == MOST_ATTEMPTS == 8


async def test_giving_up_shows_the_last_error_whole(desk):
    error = Retry("busy", code="busy", remedy="Wait.", upstream=UPSTREAM, pointer="/campaign")
    await waited(desk, Platform(error))
    await desk.age(seconds=0)
    await desk.shop.pool.execute("update job_steps set attempt = $1", MOST_ATTEMPTS - 1)

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, Platform(error).effect, PACE)

    given_up = (await desk.open()).error_of("campaign")
    assert last.value.message == "gave up after 8 attempts: busy"
    assert (given_up.code, given_up.remedy, given_up.pointer) == ("busy", "Wait.", "/campaign")
    assert (given_up.upstream.platform, given_up.upstream.code) == ("META", 2)
    assert given_up.retryable


async def test_giving_up_without_a_remedy_names_one(desk):
    await waited(desk, Platform(Retry("busy", code="busy")))
    await desk.age(seconds=0)
    await desk.shop.pool.execute(
        "update job_steps set started_at = now() - interval '24 hours 1 minute'"
    )

    with pytest.raises(Reject) as last:
        await (await desk.open()).step(STEP, Platform(Retry("b", code="b")).effect, PACE)

    assert last.value.remedy


async def test_within_a_day_a_step_is_not_given_up(desk):
    await waited(desk, Platform(Retry("busy", code="busy")))
    await desk.age(seconds=0)
    await desk.shop.pool.execute(
        "update job_steps set started_at = now() - interval '23 hours 58 minutes'"
    )

    await waited(desk, Platform(Retry("busy", code="busy")))

    assert (await desk.row()).attempt == 2


async def test_a_refused_step_is_refused_with_its_own_words(desk):
    platform = Platform(Reject("no such page", code="page_missing"))
    with pytest.raises(Reject):
        await (await desk.open()).step(STEP, platform.effect, PACE)

    with pytest.raises(Reject) as again:
        await (await desk.open()).step(STEP, platform.effect, PACE)

    assert (again.value.message, again.value.code) == ("no such page", "page_missing")


async def test_the_row_says_which_step_of_which_request_it_is(desk):
    ledger = await desk.open()
    await ledger.step(PlannedStep("ad[0][0]", "ad", 5), Platform(Done("3")).effect, PACE)

    row = await desk.row()

    assert (row.name, row.kind, row.position) == ("ad[0][0]", "ad", 5)
    assert (row.platform_id, row.looks, row.attempt, row.error) == ("3", 0, 0, None)
    assert row.request_digest == hashlib.sha256(b"{}").digest()


async def test_a_call_must_end_within_its_time_from_before_the_intent(desk):
    ledger = await desk.open()
    platform = Platform(Done("1"))
    before = clock.seconds()

    await ledger.step(STEP, platform.effect, PACE)

    deadline = platform.calls[0].write_deadline
    assert before + PACE.call_seconds <= deadline <= clock.seconds() + PACE.call_seconds


async def test_what_other_steps_brought_is_known_and_what_failed_is_told_apart(desk):
    ledger = await desk.open()
    other = PlannedStep("ad_set[0]", "ad_set", 1)

    await ledger.step(STEP, Platform(Done("1")).effect, PACE)
    with pytest.raises(Reject):
        await ledger.step(other, Platform(Reject("no", code="no")).effect, PACE)

    assert ledger.outcomes == {"campaign": Done("1")}
    assert ledger.error_of("campaign") is None
    assert ledger.error_of("nobody") is None
    assert ledger.error_of("ad_set[0]").code == "no"


async def test_the_ledgers_clock_is_the_databases_and_never_ahead_of_it(desk):
    ledger = await desk.open()

    now = ledger.now()
    behind = await desk.shop.value("select clock_timestamp()") - now

    assert 0 <= behind.total_seconds() < 30


async def test_an_error_of_our_own_is_told_by_its_kind_and_not_by_its_text(desk):
    await waited(desk, Platform(ZeroDivisionError("secret")))

    error = msgspec.json.decode((await desk.row()).error)

    assert error["code"] == "internal_error"
    assert "ZeroDivisionError" in error["message"]
    assert "secret" not in error["message"]


async def test_progress_outlasts_a_wait(desk):
    async def begin(trial):
        await trial.save({"session": "s1"})
        raise wait_for("media_processing", 5)

    await waited(desk, None, effect=Effect(begin))
    await desk.age(seconds=0)
    platform = Platform(Done("1"))
    await (await desk.open()).step(STEP, platform.repeatable, PACE)

    assert platform.calls[0].progress == {"session": "s1"}


async def test_progress_is_kept_within_a_run_too(desk):
    ledger = await desk.open()

    async def begin(trial):
        await trial.save({"session": "s1"})
        raise wait_for("reauth_required", None)

    with pytest.raises(Wait):
        await ledger.step(STEP, Effect(begin), PACE)
    platform = Platform(Done("1"))
    await ledger.step(STEP, platform.repeatable, PACE)

    assert platform.calls[0].progress == {"session": "s1"}


async def test_a_step_begun_again_keeps_its_first_time(desk):
    await waited(desk, Platform(Retry("busy", code="busy")))
    first = (await desk.row()).started_at
    await desk.age(seconds=0)

    await (await desk.open()).step(STEP, Platform(Done("1")).effect, PACE)

    assert (await desk.row()).started_at == first


async def test_what_steps_brought_is_read_once_however_often_it_is_looked_at(desk):
    ledger = await desk.open()
    await ledger.step(STEP, Platform(Done("1", {"a": "b"})).effect, PACE)
    first = ledger.outcomes["campaign"]

    later = await desk.open()

    assert ledger.outcomes["campaign"] is first
    assert later.outcomes["campaign"] is later.outcomes["campaign"]
    assert later.outcomes == {"campaign": Done("1", {"a": "b"})}


async def left_alone_for_days(desk):
    """As if the account's token had been dead, or every worker down, since the last try."""
    await desk.shop.pool.execute(
        "update job_steps set started_at = started_at - interval '3 days', "
        "intent_at = intent_at - interval '3 days', due_at = due_at - interval '3 days'"
    )


async def test_days_in_which_nobody_tried_are_none_of_the_hours_of_a_step(desk):
    dead = Wait("expired", code="token_rejected", reason="reauth_required", seconds=None)
    await waited(desk, Platform(dead))
    await left_alone_for_days(desk)

    await waited(desk, Platform(Retry("busy", code="busy")))
    await desk.age(seconds=0)
    await waited(desk, Platform(Retry("busy", code="busy")))

    assert (await desk.row()).attempt == 2


async def test_a_doubt_from_before_the_weekend_is_no_reason_to_give_up(desk):
    async def die(trial):
        raise ClaimLost("killed here", code="test")

    with pytest.raises(ClaimLost):
        await (await desk.open()).step(STEP, Effect(die), PACE)
    await left_alone_for_days(desk)
    platform = Platform(Done("1"))
    await waited(desk, platform)
    await desk.shop.pool.execute("update job_steps set due_at = null")

    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert done == Done("1")
    assert platform.looks == 2


async def test_a_look_that_fails_by_a_fault_of_our_own_keeps_the_doubt_and_is_repeated(desk):
    platform = Platform(
        Unknown("no answer", code="no_answer"), found=[KeyError("id"), Done("made long ago")]
    )

    wait = await waited(desk, platform)
    row = await desk.row()
    await desk.age(seconds=0)
    done = await (await desk.open()).step(STEP, platform.effect, PACE)

    assert (wait.code, wait.reason) == ("internal_error", "retry")
    assert (row.status, row.attempt) == ("IN_DOUBT", 1)
    assert done == Done("made long ago")
    assert len(platform.calls) == 1

"""Activation of many objects: nothing is begun again, and nothing goes on for ever."""

import msgspec
import pytest

from common.errors import Reject, Retry, Wait
from models.activation import not_asked, was_asked
from tests.workers.platforms.meta.conftest import LINK, OTHER_RUN, RUN, request_with
from tests.workers.platforms.meta.hosts import Host, hosted
from workers.effects import Stopping
from workers.platforms.base import Done
from workers.platforms.meta import turns
from workers.records import NOTHING_TO_DO

FAILED = 500, '{"error": {"code": 1, "message": "Please try again"}}'
LOST = 200, "Service Unavailable"
THROTTLE = 400, '{"error": {"code": 17, "error_subcode": 2446079, "message": "Slow down"}}'
ADS = [{"name": f"A{n}", "creative": LINK} for n in range(3)]
MADE = {
    "media[hero]": Done("1"),
    "campaign": Done("10"),
    "ad[0][2]": Done("32"),  # as they happened to be finished
    "ad_set[0]": Done("20"),
    "ad[0][0]": Done("30"),
    "ad[0][1]": Done("31"),
}


@pytest.fixture
def step(context):
    """The step with what earlier turns saved."""

    def make(progress, earlier_run=RUN):
        request = request_with(
            LINK,
            ad_set={"ads": ADS},
            media={"hero": {"url": "https://example.com/h.png"}},
            activate=True,
        )

        async def save(more):
            progress.update(more)

        return context(
            "activate",
            request,
            outcomes=MADE,
            progress=progress,
            save=save,
            earlier_run=earlier_run,
        )

    return make


async def test_children_are_activated_first_and_the_campaign_last(step):
    host = Host(lambda *_: {"success": True})

    async with hosted(host) as meta:
        done = await meta.perform(step({}))

    assert done == Done("10")
    assert [path for _, path, _ in host.calls] == ["30", "31", "32", "20", "10"]
    assert {fields["status"] for _, _, fields in host.calls} == {"ACTIVE"}


async def test_that_nothing_but_the_campaign_is_left_is_durable_before_its_call(step):
    """Who cancels the job meanwhile is told that the campaign may be ACTIVE."""
    progress, known = {}, []

    def answer(*_):
        known.append(progress.get("left"))
        return {"success": True}

    async with hosted(Host(answer)) as meta:
        await meta.perform(step(progress))

    assert known == [None, 4, 3, 2, 1]
    assert progress["left"] == 0


async def test_an_activation_that_met_a_throttle_goes_on_where_it_was(step):
    """Else a quota that ends before the ads do is used up by the first ones, time and again."""
    host = Host(lambda *_: {"success": True} if len(host.calls) % 3 else THROTTLE)
    progress = {}

    async with hosted(host) as meta:
        for _ in range(2):
            with pytest.raises(Wait) as wait:
                await meta.perform(step(progress))
            assert wait.value.reason == "throttled"
        await meta.perform(step(progress))

    paths = [path for _, path, _ in host.calls]
    assert paths == ["30", "31", "32", "32", "20", "10", "10"]


async def test_a_long_activation_goes_over_several_turns(step, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_TURN_SECONDS", 0.0)
    host, progress = Host(lambda *_: {"success": True}), {"activated": 3}

    async with hosted(host) as meta:
        with pytest.raises(Wait) as first:
            await meta.perform(step(progress))
        await meta.perform(step(progress))

    assert (first.value.code, first.value.reason, first.value.seconds) == (
        "activating",
        "not_ready",
        0,
    )
    assert first.value.message == "4 of 5 objects are ACTIVE"
    assert first.value.remedy.startswith(NOTHING_TO_DO)
    assert [path for _, path, _ in host.calls] == ["20", "10"]


@pytest.mark.parametrize("failure", [FAILED, LOST], ids=["failed", "lost"])
async def test_a_call_that_fails_among_many_is_no_attempt_of_the_whole_activation(step, failure):
    """Else eight failures among hundreds of calls would give it up."""
    host = Host(lambda *_: failure if len(host.calls) % 2 == 0 else {"success": True})
    progress = {}

    async with hosted(host) as meta:
        for _ in range(4):
            with pytest.raises(Wait) as wait:
                await meta.perform(step(progress))
            assert (wait.value.reason, (wait.value.seconds or 0) > 0) == ("retry", True)
        done = await meta.perform(step(progress))

    assert done == Done("10")
    assert progress["activated"] == 5


@pytest.mark.parametrize("failure", [FAILED, LOST], ids=["failed", "lost"])
async def test_a_call_that_fails_first_is_an_attempt(step, failure):
    async with hosted(Host(lambda *_: failure)) as meta:
        with pytest.raises(Retry):
            await meta.perform(step({"activated": 2}))


@pytest.mark.parametrize(
    "answer",
    [{}, {"success": None}, {"success": "true"}, {"id": "30"}, {"success": False}],
    ids=str,
)
async def test_nothing_is_active_before_meta_says_so(step, answer):
    progress = {}

    async with hosted(Host(lambda *_: answer)) as meta:
        with pytest.raises(Retry):
            await meta.perform(step(progress))

    assert progress == {}


async def test_an_activation_without_an_answer_is_tried_again_and_each_try_counts(step):
    """Nothing is in doubt, for it may be sent again; and nothing shows that others fare the same."""

    def leave(*_):
        raise ConnectionError

    async with hosted(Host(leave)) as meta:
        with pytest.raises(Retry) as met:
            await meta.perform(step({}))

    assert (met.value.code, met.value.is_outage) == ("no_answer", False)


BEFORE = {"activated": 4, "left": 1, **not_asked(RUN)}
FORBIDDEN = 400, '{"error": {"code": 200, "message": "You may not"}}'


@pytest.mark.parametrize("progress", [{}, BEFORE], ids=["in one turn", "in a turn of its own"])
async def test_that_the_campaign_is_asked_is_durable_before_its_call(step, progress):
    progress, known = dict(progress), []

    def answer(*_):
        known.append(progress.get("campaign_asked", False))
        return {"success": True}

    async with hosted(Host(answer)) as meta:
        await meta.perform(step(progress))

    assert known[-1] is True
    assert not any(known[:-1])
    assert progress["campaign_asked"] is True


@pytest.mark.parametrize("answer", [THROTTLE, FORBIDDEN], ids=["throttle", "refusal"])
async def test_an_answer_that_nothing_was_done_leaves_no_doubt(step, answer):
    progress = dict(BEFORE)

    async with hosted(Host(lambda *_: answer)) as meta:
        with pytest.raises((Wait, Reject)):
            await meta.perform(step(progress))

    assert progress["campaign_asked"] is False


@pytest.mark.parametrize("answer", [THROTTLE, FORBIDDEN], ids=["throttle", "refusal"])
@pytest.mark.parametrize("earlier", [{"campaign_asked": True}, {}], ids=["ours", "of before"])
async def test_no_answer_ends_the_doubt_about_an_earlier_call(step, answer, earlier):
    progress = {"activated": 4, "left": 1, **earlier}

    async with hosted(Host(lambda *_: answer)) as meta:
        with pytest.raises((Wait, Reject)):
            await meta.perform(step(progress))

    assert progress.get("campaign_asked", True) is True


async def test_what_was_taken_back_does_not_hold_for_a_run_that_has_tried_since(step):
    """It may be a worker of before, which asks without a word."""
    progress = dict(BEFORE)

    async with hosted(Host(lambda *_: FORBIDDEN)) as meta:
        with pytest.raises(Reject):
            await meta.perform(step(progress, earlier_run=OTHER_RUN))

    assert was_asked(progress, RUN)


@pytest.mark.parametrize(
    "answer",
    [FAILED, LOST, (500, THROTTLE[1]), (503, FORBIDDEN[1]), (502, "<html>")],
    ids=["failed", "lost", "throttle of a server that failed", "refusal of one", "gateway"],
)
async def test_a_call_that_may_have_been_carried_out_leaves_a_doubt(step, answer):
    progress = dict(BEFORE)

    async with hosted(Host(lambda *_: answer)) as meta:
        with pytest.raises((Wait, Retry)):
            await meta.perform(step(progress))

    assert progress["campaign_asked"] is True


async def test_a_turn_that_ends_before_the_campaign_leaves_no_doubt(step, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_TURN_SECONDS", 0.0)
    progress = {"activated": 3, "left": 2}

    async with hosted(Host(lambda *_: {"success": True})) as meta:
        with pytest.raises(Wait):
            await meta.perform(step(progress))

    assert progress == BEFORE


async def test_a_campaign_that_nobody_wants_active_any_more_is_not_asked(step):
    host, progress = Host(lambda *_: {"success": True}), {}

    async def stopped():
        raise Stopping("somebody asked to stop", code="stopping")

    async with hosted(host) as meta:
        with pytest.raises(Stopping):
            await meta.perform(msgspec.structs.replace(step(progress), go_on=stopped))

    assert [path for _, path, _ in host.calls] == ["30", "31", "32", "20"]
    assert not was_asked(progress, RUN)


async def test_a_worker_of_before_that_goes_on_is_believed_in_what_it_asked(step, monkeypatch):
    """It tells what is left, and keeps whatever else stands there."""
    monkeypatch.setattr(turns, "LONGEST_TURN_SECONDS", 0.0)
    progress = {}

    async with hosted(Host(lambda *_: {"success": True})) as meta:
        with pytest.raises(Wait):
            await meta.perform(step(progress))
    before = was_asked(progress, RUN)
    after = was_asked({**progress, "activated": 4, "left": 1}, OTHER_RUN)

    assert (before, after) == (False, True)

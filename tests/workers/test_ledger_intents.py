"""The time that a call may take is counted from before its intent is written."""

import msgspec
import pytest

from common import clock
from common.errors import Unknown, Wait
from tests.workers.ledgers import PACE, STEP, Desk, Platform, is_left
from workers.effects import Effect
from workers.platforms.base import Done
from workers.writes import Writes


async def test_a_call_whose_time_went_by_while_its_intent_was_written_begins_afresh(desk):
    """No time at all for a call makes every intent a late one."""
    platform = Platform(Done("1"))
    hasty = msgspec.structs.replace(PACE, call_seconds=0)
    ledger = await desk.open()

    done = await ledger.step(STEP, platform.effect, hasty)

    assert done == Done("1")
    assert len(platform.calls) == 1
    assert (await desk.row()).status == "DONE"


class Written:
    """Hears when intents were written."""

    def __init__(self):
        self.at = []

    def moved(self, moves, answers):
        """No run ends here."""

    def written(self, name, answers):
        if name == "intents":
            self.at.append(clock.seconds())

    def took(self, name, seconds):
        """Nobody asks how long."""


async def test_the_time_of_a_call_runs_from_before_its_intent_was_written(shop, database):
    written = Written()
    platform = Platform(Done("1"))
    writes = Writes(database, written)
    async with writes.running():
        ledger = await Desk(shop, writes).open()

        await ledger.step(STEP, platform.effect, PACE)

    assert platform.calls[0].write_deadline - PACE.call_seconds <= written.at[0]


async def test_the_time_of_a_call_that_begins_afresh_runs_from_before_its_second_intent(
    shop, database
):
    """No time at all for a call makes every intent a late one."""
    written = Written()
    platform = Platform(Done("1"))
    writes = Writes(database, written)
    async with writes.running():
        ledger = await Desk(shop, writes).open()

        await ledger.step(STEP, platform.effect, msgspec.structs.replace(PACE, call_seconds=0))

    first, second = written.at
    assert first <= platform.calls[0].write_deadline <= second


async def test_a_look_is_given_what_the_step_had_saved(desk):
    seen = []

    async def begin(trial):
        await trial.save({"session": "s1"})
        raise Unknown("nothing came", code="timed_out")

    async def find(trial):
        seen.append(trial.progress)
        return Done("1")

    await (await desk.open()).step(STEP, Effect(begin, find), PACE)

    assert seen == [{"session": "s1"}]


async def test_a_database_clock_that_jumped_ahead_makes_no_look_in_doubt_the_last(desk):
    """Its two moments lie a minute apart, of which the worker has seen none pass."""
    platform = Platform(Unknown("no answer came", code="no_answer"), Done("new"))
    with pytest.raises(Wait):
        await (await desk.open()).step(STEP, platform.effect, PACE)
    await desk.age(seconds=61)
    jumped_at = clock.seconds()

    with pytest.raises(Wait) as again:
        await (await desk.open(steady_since=jumped_at)).step(STEP, platform.effect, PACE)
    calls_before = len(platform.calls)
    await desk.age(seconds=61)
    done = await (await desk.open(steady_since=jumped_at - 60)).step(STEP, platform.effect, PACE)

    assert is_left(again.value.seconds, 60, jumped_at)
    assert calls_before == 1
    assert done == Done("new")

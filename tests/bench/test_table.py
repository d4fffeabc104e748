"""The table tells medians, and of each turn the ratio."""

import pytest

from bench.table import Line, Median, medians


def test_a_ratio_is_of_medians_and_its_turns_are_of_pairs():
    line = Line("jobs/s", Median([10.0, 40.0, 20.0]), "theirs", Median([20.0, 20.0, 10.0]), 1.0)

    assert (line.ratio, line.turns, line.verdict) == (1.0, [0.5, 2.0, 2.0], "met")


def test_a_limit_is_the_same_in_each_turn():
    line = Line("ms", Median([110.0, 130.0, 120.0]), "calls", 100, 1.15, more=False)

    assert (line.ratio, line.turns, line.verdict) == (1.2, [1.1, 1.2, 1.3], "NOT met")


def test_a_figure_without_turns_tells_none():
    assert Line("MB", 50.0, "limit", 200).turns == []


async def test_every_other_turn_goes_the_other_way_round():
    taken: list[str] = []

    async def one() -> float:
        taken.append("one")
        return float(len(taken))

    async def other() -> float:
        taken.append("other")
        return float(len(taken))

    first, second = await medians(3, one, other)

    assert taken == ["one", "other", "other", "one", "one", "other"]
    assert (first.values, second.values) == ((1.0, 4.0, 5.0), (2.0, 3.0, 6.0))
    assert (first, second) == (pytest.approx(4.0), pytest.approx(3.0))

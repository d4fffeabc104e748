"""One table: what is measured, beside what, the ratio, and the goal."""

import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Self

import msgspec

WIDTHS = (58, 12, 34, 12, 8, 12)
QUICK = 3
"""What takes seconds is taken so many times as often: the machine's moods are longer than one of its runs."""


class Median(float):
    """Of one measure, with the figures that it was made of, in the order in which they were taken."""

    def __new__(cls, values: Sequence[float]) -> Self:
        """Of at least one."""
        median = super().__new__(cls, statistics.median(values))
        median.values = tuple(values)
        return median

    values: tuple[float, ...]


class Line(msgspec.Struct, frozen=True):
    """One figure of ours beside one of others. `more` says that a larger figure is the better one."""

    measure: str
    ours: float
    beside: str
    theirs: float
    goal: float | None = None
    """The ratio to reach (more) or not to pass (less); None where there is none."""
    more: bool = True

    @property
    def ratio(self) -> float:
        """Ours by theirs."""
        return self.ours / self.theirs if self.theirs else float("nan")

    @property
    def turns(self) -> list[float]:
        """The ratio in each turn, the least first; none where ours was measured otherwise."""
        if not isinstance(self.ours, Median):
            return []
        theirs = self.theirs.values if isinstance(self.theirs, Median) else (self.theirs,)
        beside = theirs * len(self.ours.values) if len(theirs) == 1 else theirs
        pairs = zip(self.ours.values, beside, strict=True)
        return sorted(mine / other for mine, other in pairs if other)

    @property
    def verdict(self) -> Literal["", "met", "NOT met"]:
        """Whether the goal is reached."""
        if self.goal is None:
            return ""
        is_met = self.ratio >= self.goal if self.more else self.ratio <= self.goal
        return "met" if is_met else "NOT met"


def head() -> None:
    """The first line."""
    _write("measure", "ours", "beside", "theirs", "ratio", "turns", "goal")


def show(line: Line) -> None:
    """One more line, as soon as it is known."""
    sign = (
        "" if line.goal is None else f"{'>=' if line.more else '<='} {line.goal:.3g} {line.verdict}"
    )
    ours, theirs, ratio = _figure(line.ours), _figure(line.theirs), f"{line.ratio:.2f}"
    turns = f"{line.turns[0]:.2f}-{line.turns[-1]:.2f}" if len(line.turns) > 1 else ""
    _write(line.measure, ours, line.beside, theirs, ratio, turns, sign)


async def in_turns[Result](
    repeats: int, *measures: Callable[[], Awaitable[Result]]
) -> list[list[Result]]:
    """What each measure found, taken in turns, now in this order and now in the other: neither a change of
    the machine's mood nor what one leaves behind for the next hits one of them alone."""
    found: list[list[Result]] = [[] for _ in measures]
    places = list(enumerate(measures))
    for turn in range(repeats):
        for place, measure in places if turn % 2 == 0 else reversed(places):
            found[place].append(await measure())
    return found


async def medians(repeats: int, *measures: Callable[[], Awaitable[float]]) -> tuple[Median, ...]:
    """The same of figures."""
    return tuple(map(Median, await in_turns(repeats, *measures)))


def quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Milliseconds, p50 and p99."""
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _write(*cells: str) -> None:
    measure, *numbers, goal = cells
    sizes = zip(numbers, WIDTHS[1:], (True, False, True, True, True), strict=True)
    middle = "  ".join(cell.rjust(n) if right else cell.ljust(n) for cell, n, right in sizes)
    sys.stdout.write(f"{measure.ljust(WIDTHS[0])}  {middle}  {goal}".rstrip() + "\n")
    sys.stdout.flush()

"""One table: what is measured, beside what, the ratio, and the goal."""

import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

WIDTHS = (58, 12, 34, 12, 8)


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
    def verdict(self) -> Literal["", "met", "NOT met"]:
        """Whether the goal is reached."""
        if self.goal is None:
            return ""
        is_met = self.ratio >= self.goal if self.more else self.ratio <= self.goal
        return "met" if is_met else "NOT met"


def head() -> None:
    """The first line."""
    _write("measure", "ours", "beside", "theirs", "ratio", "goal")


def show(line: Line) -> None:
    """One more line, as soon as it is known."""
    sign = (
        "" if line.goal is None else f"{'>=' if line.more else '<='} {line.goal:.3g} {line.verdict}"
    )
    ours, theirs, ratio = _figure(line.ours), _figure(line.theirs), f"{line.ratio:.2f}"
    _write(line.measure, ours, line.beside, theirs, ratio, sign)


async def medians(repeats: int, *measures: Callable[[], Awaitable[float]]) -> tuple[float, ...]:
    """Of each measure, taken in turns, so that a change of the machine's mood hits all alike."""
    found: list[list[float]] = [[] for _ in measures]
    for _ in range(repeats):
        for place, measure in enumerate(measures):
            found[place].append(await measure())
    return tuple(statistics.median(values) for values in found)


def quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Milliseconds, p50 and p99."""
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _write(*cells: str) -> None:
    measure, ours, beside, theirs, ratio, goal = cells
    sizes = zip((ours, beside, theirs, ratio), WIDTHS[1:], (True, False, True, True), strict=True)
    middle = "  ".join(cell.rjust(n) if right else cell.ljust(n) for cell, n, right in sizes)
    sys.stdout.write(f"{measure.ljust(WIDTHS[0])}  {middle}  {goal}".rstrip() + "\n")
    sys.stdout.flush()

"""Which tests can notice a change, the likeliest first."""

from collections.abc import Iterable

from tests.mutation.mutants import Mutant
from tests.mutation.watch import IMPORT, Seen

NEAR_LINES = 30
"""A test that noticed a change so many lines away is asked before others."""


class Order:
    """Knows what each test runs, and learns which of them notices what.

    Where tests are quick, `all_are_asked` in the end: what one test has put into a cache decides
    about others that never run the line.
    """

    def __init__(self, seen: Iterable[Seen], *, all_are_asked: bool) -> None:
        self._all_are_asked = all_are_asked
        self._seen = {test.name: test for test in seen}
        self._imported = self._seen.pop(IMPORT).lines
        self._noticed: dict[str, list[tuple[str, int]]] = {}

    def seconds(self) -> dict[str, float]:
        """How long each test takes on the unchanged program."""
        return {test.name: test.seconds for test in self._seen.values()}

    def tests(self, mutant: Mutant) -> list[str]:
        """What is run at import decides about every test, anything else about those that call the
        function."""
        lines, function = _lines(mutant), {(mutant.file, line) for line in mutant.function}
        any_may = self._all_are_asked or self.is_run_at_import(mutant)
        able = [test for test in self._seen.values() if any_may or function & test.lines]
        return [
            test.name
            for test in sorted(
                able,
                key=lambda test: (
                    self._distance(test.name, mutant),
                    lines.isdisjoint(test.lines),
                    test.seconds,
                ),
            )
        ]

    def is_run_at_import(self, mutant: Mutant) -> bool:
        """Whether the change is about more than what functions do when they are called."""
        return not _lines(mutant).isdisjoint(self._imported)

    def learn(self, mutant: Mutant, test: str) -> None:
        """The test has noticed the mutant, if there was one."""
        self._noticed.setdefault(test, []).append((mutant.file, mutant.line))

    def _distance(self, test: str, mutant: Mutant) -> int:
        near = [
            abs(line - mutant.line)
            for file, line in self._noticed.get(test, ())
            if file == mutant.file
        ]
        return min([*near, NEAR_LINES])


def _lines(mutant: Mutant) -> set[tuple[str, int]]:
    return {(mutant.file, line) for line in mutant.statement}

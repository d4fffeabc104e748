"""What each test runs of the files that are changed, and how long it takes: seen once, unchanged."""

import ast
import contextlib
import sys
import time
from collections.abc import Generator, Iterable
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

from tests.mutation.targets import ROOT

IMPORT = ""
"""In place of a test's name: what runs before the first test, so that each depends on it."""
TOOL = sys.monitoring.COVERAGE_ID
LINE = sys.monitoring.events.LINE


class Seen(NamedTuple):
    """One test of the unchanged program."""

    name: str
    seconds: float
    lines: frozenset[tuple[str, int]]


class Watch:
    """Lets every test run, and sees which lines it runs."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = {str(ROOT / file): file for file in files}
        self._lines: set[tuple[str, int]] = set()
        self.seen: list[Seen] = []
        self.running = IMPORT
        sys.monitoring.use_tool_id(TOOL, "mutation")
        sys.monitoring.register_callback(TOOL, LINE, self._line)
        sys.monitoring.set_events(TOOL, LINE)

    def choose(self, names: list[str]) -> list[str]:
        """All of them."""
        return names

    @contextlib.contextmanager
    def test(self, name: str) -> Generator[None]:
        """Around one test."""
        if not self.seen:
            self.seen.append(Seen(IMPORT, 0.0, frozenset(self._lines)))
        self._lines, self.running = set(), name
        sys.monitoring.restart_events()
        begun = time.monotonic()
        yield
        self.seen.append(Seen(name, time.monotonic() - begun, frozenset(self._lines)))

    def _line(self, code: CodeType, line: int) -> Any:
        file = self._files.get(code.co_filename)
        if file is not None:
            self._lines.add((file, line))
        return sys.monitoring.DISABLE


@cache
def statements(text: str) -> list[range]:
    """The lines of every statement, without those of the statements in it."""
    return [
        range(first, last + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)
        for first, last in [_own_lines(node)]
    ]


def _own_lines(node: Any) -> tuple[int, int]:
    head = node.pattern if isinstance(node, ast.match_case) else node
    first = min([head.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    inner = getattr(node, "body", None) or [case.pattern for case in getattr(node, "cases", ())]
    return first, max(first, inner[0].lineno - 1) if inner else head.end_lineno


@cache
def functions(text: str) -> list[range]:
    """The lines of every function."""
    return [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def function_at(text: str, line: int) -> range:
    """The lines of the innermost function that the line belongs to."""
    around = [lines for lines in functions(text) if line in lines]
    return min(around, key=len, default=range(line, line + 1))


def statement_at(text: str, line: int) -> range:
    """The lines of the innermost statement that the line belongs to."""
    around = [lines for lines in statements(text) if line in lines]
    return min(around, key=len, default=range(line, line + 1))

"""Calls tests that need no fixtures, and reads modules afresh: ten times faster than a whole pytest."""

import ast
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from tests.mutation.targets import ROOT, module_of


def cases(tests: Iterable[str], without: Iterable[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every test of the files with each of its parameters, under a name of its own."""
    for file in tests:
        module = importlib.import_module(module_of(file))
        for name, test in vars(module).items():
            if name.startswith("test_") and name not in without:
                for nth, arguments in enumerate(_arguments(test)):
                    yield f"{file}::{name}[{nth}]", partial(test, **arguments)


def forget(file: str) -> None:
    """A mutant's module and all that import it are read afresh, and nothing else is."""
    importers = who_imports()
    waiting, stale = [module_of(file)], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in stale:
            stale.add(name)
            waiting += importers.get(name, ())
    for name in stale & sys.modules.keys():
        folder, _, last = name.rpartition(".")
        if folder in sys.modules:
            vars(sys.modules[folder]).pop(last, None)
    for name in stale:
        sys.modules.pop(name, None)


@cache
def who_imports() -> dict[str, set[str]]:
    """By module: those of ours that import it."""
    importers: dict[str, set[str]] = {}
    for name, path in _our_modules():
        for imported in _imports(path):
            importers.setdefault(imported, set()).add(name)
    return importers


def _arguments(test: Any) -> Iterator[dict[str, Any]]:
    axes: list[list[dict[str, Any]]] = []
    for mark in getattr(test, "pytestmark", ()):
        names, values = mark.args
        names = [names] if isinstance(names, str) else list(names)
        rows = [row if len(names) > 1 else (row,) for row in values]
        axes.append([dict(zip(names, row, strict=True)) for row in rows])
    for parts in product(*axes):
        yield {name: value for part in parts for name, value in part.items()}


def _our_modules() -> Iterator[tuple[str, Path]]:
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and Path(path).is_relative_to(ROOT) and "site-packages" not in path:
            yield name, Path(path)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)

"""Puts a mutant in place of what is loaded: into its functions where that is enough, else read afresh."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from types import FunctionType, ModuleType
from typing import Any

from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT, module_of

WRAPPERS = ("__wrapped__", "__func__", "fget", "func", "check")
"""Where decorators keep the function that was written."""


def swap(mutant: Mutant) -> bool:
    """Gives the loaded functions the mutant's bodies. False: it is about something else."""
    module = sys.modules[module_of(mutant.file)]
    other = ModuleType(module.__name__)
    other.__file__ = module.__file__
    exec(compile(mutant.code, str(module.__file__), "exec"), other.__dict__)  # noqa: S102 - this is what it is for
    try:
        return _adopt(vars(module), vars(other), module.__name__)
    except ValueError:  # a function needs other variables of those around it
        return False


def _adopt(mine: Mapping[str, Any], theirs: Mapping[str, Any], module: str) -> bool:
    is_changed = False
    for name, value in mine.items():
        if isinstance(value, type) and value.__module__ == module:
            is_changed |= _adopt(vars(value), vars(theirs[name]), module)
        for function, other in zip(_functions(value), _functions(theirs.get(name)), strict=False):
            if function.__module__ == module and function.__code__ != other.__code__:
                function.__code__ = other.__code__
                is_changed = True
    return is_changed


def _functions(value: Any) -> Iterator[FunctionType]:
    while value is not None and not isinstance(value, type | ModuleType):
        if isinstance(value, FunctionType):
            yield value
        value = next((inner for at in WRAPPERS if (inner := getattr(value, at, None))), None)


class Changed:
    """Imports the mutant in place of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != module_of(self._mutant.file):
            return None
        file = ROOT / self._mutant.file
        folders = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, file, loader=self, submodule_search_locations=folders
        )

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        exec(compile(self._mutant.code, module.__file__, "exec"), module.__dict__)  # noqa: S102 - likewise

"""Runs the guarding tests against one mutant in a forked process, which inherits what is loaded."""

import contextlib
import gc
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Generator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import pytest
from hypothesis import settings

from common.embedded_postgres import EmbeddedPostgres
from tests.mutation import plain
from tests.mutation.mutants import Mutant
from tests.mutation.order import Order
from tests.mutation.server import Admin, sweep
from tests.mutation.targets import ROOT, Target, module_of
from tests.mutation.watch import Seen, Watch

OPTIONS = (
    *("-x", "-q", "--no-header", "--tb=no", "--assert=plain", "--override-ini=addopts="),
    *("--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:doctest"),
)
LIBRARIES = ("pytest_asyncio.plugin",)
TIMES, MORE_SECONDS = 5, 2
"""What hangs is what takes so many times as long as on the unchanged program, and this much more."""
LONGEST_START_SECONDS = 30


class Verdict(NamedTuple):
    """What became of a mutant, and which test noticed."""

    what: Literal["killed", "survived", "timed out"]
    by: str = ""


class Course(Protocol):
    """Which tests run, and what stands around each."""

    def choose(self, names: list[str]) -> list[str]:
        """Those to run, in order."""
        ...

    def test(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Around one test."""
        ...


class Bounded:
    """The tests that can notice; tells which one runs, and lets none hang."""

    def __init__(self, names: list[str], seconds: dict[str, float], told: int) -> None:
        self._names = names
        self._seconds = seconds
        self._told = told
        signal.setitimer(signal.ITIMER_REAL, LONGEST_START_SECONDS)

    def choose(self, names: list[str]) -> list[str]:
        there, known = set(names), set(self._seconds)
        wanted = [name for name in self._names if name in there]
        # a table that is changed may bring tests that nobody has seen
        return wanted + [name for name in names if name not in known]

    @contextlib.contextmanager
    def test(self, name: str) -> Generator[None]:
        os.write(self._told, f"{name}\n".encode())
        bound = TIMES * self._seconds.get(name, 0) + MORE_SECONDS
        signal.setitimer(signal.ITIMER_REAL, bound)
        yield


class Trials:
    """Tries one mutant after another. Raises RuntimeError when tests fail without any."""

    def __init__(self, target: Target, server: EmbeddedPostgres | None) -> None:
        self._target = target
        self._server = server
        self._preload()
        self.order = Order(self._see(), all_are_asked=server is None)

    def verdict(self, mutant: Mutant) -> Verdict:
        """What the tests say; what a test notices, the next mutant nearby is shown first."""
        names = self.order.tests(mutant)
        if not names:
            return Verdict("survived")
        status, told = _forked(lambda pipe: self._try(mutant, names, pipe))
        if status == 0:
            return Verdict("survived")
        by = told.decode().splitlines()[-1] if told else ""
        self.order.learn(mutant, by)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM):
            return Verdict("killed", by)
        if self._server is not None:
            sweep(self._server)
        return Verdict("timed out", by)

    def _preload(self) -> None:
        for library in LIBRARIES:
            importlib.import_module(library)
        for file in self._target.there():
            importlib.import_module(module_of(file))
        plain.who_imports()
        gc.freeze()  # no child need look through what is loaded

    def _see(self) -> list[Seen]:
        status, told = _forked(self._watch)
        if status != 0:
            raise RuntimeError(f"without any mutant this fails: {told.decode()}")
        return msgspec.json.decode(told, type=list[Seen])

    def _watch(self, pipe: int) -> int:
        for file in self._target.files:
            plain.forget(file)
        watch = Watch(self._target.files)
        code = 1
        try:
            code = self._run(watch)
        finally:
            with os.fdopen(pipe, "wb") as said:
                said.write(watch.running.encode() if code else msgspec.json.encode(watch.seen))
        return code

    def _try(self, mutant: Mutant, names: list[str], pipe: int) -> int:
        course = Bounded(names, self.order.seconds(), pipe)
        plain.forget(mutant.file)
        sys.meta_path.insert(0, Changed(mutant))
        return self._run(course)

    def _run(self, course: Course) -> int:
        settings.register_profile("mutation", derandomize=True, database=None)
        settings.load_profile("mutation")
        tests = self._target.there()
        if self._server is None:
            there = dict(plain.cases(tests, self._target.without))
            for name in course.choose(list(there)):
                with course.test(name):
                    there[name]()
            return 0
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        plugins: list[object] = [Chosen(course, [ROOT / test for test in tests], self._server)]
        return int(pytest.main([*OPTIONS, "-p", "pytest_asyncio.plugin", *tests], plugins))


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
        exec(compile(self._mutant.code, module.__file__, "exec"), module.__dict__)  # noqa: S102 - this is what it is for


class Chosen:
    """Has pytest run the course's tests, all of them against the one server."""

    def __init__(self, course: Course, files: list[Path], server: EmbeddedPostgres) -> None:
        self._course = course
        self._paths = {path for file in files for path in (file, *file.parents)}
        self._fixtures = {"server": server, "admin": Admin(server)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        value = self._fixtures.get(fixturedef.argname)
        if value is not None:
            fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
        return value

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return None if collection_path in self._paths else True

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        by_name = {item.nodeid: item for item in items}
        items[:] = [by_name[name] for name in self._course.choose(list(by_name))]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        with self._course.test(item.nodeid):
            return (yield)


def _forked(body: Callable[[int], int]) -> tuple[int, bytes]:
    """How a child ended that did this in silence, and what it told through the pipe."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            code = body(writable)
        finally:
            os._exit(code)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        told = pipe.read()
    return os.waitpid(child, 0)[1], told

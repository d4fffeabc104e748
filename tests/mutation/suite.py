"""The guarding tests of a target: loaded once, run in forked processes as a course wishes."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

import pytest
from _pytest.config import Config, _prepareconfig

from common.embedded_postgres import EmbeddedPostgres
from tests.mutation import plain
from tests.mutation.server import Admin
from tests.mutation.targets import ROOT, Target

OPTIONS = (
    *("-x", "-p", "no:terminal", "-s", "--assert=plain", "--override-ini=addopts="),
    *("--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:doctest"),
    *("-p", "pytest_asyncio.plugin"),
)


class Course(Protocol):
    """Which tests run, and what stands around each."""

    def choose(self, names: list[str]) -> list[str]:
        """Those to run, in order."""
        ...

    def test(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Around one test."""
        ...


class PlainSuite:
    """Tests without fixtures."""

    def __init__(self, target: Target) -> None:
        self._cases = dict(plain.cases(target.there(), target.without))

    def run(self, course: Course) -> int:
        """0 when all of them pass; the first that fails raises."""
        for name in course.choose(list(self._cases)):
            with course.test(name):
                self._cases[name]()
        return 0


class DatabaseSuite:
    """Tests that pytest runs, against one server."""

    def __init__(self, target: Target, server: EmbeddedPostgres) -> None:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        tests = target.there()
        self._chosen = Chosen([ROOT / test for test in tests], server)
        self._config: Config = _prepareconfig([*OPTIONS, *tests], [self._chosen])
        self._session = pytest.Session.from_config(self._config)
        self._config._do_configure()
        self._config.hook.pytest_sessionstart(session=self._session)
        self._config.hook.pytest_collection(session=self._session)

    def run(self, course: Course) -> int:
        """0 when all of them pass."""
        session, self._chosen.course = self._session, course
        by_name = {item.nodeid: item for item in session.items}
        session.items = [by_name[name] for name in course.choose(list(by_name))]
        try:
            self._config.hook.pytest_runtestloop(session=session)
        except session.Failed:
            return 1
        return min(session.testsfailed, 1)


class Chosen:
    """Has pytest collect no more than the files, and use the one server."""

    def __init__(self, files: list[Path], server: EmbeddedPostgres) -> None:
        self.course: Course | None = None
        self._paths = {path for file in files for path in (file, *file.parents)}
        self._fixtures = {"server": server, "admin": Admin(server)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return None if collection_path in self._paths else True

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        value = self._fixtures.get(fixturedef.argname)
        if value is not None:
            fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        assert self.course is not None
        with self.course.test(item.nodeid):
            return (yield)


type Suite = PlainSuite | DatabaseSuite


def load(target: Target, server: EmbeddedPostgres | None) -> Suite:
    """What is imported already is not read again."""
    return PlainSuite(target) if server is None else DatabaseSuite(target, server)

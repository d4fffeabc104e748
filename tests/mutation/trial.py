"""Runs the guarding tests against one mutant in a forked process, which inherits what is loaded."""

import asyncio
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any, Literal

import asyncpg
import pytest
from hypothesis import settings

from common.embedded_postgres import EmbeddedPostgres
from tests.mutation import plain
from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT, Target, module_of

type Verdict = Literal["killed", "survived", "timed out"]
OPTIONS = ("-x", "-q", "--no-header", "--tb=no", "--assert=plain", "-p", "no:cacheprovider")


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


class OneServer:
    """Every run finds the same PostgreSQL server instead of starting its own."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        if fixturedef.argname != "server":
            return None
        fixturedef.cached_result = (self._server, fixturedef.cache_key(request), None)
        return self._server


def run(target: Target, mutant: Mutant, server: EmbeddedPostgres | None, seconds: float) -> Verdict:
    """What the tests say."""
    child = os.fork()
    if child == 0:
        _be_the_child(target, mutant, server, seconds)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return "timed out"
    return "survived" if status == 0 else "killed"


def _be_the_child(
    target: Target, mutant: Mutant, server: EmbeddedPostgres | None, seconds: float
) -> None:
    code = 1
    try:
        sys.meta_path.insert(0, Changed(mutant))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        code = _tests(target.tests, server) if target.needs_database else _plain(target, mutant)
    finally:
        os._exit(code)


def _plain(target: Target, mutant: Mutant) -> int:
    _settle_hypothesis()
    plain.forget(mutant.file)
    plain.check(existing(target.tests), target.without)
    return 0


def existing(tests: Sequence[str]) -> list[str]:
    return [test for test in tests if (ROOT / test).exists()]


def _settle_hypothesis() -> None:
    settings.register_profile("mutation", derandomize=True, database=None)
    settings.load_profile("mutation")


def _tests(tests: Sequence[str], server: EmbeddedPostgres | None) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    _settle_hypothesis()
    plugins: list[object] = []
    if server is not None:
        asyncio.run(_forget_the_last_run(server.url()))
        plugins.append(OneServer(server))
    return int(pytest.main([*OPTIONS, "-p", "pytest_asyncio.plugin", *existing(tests)], plugins))


async def _forget_the_last_run(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("drop database if exists migrated_template with (force)")
    await connection.close()

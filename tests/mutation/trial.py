"""Runs the guarding tests against one mutant in a forked process, which inherits what is loaded."""

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Generator
from typing import Literal, NamedTuple

import msgspec
from hypothesis import settings

from common.embedded_postgres import EmbeddedPostgres
from tests.mutation import plain
from tests.mutation.mutants import Mutant
from tests.mutation.order import Order
from tests.mutation.server import sweep
from tests.mutation.suite import load
from tests.mutation.swap import Changed, swap
from tests.mutation.targets import Target
from tests.mutation.watch import Seen, Watch

TIMES, MORE_SECONDS = 5, 2
"""What hangs is what takes so many times as long as on the unchanged program, and this much more."""
LONGEST_START_SECONDS = 30


class Verdict(NamedTuple):
    """What became of a mutant, and which test noticed."""

    what: Literal["killed", "survived", "timed out"]
    by: str = ""


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
        settings.register_profile("mutation", derandomize=True, database=None)
        settings.load_profile("mutation")
        self._target = target
        self._server = server
        self._suite = load(target, server)
        plain.who_imports()
        gc.freeze()  # no child need look through what is loaded
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

    def _try(self, mutant: Mutant, names: list[str], pipe: int) -> int:
        course = Bounded(names, self.order.seconds(), pipe)
        if not self.order.is_run_at_import(mutant) and swap(mutant):
            return self._suite.run(course)
        plain.forget(mutant.file)
        sys.meta_path.insert(0, Changed(mutant))
        return load(self._target, self._server).run(course)

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
            code = load(self._target, self._server).run(watch)
        finally:
            with os.fdopen(pipe, "wb") as said:
                said.write(watch.running.encode() if code else msgspec.json.encode(watch.seen))
        return code


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

"""python -m tests.mutation [TARGET ...]: which mutants do the tests let live, and is that explained?"""

import argparse
import asyncio
import contextlib
import importlib
import multiprocessing
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.embedded_postgres import EmbeddedPostgres
from models.migrate import migrate
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.plain import who_imports
from tests.mutation.targets import ROOT, TARGETS, Target, module_of
from tests.mutation.trial import existing, run

EXPLAINED = Path(__file__).parent / "explained.toml"
LANES = 2
LIBRARIES = (
    "_pytest.doctest",
    "pytest_asyncio.plugin",
    "hypothesis",
    "httpx",
    "structlog",
    "uuid_utils.compat",
)


def main() -> None:
    """Exit code 1 when a mutant lives that nobody explained."""
    arguments = _arguments()
    os.chdir(ROOT)
    unexplained = 0
    for name in arguments.targets:
        unexplained += _judge(name, arguments)
    sys.exit(1 if unexplained else 0)


def _arguments() -> argparse.Namespace:

    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help=", ".join(TARGETS))
    parser.add_argument("--file", default="", help="only files whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="try only each so-manieth mutant")
    parser.add_argument("--from", type=int, default=0, dest="first", help="and not the first N")
    parser.add_argument("--lanes", type=int, default=LANES, help="mutants tried side by side")
    return parser.parse_args()


def _judge(name: str, arguments: argparse.Namespace) -> int:
    """Tries the mutants of a target; the number of survivors that nobody explained."""

    target, lanes = TARGETS[name], arguments.lanes
    files = [file for file in target.files if arguments.file in file]
    made = [mutant for file in files for mutant in mutants(file, Path(file).read_text())]
    made = made[arguments.first :: arguments.every]
    begun = time.monotonic()
    context = multiprocessing.get_context("fork")
    work: Any = context.SimpleQueue()
    told: Any = context.SimpleQueue()
    for number in [*range(len(made)), *([None] * lanes)]:
        work.put(number)
    processes = [
        context.Process(target=_lane, args=(target, made, work, told)) for _ in range(lanes)
    ]
    for process in processes:
        process.start()
    verdicts = dict(_verdicts(told, made))
    for process in processes:
        process.join()
    return _report(name, made, verdicts, time.monotonic() - begun)


def _verdicts(told: Any, made: list[Mutant]) -> Iterator[tuple[int, str]]:
    """As they come; a survivor that nobody explained is shown at once."""
    explained = _explained()
    for done in range(1, len(made) + 1):
        answer = told.get()
        if isinstance(answer, str):
            sys.exit(answer)
        yield answer
        mutant = made[answer[0]]
        if answer[1] == "survived" and not _is_known(mutant, explained):
            print(f"{mutant.file}:{mutant.line}\n  - {mutant.was}\n  + {mutant.now}", flush=True)
        if done % 50 == 0:
            print(f"  {done} of {len(made)}", file=sys.stderr, flush=True)


def _lane(target: Target, made: list[Mutant], work: Any, told: Any) -> None:

    for library in LIBRARIES:
        __import__(library)
    if not target.needs_database:
        for test in existing(target.tests):
            importlib.import_module(module_of(test))
        who_imports()
    with contextlib.ExitStack() as stack:
        server = None
        if target.needs_database:
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="mojito-mutation-"))
            server = stack.enter_context(EmbeddedPostgres(Path(home) / "data", durable=False))
            # every database begins as a copy of this one, so each run finds nothing to migrate
            asyncio.run(migrate(server.url("template1")))
        begun = time.monotonic()
        unchanged = made[0]._replace(code=Path(made[0].file).read_text())
        if run(target, unchanged, server, 600) != "survived":
            told.put("the tests fail without any mutant")
            return
        patience = 10 + 5 * (time.monotonic() - begun)
        while (number := work.get()) is not None:
            told.put((number, run(target, made[number], server, patience)))


def _report(name: str, made: list[Mutant], verdicts: dict[int, str], seconds: float) -> int:
    explained = _explained()
    survivors = [made[number] for number, verdict in verdicts.items() if verdict == "survived"]
    unexplained = [mutant for mutant in survivors if not _is_known(mutant, explained)]
    counts = Counter(verdicts.values())
    print(
        f"{name}: {len(made)} mutants, {counts['killed']} killed, {counts['timed out']} timed out,"
        f" {len(survivors)} survived, {len(survivors) - len(unexplained)} of them explained,"
        f" {seconds:.0f} s",
        flush=True,
    )
    return len(unexplained)


def _explained() -> list[dict[str, str]]:
    with EXPLAINED.open("rb") as file:
        return tomllib.load(file).get("mutant", [])


def _is_known(mutant: Mutant, explained: list[dict[str, str]]) -> bool:
    """An explanation without `now` is about every change of the line."""
    return any(
        mutant.file == known["file"]
        and mutant.was == known["was"]
        and mutant.now == known.get("now", mutant.now)
        for known in explained
    )


if __name__ == "__main__":
    main()

"""python -m tests.mutation [TARGET ...]: which mutants do the tests let live, and is that explained?"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutation.memory import Memory
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.server import running_server
from tests.mutation.targets import ROOT, TARGETS, Target
from tests.mutation.trial import Trials, Verdict

EXPLAINED = Path(__file__).parent / "explained.toml"
LANES = 2

type Verdicts = dict[int, Verdict]


def main() -> None:
    """Exit code 1 when a mutant lives that nobody explained, or an explanation is of a line that is gone."""
    arguments = _arguments()
    os.chdir(ROOT)
    unexplained = _outdated()
    for name in arguments.targets:
        unexplained += _judge(name, arguments)
    sys.exit(1 if unexplained else 0)


def _arguments() -> argparse.Namespace:

    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help=", ".join(TARGETS))
    parser.add_argument("--file", default="", help="only files whose name contains this")
    parser.add_argument("--every", type=int, default=1, help="try only each so-manieth mutant")
    parser.add_argument("--from", type=int, default=0, dest="first", help="and not the first N")
    parser.add_argument(
        "--lanes", type=int, default=LANES, help="mutants tried side by side; 0: tell what is known"
    )
    return parser.parse_args()


def _judge(name: str, arguments: argparse.Namespace) -> int:
    """Tries the mutants of a target; the number of survivors that nobody explained."""

    target = TARGETS[name]
    files = [file for file in target.files if arguments.file in file]
    made = [mutant for file in files for mutant in mutants(file, Path(file).read_text())]
    made = made[arguments.first :: arguments.every]
    memory = Memory(target)
    known = {n: verdict for n, mutant in enumerate(made) if (verdict := _known(mutant, memory))}
    begun = time.monotonic()
    tried: Verdicts = {}
    for number, verdict in _tried(target, made, known, arguments.lanes):
        tried[number] = verdict
        memory.add(made[number], verdict)
        _show(made[number], verdict)
        if len(tried) % 50 == 0:
            print(f"  {len(tried)} of {len(made) - len(known)}", file=sys.stderr, flush=True)
    for number, verdict in known.items():
        _show(made[number], verdict)
    seconds = time.monotonic() - begun
    print(f"{name}: {len(tried)} mutants tried in {seconds:.0f} s, {len(known)} before")
    return _report(made, known | tried)


def _known(mutant: Mutant, memory: Memory) -> Verdict | None:
    """What is explained lives, that need not be seen again."""
    return Verdict("survived") if _is_explained(mutant) else memory.verdict(mutant)


def _tried(
    target: Target, made: list[Mutant], known: Verdicts, lanes: int
) -> Iterator[tuple[int, Verdict]]:
    """The verdicts about what is not known yet, as they come."""
    wanted = [number for number in range(len(made)) if number not in known]
    if not wanted or not lanes:
        return
    context = multiprocessing.get_context("fork")
    taken = context.Value("i", 0)
    told: Any = context.SimpleQueue()

    def lane() -> None:
        for answer in _verdicts(target, made, known, _turns(wanted, taken)):
            told.put(answer)

    processes = [context.Process(target=lane) for _ in range(lanes)]
    for process in processes:
        process.start()
    for _ in wanted:
        answer = told.get()
        if isinstance(answer, str):
            taken.value = len(wanted)
            sys.exit(answer)
        yield answer
    for process in processes:
        process.join()


def _turns(wanted: list[int], taken: Any) -> Iterator[int]:
    """What no other lane has taken."""
    while True:
        with taken.get_lock():
            turn = taken.value
            taken.value += 1
        if turn >= len(wanted):
            return
        yield wanted[turn]


def _verdicts(
    target: Target, made: list[Mutant], known: Verdicts, turns: Iterator[int]
) -> Iterator[tuple[int, Verdict] | str]:
    """Of one lane; a text when there can be none."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server()) if target.needs_database else None
        try:
            trials = Trials(target, server)
        except RuntimeError as error:
            yield str(error)
            return
        for number, verdict in known.items():
            trials.order.learn(made[number], verdict.by)
        for number in turns:
            yield number, trials.verdict(made[number])


def _show(mutant: Mutant, verdict: Verdict) -> None:
    """A survivor that nobody explained."""
    if verdict.what == "survived" and not _is_explained(mutant):
        print(f"{mutant.file}:{mutant.line}\n  - {mutant.was}\n  + {mutant.now}", flush=True)


def _report(made: list[Mutant], verdicts: Verdicts) -> int:
    for file in dict.fromkeys(mutant.file for mutant in made):
        of_file = {n: v for n, v in verdicts.items() if made[n].file == file}
        counts = Counter(verdict.what for verdict in of_file.values())
        print(
            f"  {file}: {sum(mutant.file == file for mutant in made)} mutants,"
            f" {len(of_file)} tried, {counts['killed']} killed, {counts['timed out']} timed out,"
            f" {counts['survived']} survived, {len(_survivors(made, of_file, explained=True))}"
            " of them explained",
            flush=True,
        )
    return len(_survivors(made, verdicts, explained=False))


def _survivors(made: list[Mutant], verdicts: Verdicts, *, explained: bool) -> list[Mutant]:
    survivors = [made[n] for n, verdict in verdicts.items() if verdict.what == "survived"]
    return [mutant for mutant in survivors if _is_explained(mutant) == explained]


def _is_explained(mutant: Mutant) -> bool:
    """Without `now` an explanation is about any change of the line, without `above` of each such line."""
    return any(
        mutant.now == told.get("now", mutant.now)
        and mutant.above == told.get("above", mutant.above)
        for told in _explained().get((mutant.file, mutant.was), ())
    )


def _outdated() -> int:
    """How many lines are explained that there are no more."""
    gone = [(file, was) for file, was in _explained() if was not in _joined(file)]
    for file, was in gone:
        print(f"{file}: explained, and not there any more\n  - {was}")
    return len(gone)


@cache
def _joined(file: str) -> str:
    """As changes of several lines are told."""
    path = ROOT / file
    return " ".join(line.strip() for line in path.read_text().splitlines()) if path.exists() else ""


@cache
def _explained() -> dict[tuple[str, str], list[dict[str, str]]]:
    by_line: dict[tuple[str, str], list[dict[str, str]]] = {}
    for told in tomllib.loads(EXPLAINED.read_text())["mutant"]:
        by_line.setdefault((told["file"], told["was"]), []).append(told)
    return by_line


if __name__ == "__main__":
    main()

"""Verdicts of earlier runs, so that one that was cut off goes on, and parts add up."""

import hashlib
from functools import cache
from pathlib import Path

import msgspec

from tests.mutation.mutants import Mutant
from tests.mutation.targets import ROOT, Target
from tests.mutation.trial import Verdict

FILE = ROOT / ".mutation.jsonl"


class Entry(msgspec.Struct, frozen=True):
    """`tests` is what was read when it was judged: the file of the test that noticed, or all of them."""

    mutant: str
    verdict: Verdict
    tests: str


class Memory:
    """A mutant is what its whole file reads. A change of the tests that have judged forgets their verdict."""

    def __init__(self, target: Target) -> None:
        self._target = target
        lines = FILE.read_bytes().splitlines() if FILE.exists() else []
        entries = [msgspec.json.decode(line, type=Entry) for line in lines]
        self._entries = {entry.mutant: entry for entry in entries}

    def verdict(self, mutant: Mutant) -> Verdict | None:
        """None: try it."""
        entry = self._entries.get(_digest(mutant.file, mutant.code))
        if entry is None or entry.tests != self._judges(entry.verdict):
            return None
        return entry.verdict

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """Written at once."""
        entry = Entry(_digest(mutant.file, mutant.code), verdict, self._judges(verdict))
        with FILE.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")

    def _judges(self, verdict: Verdict) -> str:
        file = verdict.by.partition("::")[0]
        return _digest(*(_read(test) for test in ([file] if file else self._target.there())))


@cache
def _read(file: str) -> str:
    return Path(ROOT / file).read_text()


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]

"""Sends many requests for every operation of the document and counts what came back."""

import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import requests as requests_library
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.fuzz.nasty import Draw
from tests.fuzz.target import Target
from tests.fuzz.verdict import complaints
from tests.fuzz.wire import PATIENCE_SECONDS, Answer, Request, good_request, requests, send

UNWRITABLE = (requests_library.exceptions.InvalidHeader, requests_library.exceptions.InvalidURL)
EXPECTED_REFUSALS = ["400", "401", "403", "404", "409", "412", "413", "415", "422", "428"]
RICHER = {
    "build_on_meta": 4,
    "create_account": 2,
    "change_account": 2,
    "patch_account": 2,
    "create_asset": 2,
}
"""Operations with bodies have more to be wrong about."""
FROM_DOCUMENT = {"build_on_meta": 0.1}
"""Which part of the cases is made from the document alone; the largest body takes a second for each."""


class Tally:
    """How many answers of which status each operation gave, and what was wrong with any of them."""

    def __init__(self) -> None:
        self.answers: dict[str, Counter[int]] = {}
        self.findings: dict[str, tuple[int, str]] = {}
        self.slowest = (0.0, "")

    def count(self, operation: str, request: str, answer: Answer, wrong: list[str]) -> None:
        """One answer."""
        self.answers.setdefault(operation, Counter())[answer.status] += 1
        self.slowest = max(self.slowest, (answer.seconds, operation))
        for complaint in wrong:
            self.find(f"{operation}: {complaint}", f"{request}\n    {answer.body[:500]!r}")

    def find(self, what: str, example: str) -> None:
        """The first example of each kind of finding is kept."""
        times, first = self.findings.get(what, (0, example))
        self.findings[what] = (times + 1, first)

    @property
    def total(self) -> int:
        return sum(counts.total() for counts in self.answers.values())

    def classes(self, operation: str) -> Counter[str]:
        """Of 2xx, 4xx and so on."""
        classes: Counter[str] = Counter()
        for status, times in self.answers.get(operation, Counter()).items():
            classes[f"{status // 100}xx"] += times
        return classes

    def lines(self) -> Iterator[str]:
        """A table for people."""
        for operation, counts in sorted(self.answers.items()):
            classes = "  ".join(f"{k}: {v}" for k, v in sorted(self.classes(operation).items()))
            statuses = " ".join(f"{status}={times}" for status, times in sorted(counts.items()))
            yield f"{operation:18} {counts.total():6}  {classes:20}  {statuses}"
        yield f"{'all':18} {self.total:6}  slowest {self.slowest[0]:.2f} s ({self.slowest[1]})"

    def report(self) -> str:
        """Every kind of finding with its first example."""
        found = sorted(self.findings.items(), key=lambda item: -item[1][0])
        return "\n".join(f"{times} times {what}\n    {first}" for what, (times, first) in found)


class Fuzzing:
    """One run over all operations."""

    def __init__(self, target: Target, seed_number: int) -> None:
        self.target = target
        self.seed = seed_number
        self.tally = Tally()
        self.schema = schemathesis.openapi.from_dict(_document(target.url))
        self.schema.config.checks.negative_data_rejection.expected_statuses = EXPECTED_REFUSALS
        self._operations = [result.ok() for result in self.schema.get_all_operations()]
        self._session = requests_library.Session()
        self._session.trust_env = False

    @property
    def names(self) -> list[str]:
        """Of every operation."""
        return [name_of(operation) for operation in self._operations]

    def run(self, cases: int) -> Tally:
        """About so many cases, a part of them for each operation."""
        parts = {name: RICHER.get(name, 1) for name in self.names}
        with self._session, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what generators say of themselves is not ours
            for operation in self._operations:
                share = cases * parts[name_of(operation)] / sum(parts.values())
                self._operation(operation, max(8, round(share)))
        return self.tally

    def _operation(self, operation: Any, cases: int) -> None:
        """One good request, so that no luck decides whether it is ever carried out; then the others."""
        good = good_request(self.target, operation)
        self._wire(operation, good, f"Bearer {self.target.keys.good}")
        modes: list[GenerationMode | None] = [None, GenerationMode.POSITIVE]
        if operation.body or operation.query or operation.path_parameters:
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            strategy = (
                requests(self.target, operation) if mode is None else operation.as_strategy(mode)
            )
            ours = 1 - FROM_DOCUMENT.get(name_of(operation), 0.5)
            share = cases * (ours if mode is None else (1 - ours) / (len(modes) - 1))
            self._drive(operation, strategy, max(4, round(share)))

    def _drive(self, operation: Any, strategy: st.SearchStrategy[Any], cases: int) -> None:
        @seed(self.seed + zlib.crc32(name_of(operation).encode()))
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy, _authorizations(self.target), st.integers(0, 9))
        def one(generated: Any, authorization: str | None, chance: int) -> None:
            if isinstance(generated, Case):
                self._case(operation, generated, authorization, chance)
            else:
                self._wire(operation, generated, authorization)

        one()

    def _wire(self, operation: Any, request: Request, authorization: str | None) -> None:
        answer = send(request, self.target, authorization)
        named = {parameter.name: "x" for parameter in operation.path_parameters}
        case = operation.Case(path_parameters=named)
        self._judge(case, str(msgspec.to_builtins(request))[:2000], answer)

    def _case(
        self, operation: Any, case: Case[Any], authorization: str | None, chance: int
    ) -> None:
        """Most cases go to an object that is there, and files come from this machine alone."""
        real_id = self.target.real_id(name_of(operation)) if chance < 6 else None
        if real_id is not None:
            case.path_parameters = dict.fromkeys(case.path_parameters, real_id)
        is_negative = case.meta.generation.mode.is_negative and real_id is None
        if isinstance(case.body, dict) and str(case.body.get("url", "")).startswith("http"):
            case.body = {**case.body, "url": self._at_home(case.body["url"])}
        headers = {} if authorization is None else {"Authorization": authorization}
        try:
            response = case.call(
                self.target.url, self._session, headers=headers, timeout=PATIENCE_SECONDS
            )
        except UNWRITABLE:
            return
        told = [(name, value) for name, values in response.headers.items() for value in values]
        answer = Answer(response.status_code, told, response.content, response.elapsed)
        request = case.as_curl_command(headers=headers)[:2000]
        self._judge(case, request, answer, must_be_refused=is_negative)

    def _judge(
        self, case: Case[Any], request: str, answer: Answer, *, must_be_refused: bool = False
    ) -> None:
        found = complaints(case, answer, self.target.secrets, must_be_refused=must_be_refused)
        wrong = list(found)
        self.tally.count(name_of(case.operation), request, answer, wrong)

    def _at_home(self, url: str) -> str:
        rest = url.partition("://")[2].partition("/")[2]
        return f"{self.target.files_url}/{rest}"


def _document(url: str) -> dict[str, Any]:
    """As it is served, but for the key, which each case gets by itself, and for streams, which never end."""
    document = httpx.get(f"{url}/api/v1/openapi.json", trust_env=False, timeout=60).json()
    document["paths"] = {
        path: operations
        for path, operations in document["paths"].items()
        if "text/event-stream" not in str(operations)
    }
    del document["security"], document["components"]["securitySchemes"]
    return document


def name_of(operation: Any) -> str:
    """Its operationId."""
    return operation.definition.raw["operationId"]


@st.composite
def _authorizations(draw: Draw, target: Target) -> str | None:
    """The good key nearly always, else one that must not do."""
    keys = target.keys
    wrong = [
        None,
        "Bearer",
        "Bearer mj_test_",
        f"Basic {keys.revoked}",
        f"Bearer {keys.revoked}",
        f"Bearer {keys.scopeless}",
        f"Bearer {keys.foreign}",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 5000,
    ]
    # in the middle, for generators like the ends of a range
    is_wrong = draw(st.integers(0, 24)) in (11, 13)
    return draw(st.sampled_from(wrong)) if is_wrong else f"Bearer {keys.good}"

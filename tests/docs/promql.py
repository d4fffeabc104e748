"""Answers the expressions of our alert rules from two scrapes, as Prometheus would; refuses all others."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import promql_parser
from prometheus_client.parser import text_string_to_metric_families

type Labels = frozenset[tuple[str, str]]
type Series = tuple[str, Labels]
type Scrape = Mapping[Series, float]
type Vector = dict[Labels, float]

_CALCULATES: dict[str, Callable[[float, float], float]] = {
    "/": lambda a, b: a / b if b else math.nan
}
_COMPARES: dict[str, Callable[[float, float], bool]] = {">": operator.gt, "==": operator.eq}
_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "MatchOp.Equal": lambda wanted, value: wanted == value,
    "MatchOp.NotEqual": lambda wanted, value: wanted != value,
    "MatchOp.Re": lambda wanted, value: re.fullmatch(wanted, value) is not None,
    "MatchOp.NotRe": lambda wanted, value: re.fullmatch(wanted, value) is None,
}


def scraped(texts: Mapping[str, str]) -> Scrape:
    """Every series of these instances, which Prometheus labels with where they come from."""
    return {
        (sample.name, frozenset({**sample.labels, "instance": instance}.items())): sample.value
        for instance, text in texts.items()
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Evaluation:
    """Of two scrapes that lie so many seconds apart."""

    def __init__(self, first: Scrape, last: Scrape, seconds: float) -> None:
        self._first, self._last, self._seconds = first, last, seconds

    def fires(self, expression: str) -> bool:
        """Whether the rule has an answer, which is what makes an alert."""
        return bool(self._vector(promql_parser.parse(expression)))

    def _vector(self, node: Any) -> Vector:
        return getattr(self, f"_{type(node).__name__}")(node)

    def _ParenExpr(self, node: Any) -> Vector:  # noqa: N802 - the parser's names
        return self._vector(node.expr)

    def _VectorSelector(self, node: Any) -> Vector:  # noqa: N802
        return dict(self._selected(node, self._last))

    def _Call(self, node: Any) -> Vector:  # noqa: N802
        (given,) = node.args
        if node.func.name == "absent":
            return {} if self._vector(given) else {frozenset(): 1.0}
        by = {"rate": self._seconds, "increase": 1.0}[node.func.name]
        before = dict(self._selected(given.vector_selector, self._first))
        return {
            labels: (value - before[labels]) / by
            for labels, value in self._selected(given.vector_selector, self._last)
            if labels in before  # of a series that is new nobody knows how it grew
        }

    def _AggregateExpr(self, node: Any) -> Vector:  # noqa: N802
        kept = set(node.modifier.labels) if node.modifier else set()
        groups: dict[Labels, list[float]] = {}
        for labels, value in self._vector(node.expr).items():
            groups.setdefault(_only(labels, kept), []).append(value)
        fold = {"min": _without_nan(min), "max": _without_nan(max), "sum": sum}[str(node.op)]
        return {labels: fold(values) for labels, values in groups.items()}

    def _BinaryExpr(self, node: Any) -> Vector:  # noqa: N802
        left, sign = self._vector(node.lhs), str(node.op)
        if isinstance(node.rhs, promql_parser.NumberLiteral):
            bound = node.rhs.val
            return {
                labels: value for labels, value in left.items() if _COMPARES[sign](value, bound)
            }
        on = set(node.modifier.matching.labels) if node.modifier else None
        right = {_only(labels, on): value for labels, value in self._vector(node.rhs).items()}
        return {
            _only(labels, on): _CALCULATES[sign](value, right[_only(labels, on)])
            for labels, value in left.items()
            if _only(labels, on) in right
        }

    def _selected(self, selector: Any, scrape: Scrape) -> Iterable[tuple[Labels, float]]:
        for (name, labels), value in scrape.items():
            told = dict(labels)
            if name == selector.name and all(
                _MATCHES[str(one.op)](one.value, told.get(one.name, ""))
                for one in selector.matchers.matchers
            ):
                yield labels, value


def _only(labels: Labels, kept: set[str] | None) -> Labels:
    return labels if kept is None else frozenset(one for one in labels if one[0] in kept)


def _without_nan(fold: Callable[[list[float]], float]) -> Callable[[list[float]], float]:
    def folded(values: list[float]) -> float:
        numbers = [value for value in values if not math.isnan(value)]
        return fold(numbers) if numbers else math.nan

    return folded

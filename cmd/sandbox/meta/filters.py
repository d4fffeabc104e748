"""The `filtering` parameter: a list of field, operator and value."""

from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.meta.asking import Ask
from sandbox.meta.errors import parameter
from sandbox.meta.fields import Field
from sandbox.meta.reading import value_of
from sandbox.objects import Record

_PREFIXES = {"campaign": "campaign", "adset": "ad_set", "ad_set": "ad_set", "ad": "ad"}
_TIMES = ("created_time", "updated_time")


class Filter(msgspec.Struct, frozen=True):
    """One condition; all of them must hold."""

    field: str
    operator: str
    value: Any = None

    @property
    def asks_status(self) -> bool:
        """Whoever names a status is shown what is deleted, too."""
        return self.field.rsplit(".", maxsplit=1)[-1] in (
            "status",
            "effective_status",
            "configured_status",
            "delivery_info",
        )

    def fits(self, ask: Ask, record: Record) -> bool:
        """Whether the record is one of those that were asked for."""
        prefix, _, name = self.field.rpartition(".")
        found = _owner(ask, record, prefix)
        value = None if found is None else _comparable(ask, found, name)
        return _OPERATORS[self.operator](value, self.value)


def asked_filters(ask: Ask) -> list[Filter]:
    """Raises Meta's error for what is no list of conditions."""
    given = ask.params.get("filtering") or []
    try:
        found = msgspec.convert(given, list[Filter])
    except msgspec.ValidationError:
        raise parameter(
            "filtering", "Param filtering must be an array of field, operator and value"
        ) from None
    for rule in found:
        if rule.operator not in _OPERATORS:
            raise parameter("filtering", f"Filtering operator {rule.operator} is not supported")
        prefix = rule.field.rpartition(".")[0]
        if prefix and prefix not in _PREFIXES:
            raise parameter("filtering", f"Filtering field {rule.field} is invalid")
    return found


def _owner(ask: Ask, record: Record, prefix: str) -> Record | None:
    found: Record | None = record
    while found is not None and prefix and found.kind != _PREFIXES[prefix]:
        found = ask.parent(found)
    return found


def _comparable(ask: Ask, record: Record, name: str) -> Any:
    if name in _TIMES:
        return record.created_at if name == "created_time" else record.updated_at
    return value_of(ask, record, Field(name))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _folded(value: Any) -> str:
    return _text(value).casefold()


def _one_of(value: Any, wanted: Any) -> bool:
    many: list[Any] = wanted if isinstance(wanted, list) else [wanted]  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger
    return _text(value) in {_text(item) for item in many}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise parameter("filtering", f"{_text(value)} cannot be compared as a number") from None


def _in_range(value: Any, wanted: Any) -> bool:
    low, high = wanted
    return _number(low) <= _number(value) <= _number(high)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": lambda value, wanted: _text(value) == _text(wanted),
    "NOT_EQUAL": lambda value, wanted: _text(value) != _text(wanted),
    "CONTAIN": lambda value, wanted: _folded(wanted) in _folded(value),
    "NOT_CONTAIN": lambda value, wanted: _folded(wanted) not in _folded(value),
    "STARTS_WITH": lambda value, wanted: _folded(value).startswith(_folded(wanted)),
    "IN": _one_of,
    "NOT_IN": lambda value, wanted: not _one_of(value, wanted),
    "GREATER_THAN": lambda value, wanted: _number(value) > _number(wanted),
    "GREATER_THAN_OR_EQUAL": lambda value, wanted: _number(value) >= _number(wanted),
    "LESS_THAN": lambda value, wanted: _number(value) < _number(wanted),
    "LESS_THAN_OR_EQUAL": lambda value, wanted: _number(value) <= _number(wanted),
    "IN_RANGE": _in_range,
}

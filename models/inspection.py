"""Finds every violation of a type in plain JSON values, each with a pointer; msgspec tells only the first."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect

from models.violation import MOST_TOLD, Violation, step, violation

_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_BLANK = "Text must not be blank."


def violations(kind: Any, document: Any) -> list[Violation]:
    """Everything in the document that is not as the type says, as far as it is told; nothing is coerced.

    >>> violations(list[int], [1, "2", True])
    [{'pointer': '/1', 'code': 'wrong_type', 'message': 'Expected an integer, got text.'}, \
{'pointer': '/2', 'code': 'wrong_type', 'message': 'Expected an integer, got a boolean.'}]
    """
    return _walk(_described(kind), document, "")[:MOST_TOLD]


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested in more levels; other programs give up on deep ones.

    >>> is_deeper([[{}]], 3), is_deeper([[{}]], 2)
    (False, True)
    """
    found = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        found = [
            inner
            for outer in found
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not found:
            return False
    return bool(found)


@cache
def _described(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _walk(kind: inspect.Type, value: Any, pointer: str) -> list[Violation]:
    if isinstance(kind, inspect.Metadata):
        examples = (kind.extra_json_schema or {}).get("examples", ())
        return [_shown(v, pointer, examples) for v in _walk(kind.type, value, pointer)]
    check = _CHECKS.get(type(kind))
    return [] if check is None else check(kind, value, pointer)


def _shown(found: Violation, pointer: str, examples: Any) -> Violation:
    """An example says more about a format than its pattern does."""
    if found["code"] != "wrong_format" or found["pointer"] != pointer or not examples:
        return found
    if found["message"] == _BLANK:
        return found
    return {**found, "message": f"Expected text like {examples[0]}."}


def _struct(kind: inspect.StructType, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, dict):
        return _wrong_type("an object", value, pointer)
    if _is_readable(kind.cls, value):
        return []  # most of a large request is, and reading it costs a tenth of looking at it
    given: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
    found: list[Violation] = []
    known = {field.encode_name for field in kind.fields}
    for field in kind.fields:
        at = step(pointer, field.encode_name)
        if field.encode_name in given:
            found += _walk(field.type, given[field.encode_name], at)
        elif field.required:
            found.append(violation(at, "missing", "This field is required."))
    if kind.forbid_unknown_fields:
        strange = (name for name in given if name not in known and name != kind.tag_field)
        found += [
            violation(step(pointer, name), "unknown_field", "There is no such field.")
            for name in islice(strange, MOST_TOLD)
        ]
    return found


def _is_readable(kind: type[Any], value: Any) -> bool:
    """As the type says, with text that can be written down again; what this cannot tell is looked at."""
    try:
        msgspec.convert(value, kind)
        msgspec.json.encode(value)
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError):
        return False
    return True


def _union(kind: inspect.UnionType, value: Any, pointer: str) -> list[Violation]:
    if value is None and kind.includes_none:
        return []
    rest = [t for t in kind.types if not isinstance(t, inspect.NoneType)]
    structs = [t for t in rest if isinstance(t, inspect.StructType) and t.tag_field is not None]
    if len(rest) == 1:
        return _walk(rest[0], value, pointer)
    if structs and isinstance(value, dict):
        return _tagged(structs, value, pointer)  # pyright: ignore[reportUnknownArgumentType]  # JSON of a caller
    tries = [_walk(t, value, pointer) for t in rest]
    return min(tries, key=len)


def _tagged(
    structs: list[inspect.StructType], value: dict[str, Any], pointer: str
) -> list[Violation]:
    field = str(structs[0].tag_field)
    at = step(pointer, field)
    tags = ", ".join(str(struct.tag) for struct in structs)
    if field not in value:
        return [violation(at, "missing", f"This field is required; one of {tags}.")]
    for struct in structs:
        if struct.tag == value[field]:
            return _struct(struct, value, pointer)
    return [violation(at, "not_allowed", f"Expected one of {tags}.")]


def _list(kind: Any, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, list):
        return _wrong_type("a list", value, pointer)
    items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
    found = _length(kind, len(items), pointer, ("item", "items"))
    for index, item in enumerate(items):
        found += _walk(kind.item_type, item, f"{pointer}/{index}")
        if len(found) >= MOST_TOLD:
            break
    return found


def _dict(kind: inspect.DictType, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, dict):
        return _wrong_type("an object", value, pointer)
    given: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
    found = _length(kind, len(given), pointer, ("entry", "entries"))
    for name, item in given.items():
        found += _walk(kind.key_type, name, step(pointer, name))
        found += _walk(kind.value_type, item, step(pointer, name))
        if len(found) >= MOST_TOLD:
            break
    return found


def _str(kind: inspect.StrType, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, str):
        return _wrong_type("text", value, pointer)
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return [violation(pointer, "invalid_text", "Text must not contain half a character.")]
    found = _length(kind, len(value), pointer, ("character", "characters"))
    if not found and kind.pattern is not None and not re.search(kind.pattern, value):
        message = f"Expected text like {kind.pattern}." if value.strip() else _BLANK
        found.append(violation(pointer, "wrong_format", message))
    return found


def _int(kind: inspect.IntType, value: Any, pointer: str) -> list[Violation]:
    if isinstance(value, bool) or not isinstance(value, int):
        return _wrong_type("an integer", value, pointer)
    return _range(kind, value, pointer)


def _float(kind: inspect.FloatType, value: Any, pointer: str) -> list[Violation]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _wrong_type("a number", value, pointer)
    return _range(kind, value, pointer)


def _bool(_: inspect.BoolType, value: Any, pointer: str) -> list[Violation]:
    return [] if isinstance(value, bool) else _wrong_type("a boolean", value, pointer)


def _literal(kind: inspect.LiteralType, value: Any, pointer: str) -> list[Violation]:
    if any(type(value) is type(allowed) and value == allowed for allowed in kind.values):
        return []
    allowed = ", ".join(str(allowed) for allowed in kind.values)
    return [violation(pointer, "not_allowed", f"Expected one of {allowed}.")]


def _datetime(kind: inspect.DateTimeType, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, str):
        return _wrong_type("text", value, pointer)
    message = "Expected a time like 2026-12-01T00:00:00Z, with its offset from UTC."
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return [violation(pointer, "wrong_format", message)]
    if kind.tz and moment.tzinfo is None:
        return [violation(pointer, "wrong_format", message)]
    return []


def _uuid(_: inspect.UUIDType, value: Any, pointer: str) -> list[Violation]:
    if not isinstance(value, str):
        return _wrong_type("text", value, pointer)
    try:
        msgspec.convert(value, UUID)
    except msgspec.ValidationError:
        return [violation(pointer, "wrong_format", "Expected an id (UUID).")]
    return []


def _length(kind: Any, length: int, pointer: str, words: tuple[str, str]) -> list[Violation]:
    if kind.min_length is not None and length < kind.min_length:
        least = _counted(kind.min_length, words)
        return [violation(pointer, "too_short", f"Expected at least {least}.")]
    if kind.max_length is not None and length > kind.max_length:
        most = _counted(kind.max_length, words)
        return [violation(pointer, "too_long", f"Expected at most {most}.")]
    return []


def _counted(count: int, words: tuple[str, str]) -> str:
    """In words that agree with the number.

    >>> _counted(1, ("item", "items")), _counted(2, ("item", "items"))
    ('1 item', '2 items')
    """
    return f"{count} {words[count != 1]}"


def _range(kind: Any, value: float, pointer: str) -> list[Violation]:
    for limit, fails, words in (
        (kind.ge, lambda limit: value < limit, "at least"),
        (kind.gt, lambda limit: value <= limit, "more than"),
    ):
        if limit is not None and fails(limit):
            return [violation(pointer, "too_small", f"Expected {words} {limit}.")]
    for limit, fails, words in (
        (kind.le, lambda limit: value > limit, "at most"),
        (kind.lt, lambda limit: value >= limit, "less than"),
    ):
        if limit is not None and fails(limit):
            return [violation(pointer, "too_large", f"Expected {words} {limit}.")]
    return []


def _wrong_type(expected: str, value: Any, pointer: str) -> list[Violation]:
    got = _NAMES.get(type(value), "something else")
    return [violation(pointer, "wrong_type", f"Expected {expected}, got {got}.")]


_CHECKS: dict[type, Callable[..., list[Violation]]] = {
    inspect.StructType: _struct,
    inspect.UnionType: _union,
    inspect.ListType: _list,
    inspect.VarTupleType: _list,
    inspect.DictType: _dict,
    inspect.StrType: _str,
    inspect.IntType: _int,
    inspect.FloatType: _float,
    inspect.BoolType: _bool,
    inspect.LiteralType: _literal,
    inspect.DateTimeType: _datetime,
    inspect.UUIDType: _uuid,
}

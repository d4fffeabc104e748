"""Reads query parameters strictly: unknown, repeated and wrong ones are all refused at once."""

import functools
import re
import types
import typing
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request
from msgspec import Meta

from common.errors import CallerError
from common.plain_words import plainly

type AnyRequest = Request[Any, Any, Any]


MOST_PER_PAGE = 200
MOST_TOLD = 100
"""Of wrong parameters."""

_SPELLED: dict[type, tuple[re.Pattern[str], str]] = {
    int: (re.compile(r"-?[0-9]+"), "Expected a whole number, written in digits."),
    datetime: (
        re.compile(r"[0-9]{4}-.*"),
        "Expected a time like 2026-12-01T00:00:00Z, with its offset from UTC (+ is written %2B here).",
    ),
}
"""What msgspec takes beyond these is a guess: 1e2, 9007199254740993.0, a time as a number of seconds."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=MOST_PER_PAGE, description="How many at most.")] = 50
    cursor: Annotated[
        str | None, Meta(description="`next_cursor` of the page before; the first page without it.")
    ] = None


def refuse_parameters(request: AnyRequest) -> None:
    """Routes behind a key that name no query struct take no parameters. Raises CallerError (400)."""
    opt = request.route_handler.opt
    if request.scope["query_string"] and not opt.get("open") and opt.get("query") is None:
        read_query(request, msgspec.Struct)


def read_query[T: msgspec.Struct](request: AnyRequest, kind: type[T]) -> T:
    """The parameters as `kind`. Raises CallerError (400) naming every one that is wrong."""
    if not request.scope["query_string"]:
        return kind()
    fields = _fields(kind)
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for name, text in request.query_params.multi_items():
        if len(errors) >= MOST_TOLD:
            break
        if name not in fields:
            errors.append(_error(name, "unknown_parameter", "There is no such parameter here."))
        elif name in values and isinstance(values[name], tuple):
            # what some clients make of a list
            values[name] += _convert(name, text, fields[name].type, errors)
        elif name in values:
            errors.append(_error(name, "repeated_parameter", "It may be given once."))
        else:
            values[name] = _convert(name, text, fields[name].type, errors)
    if errors:
        raise CallerError(
            "Query parameters are not acceptable.", code=errors[0]["code"], errors=errors
        )
    return kind(**values)


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _convert(name: str, text: str, kind: Any, errors: list[dict[str, str]]) -> Any:
    if typing.get_origin(kind_of(kind)) is tuple:
        return _words(name, text, kind_of(kind), errors)
    for plain in _plain(kind):
        pattern, message = _SPELLED.get(plain, (None, ""))
        if pattern is not None and pattern.fullmatch(text) is None:
            errors.append(_error(name, "invalid_parameter", message))
            return None
    # msgspec reads the text null as None, which no caller can mean
    if text.lower() != "null" and "\x00" not in text:
        try:
            return _in_utc(msgspec.convert(text, kind, strict=False))
        except (msgspec.ValidationError, OverflowError) as error:
            errors.append(
                _error(name, "invalid_parameter", _expected(kind) or f"{plainly(str(error))}.")
            )
            return None
    errors.append(_error(name, "invalid_parameter", "This is not a value."))
    return None


def kind_of(kind: Any) -> Any:
    """The type behind its aliases and what is said about it."""
    while True:
        if isinstance(kind, typing.TypeAliasType):
            kind = kind.__value__
        elif typing.get_origin(kind) is Annotated:
            kind = typing.get_args(kind)[0]
        else:
            return kind


@functools.cache
def _plain(kind: Any) -> tuple[Any, ...]:
    """What a parameter may be, without what is said about it.

    >>> _plain(Annotated[int, Meta(ge=0)] | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    kind = kind_of(kind)
    if typing.get_origin(kind) not in (types.UnionType, typing.Union):
        return (kind,)
    return tuple(plain for part in typing.get_args(kind) for plain in _plain(part))


def _expected(kind: Any) -> str | None:
    """What would do, where msgspec tells no more than that this does not.

    >>> _expected(typing.Literal["image", "video"] | None)
    'Expected one of image, video.'
    """
    for plain in _plain(kind):
        if typing.get_origin(plain) is typing.Literal:
            return f"Expected one of {', '.join(typing.get_args(plain))}."
        if plain is datetime:
            return _SPELLED[datetime][1]
    return None


def _words(name: str, text: str, kind: Any, errors: list[dict[str, str]]) -> tuple[str, ...]:
    """Several words with commas between; each must be one of those that the type allows."""
    allowed = typing.get_args(typing.get_args(kind)[0])
    words = tuple(text.split(","))
    if unknown := [word for word in words if word not in allowed]:
        message = f"{', '.join(map(repr, unknown))} is not one of {', '.join(allowed)}."
        errors.append(_error(name, "unknown_value", message))
    return words


def _in_utc(value: Any) -> Any:
    """A moment as the database takes it. Raises OverflowError for one that UTC has no date for."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _error(name: str, code: str, message: str) -> dict[str, str]:
    return {"parameter": name, "code": code, "message": message}

"""Reads query parameters strictly: unknown, repeated and wrong ones are all refused at once."""

import base64
import binascii
import functools
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request
from msgspec import Meta

from common.errors import CallerError

type AnyRequest = Request[Any, Any, Any]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most.")] = 50
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
        if name not in fields:
            errors.append(_error(name, "unknown_parameter", "There is no such parameter here."))
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


def encode_cursor(last: UUID) -> str:
    """Opaque: where the next page begins."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> UUID | None:
    """Raises CallerError (400) for what no page gave out.

    >>> decode_cursor(encode_cursor(UUID(int=7))) == UUID(int=7)
    True
    """
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise CallerError(
            "The cursor is not one that a page gave out.",
            code="invalid_cursor",
            errors=[_error("cursor", "invalid_cursor", "Use next_cursor as it was given.")],
        ) from None


def next_cursor(ids: list[UUID], limit: int) -> str | None:
    """Of a page that was asked for with one row more than it shows."""
    return encode_cursor(ids[limit - 1]) if len(ids) > limit else None


def _convert(name: str, text: str, kind: Any, errors: list[dict[str, str]]) -> Any:
    # msgspec reads the text null as None, which no caller can mean
    if text.lower() != "null" and "\x00" not in text:
        try:
            return _in_utc(msgspec.convert(text, kind, strict=False))
        except (msgspec.ValidationError, OverflowError) as error:
            errors.append(_error(name, "invalid_parameter", f"{error}."))
            return None
    errors.append(_error(name, "invalid_parameter", "This is not a value."))
    return None


def _in_utc(value: Any) -> Any:
    """A moment as the database takes it. Raises OverflowError for one that UTC has no date for."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _error(name: str, code: str, message: str) -> dict[str, str]:
    return {"parameter": name, "code": code, "message": message}

"""Reads what the control plane is asked for; all that is wrong is told at once, with what would do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, Response

from common.json_pointer import escaped
from common.not_json import why_not_json
from common.plain_words import plainly

MOST_DIGITS = 18
"""SQLite keeps numbers of 64 bits."""

type Violation = dict[str, str]
"""`pointer` into the body or `parameter` of the address, `code` (a stable word), `message`."""


class Refused(Exception):
    """Nothing was done, because of all these."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__(violations)
        self.violations = violations


def refusal(_: Request[Any, Any, Any], error: Refused) -> Response[dict[str, Any]]:
    """The answer to it."""
    told = [f"{_place(one)}{one['message']}" for one in error.violations]
    detail = " ".join(told)
    return Response(
        {"status_code": 400, "detail": detail, "errors": error.violations}, status_code=400
    )


async def read[T: msgspec.Struct](request: Request[Any, Any, Any], kind: type[T]) -> T:
    """The body as `kind`; an empty one is an empty object. Raises Refused."""
    try:
        document = msgspec.json.decode(await request.body() or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_json(why_not_json(await request.body(), error)) from None
    except RecursionError:
        raise _no_json("it is nested too deeply") from None
    if found := list(_violations(kind, document, "")):
        raise Refused(found)
    return msgspec.convert(document, kind)


def check_query(request: Request[Any, Any, Any], allowed: Mapping[str, Sequence[str]]) -> None:
    """Raises Refused for parameters that there are not, and for values that none of them has; a
    parameter without `allowed` values takes any."""
    found: list[Violation] = []
    for name, value in request.query_params.items():
        if name not in allowed:
            message = f"There is no such parameter; there are {', '.join(allowed)}."
            found.append({"parameter": name, "code": "unknown_parameter", "message": message})
        elif allowed[name] and value not in allowed[name]:
            message = one_of(allowed[name])
            found.append({"parameter": name, "code": "not_allowed", "message": message})
    if found:
        raise Refused(found)


def _no_json(why: str) -> Refused:
    return Refused([violation("", "not_json", f"The body is no JSON: {why}.")])


def whole_number(name: str, value: str) -> int:
    """What a parameter says. Raises Refused."""
    if not (value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS):
        message = f"Expected a whole number of at most {MOST_DIGITS} digits."
        raise Refused([{"parameter": name, "code": "invalid_parameter", "message": message}])
    return int(value)


def violation(pointer: str, code: str, message: str) -> Violation:
    """One thing that is wrong in the body."""
    return {"pointer": pointer, "code": code, "message": message}


def one_of(allowed: Sequence[object]) -> str:
    """What would do.

    >>> one_of(["a", 7])
    'Expected one of a, 7.'
    """
    return f"Expected one of {', '.join(map(str, allowed))}."


def _place(told: Violation) -> str:
    place = told.get("pointer", told.get("parameter"))
    return f"{place}: " if place else ""


def _violations(kind: type[msgspec.Struct], document: Any, pointer: str) -> Iterator[Violation]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    if not isinstance(document, dict):
        yield violation(pointer, "wrong_type", f"Expected an object with {', '.join(fields)}.")
        return
    given: dict[str, Any] = document  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
    for name in (name for name in given if name not in fields):
        message = f"There is no such field; there are {', '.join(fields)}."
        yield violation(f"{pointer}/{escaped(name)}", "unknown_field", message)
    for name, field in fields.items():
        at = f"{pointer}/{name}"
        if name in given:
            yield from _violations_of_value(field.type, given[name], at)
        elif field.required:
            yield violation(
                at, "missing", f"This field is required. {_allowed(field.type)}".strip()
            )


def _violations_of_value(kind: Any, value: Any, at: str) -> Iterator[Violation]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _violations(kind, value, at)
        return
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if allowed := _allowed(kind):
            yield violation(at, "not_allowed", allowed)
        else:
            yield violation(at, "invalid", f"{plainly(str(error))}.")


def _allowed(kind: Any) -> str:
    """What would do, where that is a list."""
    told = msgspec.inspect.type_info(kind)
    return one_of(told.values) if isinstance(told, msgspec.inspect.LiteralType) else ""

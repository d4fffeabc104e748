"""Reads JSON bodies strictly: nothing is coerced, nothing is ignored, every violation is told at once."""

import contextlib
import json
import math
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from litestar.exceptions import InternalServerException

from common.errors import CallerError, Invalid, UnsupportedMedia
from common.json_pointer import escaped
from common.not_json import why_not_json
from common.repeated_names import is_clearly_free, repeated_names
from models.inspection import is_deeper, violations
from models.violation import MOST_TOLD
from routes.parts import ApiRequest

JSON = "application/json"
PATCH_TYPES = ("application/merge-patch+json", JSON)
DEEPEST = 64
"""Levels of a document; what stands deeper no request means, and not every reader of it survives."""

LARGEST_EXPONENT = 30
MOST_DIGITS = 4300
"""Of a whole number; Python reads no longer ones."""
# what begins with one certain letter is found in a quarter of the time, so each looks for its own
_LIKE_AN_EXPONENT = re.compile(rb"e(?<=[0-9]e)[-+]?[0-9]{2}")
_LIKE_A_LARGE_ONE = re.compile(rb"E(?<=[0-9]E)[-+]?[0-9]{2}")
_EXPONENT = re.compile(rb"(?:^|[\[:,\s])-?[0-9]++(?:\.[0-9]++)?[eE][-+]?[0-9]{2}")
_INFINITE_DIGITS = 300
_INFINITE = re.compile(rb"[0-9]{%d}" % _INFINITE_DIGITS)
NUL = b"\\u0000"
"""The only way in which JSON writes it."""

type Rules = Callable[[dict[str, Any]], list[dict[str, str]]]


async def raw_body(
    request: ApiRequest, taken: Sequence[str] = (JSON,), answer: str = "Accept"
) -> bytes:
    """The bytes of a body of one of the types taken. Raises UnsupportedMedia, which names them."""
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind not in taken:
        raise UnsupportedMedia(
            f"Send Content-Type: {' or '.join(taken)}.",
            code="unsupported_media_type",
            headers={answer: ", ".join(taken)},
        )
    require_plain(request)
    with whole():
        return await request.body()


@contextlib.contextmanager
def whole() -> Generator[None]:
    """Around what reads a body: a caller who hangs up is no fault of ours, though Litestar calls it one."""
    try:
        yield
    except InternalServerException:
        raise CallerError("The body did not arrive whole.", code="incomplete_body") from None


def require_plain(request: ApiRequest) -> None:
    """Raises UnsupportedMedia for a body of two types, or one that would have to be unpacked first."""
    if len(request.headers.getall("content-type", [])) > 1:
        raise UnsupportedMedia(
            "Send one Content-Type: of two nobody knows which one is meant.",
            code="unsupported_media_type",
        )
    coding = ", ".join(request.headers.getall("content-encoding", [])).strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMedia(
            "Send the body as it is, without Content-Encoding.",
            code="unsupported_media_type",
            headers={"Accept-Encoding": "identity"},
        )


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the body of a route may say that takes none."""


async def refuse_body(request: ApiRequest) -> None:
    """Routes that take no body pass over none, but for an empty one. Raises CallerError."""
    if request.method != "POST" or "body" in request.route_handler.opt:
        return
    with whole():
        body = await request.body()
    if body:
        require_plain(request)
        refuse(body_violations(Nothing, parse_json(body)))


async def read_body[T](request: ApiRequest, kind: type[T], rules: Rules | None = None) -> T:
    """The body as `kind`. Raises CallerError (400) for what is no JSON, Invalid (422) for the rest."""
    document = parse_json(await raw_body(request))
    errors = body_violations(kind, document)
    if rules is not None and isinstance(document, dict):
        errors += rules(document)
    refuse(errors)
    return converted(document, kind)


def parse_json(body: bytes) -> Any:
    """Plain values. Raises CallerError for what is not JSON, or nested without end, Invalid for numbers
    that PostgreSQL writes out with so many digits that a small request becomes a large row, and for names
    that stand twice in one object: whoever reads on takes one of their values, and may take the other."""
    try:
        document = _values(body)
    except ValueError as error:
        reason = why_not_json(body, error)
        raise CallerError(f"The body is not JSON: {reason}.", code="not_json") from None
    except RecursionError:
        raise _too_deep() from None
    if is_deeper(document, DEEPEST):
        raise _too_deep()
    try:
        anew = msgspec.json.encode(document)
    except TypeError:  # a number that cannot be kept cannot be written either
        refuse(list(islice(_endless(document, ""), MOST_TOLD)))
        raise
    if not is_clearly_free(body, anew):
        refuse([_repeated(pointer) for pointer in islice(repeated_names(body), MOST_TOLD)])
    return document


def _values(body: bytes) -> Any:
    """Raises ValueError for what is not JSON."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError:  # a whole number of more digits than Python reads
        return json.loads(body.decode(), parse_int=_whole, parse_float=_number)


def has_exponent(body: bytes) -> bool:
    """Whether there is a number that may be short in a request and long where it is kept. A text in which
    such a number stands counts, too; every third UUID has a part that only looks like one.

    >>> has_exponent(b'{"budget": -1.5E+99}'), has_exponent(b'[1e99]')
    (True, True)
    >>> has_exponent(b'{"id": "0192f4e1-2e33-7abc"}')
    False
    """
    if _LIKE_AN_EXPONENT.search(body) is None and _LIKE_A_LARGE_ONE.search(body) is None:
        return False
    return _EXPONENT.search(body) is not None


def has_endless(body: bytes, anew: bytes) -> bool:
    """Whether there may be a number without an exponent that is too large for a reader of floats, which
    takes it for infinite. `anew` is what the body says as it was read and written again: far shorter then.

    >>> has_endless(b'[%b.5]' % (b"9" * 400), b'[null]'), has_endless(b'[1.5]', b'[1.5]')
    (True, False)
    """
    return len(body) - len(anew) >= _INFINITE_DIGITS and _INFINITE.search(body) is not None


class _Endless:
    """Stands for a number with more digits than can be kept."""


def _number(written: str) -> float | _Endless:
    """As it is meant: 1e-9999 is nothing, and ten thousand digits where it is kept."""
    exponent = written.lower().partition("e")[2].lstrip("+-").lstrip("0")
    if len(exponent) > 2 or int(exponent or 0) > LARGEST_EXPONENT:
        return _Endless()
    value = float(written)
    return value if math.isfinite(value) else _Endless()


def _whole(written: str) -> int | _Endless:
    return int(written) if len(written.lstrip("-")) <= MOST_DIGITS else _Endless()


def _endless(value: Any, pointer: str) -> Iterator[dict[str, str]]:
    match value:
        case _Endless():
            message = "A number has more digits than can be kept."
            yield {"pointer": pointer, "code": "invalid_number", "message": message}
        case dict():
            for name, inner in value.items():
                yield from _endless(inner, f"{pointer}/{escaped(name)}")
        case list():
            for index, inner in enumerate(value):
                yield from _endless(inner, f"{pointer}/{index}")
        case _:
            pass


_DECODER = msgspec.json.Decoder(float_hook=_number)


def converted[T](document: Any, kind: type[T]) -> T:
    """The document as `kind`, after it was inspected. Raises Invalid for what inspection overlooked."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        pointer = path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
        violation = {"pointer": pointer, "code": "invalid", "message": f"{message}."}
        raise Invalid(message, code="invalid_request", errors=[violation]) from None


def body_violations(kind: Any, document: Any) -> list[dict[str, str]]:
    """Of types and constraints, and of text that the database cannot hold."""
    return [*violations(kind, document), *text_violations(document)]


def text_violations(value: Any, pointer: str = "") -> list[dict[str, str]]:
    """Every text with a NUL character in it, as far as they are told.

    >>> text_violations({"a": ["x", "y\\x00"]})[0]["pointer"]
    '/a/1'
    """
    return list(islice(_texts(value, pointer), MOST_TOLD))


def _texts(value: Any, pointer: str) -> Iterator[dict[str, str]]:
    match value:
        case str() if "\x00" in value:
            message = "Text must not contain the NUL character."
            yield {"pointer": pointer, "code": "invalid_text", "message": message}
        case dict():
            for name, inner in value.items():
                at = f"{pointer}/{escaped(name)}"
                yield from _texts(name, at)
                yield from _texts(inner, at)
        case list():
            for index, inner in enumerate(value):
                yield from _texts(inner, f"{pointer}/{index}")
        case _:
            pass


def refuse(errors: list[dict[str, str]]) -> None:
    """Raises Invalid when there are any. One kind of violation alone gives its code to the whole."""
    if not errors:
        return
    codes = {error["code"] for error in errors}
    special = codes & {"platform_not_available", "asset_not_found"}
    code = special.pop() if len(codes) == 1 and special else "invalid_request"
    raise Invalid(_counted(len(errors)), code=code, errors=errors[:MOST_TOLD])


def _counted(count: int) -> str:
    """In words that agree with the number.

    >>> _counted(1), _counted(2)
    ('One thing in the body is not acceptable.', '2 things in the body are not acceptable.')
    """
    if count >= MOST_TOLD:
        return f"{MOST_TOLD} things in the body or more are not acceptable; these come first."
    things = "One thing in the body is" if count == 1 else f"{count} things in the body are"
    return f"{things} not acceptable."


def _repeated(pointer: str) -> dict[str, str]:
    message = "The object names this more than once; which value is meant nobody knows."
    return {"pointer": pointer, "code": "repeated_field", "message": message}


def _too_deep() -> CallerError:
    return CallerError("The body is nested too deeply.", code="not_json")

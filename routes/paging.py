"""Lists, a page at a time: newest first, with cursors that belong to one list and a link to the next page.

A page begins behind the last row of the one before, by key, so rows that are added meanwhile shift
nothing. A list reads `begins_before`, asks the database for one row more than it shows, and hands
the rows to `cut`. Where filters may leave few of many, a page looks at so many rows at most and says
where the next one goes on: nobody has a whole history read by one question.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

import msgspec
from litestar import Request

from common.errors import CallerError
from routes.query import Page

type AnyRequest = Request[Any, Any, Any]

MOST_LOOKED_AT = 10_000
"""Rows of a page that filters are applied to."""

_VERSION = b"\x01"
_LIST = 6
_CHECK = 4
_LENGTH = len(_VERSION) + 16 + _LIST + _CHECK
_NO_FILTERS = frozenset({"limit", "cursor", "expand"})
"""They change what a page shows, not which rows are in the list."""
_MOST_WEIGHT = 10_000
"""Of the rows of one page, unless a single one has more."""


class Keyed(Protocol):
    """A row of a list."""

    @property
    def id(self) -> UUID: ...


class Cut[T](msgspec.Struct, frozen=True):
    """The rows of one page, and where the next one begins."""

    rows: Sequence[T]
    next_cursor: str | None
    headers: dict[str, str]


def begins_before(request: AnyRequest, query: Page) -> UUID | None:
    """The key that the page begins behind. Raises CallerError (400) for a cursor of another list."""
    if query.cursor is None:
        return None
    try:
        told = base64.b64decode(query.cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused("invalid_cursor", "No page gave out this cursor.") from None
    body, check = told[:-_CHECK], told[-_CHECK:]
    if len(told) != _LENGTH or told[:1] != _VERSION or check != _checksum(body):
        raise _refused("invalid_cursor", "No page gave out this cursor.")
    if body[-_LIST:] != _list_name(request, query):
        raise _refused(
            "cursor_of_another_list",
            "The cursor belongs to another list, or to other filters; begin without one.",
        )
    return UUID(bytes=body[len(_VERSION) : -_LIST])


def cut[T: Keyed](
    request: AnyRequest,
    query: Page,
    rows: Sequence[T],
    weigh: Callable[[T], int] = lambda _: 0,
    *,
    last_looked_at: UUID | None = None,
) -> Cut[T]:
    """The page, of rows that were asked for with one more than it shows. Heavy rows make it shorter.

    `last_looked_at` is the row behind which nothing was looked at, None where nothing is left.
    """
    shown = rows[: min(query.limit, _bearable([weigh(row) for row in rows]))]
    last = last_looked_at if len(shown) == len(rows) else shown[-1].id
    if last is None:
        return Cut(shown, None, {})
    body = _VERSION + last.bytes + _list_name(request, query)
    cursor = base64.urlsafe_b64encode(body + _checksum(body)).decode()
    return Cut(shown, cursor, {"Link": f'<{_address(request, cursor)}>; rel="next"'})


def _bearable(weights: Sequence[int]) -> int:
    """How many rows from the first on; one at least.

    >>> _bearable([9_000, 900, 200]), _bearable([20_000, 1]), _bearable([])
    (2, 1, 1)
    """
    sums = accumulate(weights)
    return max(1, sum(total <= _MOST_WEIGHT for total in sums))


def _address(request: AnyRequest, cursor: str) -> str:
    asked = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [item for item in asked if item[0] != "cursor"]
    return f"{quote(_path(request))}?{urlencode([*kept, ('cursor', cursor)])}"


def _list_name(request: AnyRequest, query: Page) -> bytes:
    """Which list it is: the address and the filters, however they were spelled."""
    filters = {
        name: value
        for name, value in msgspec.structs.asdict(query).items()
        if name not in _NO_FILTERS
    }
    name = _path(request).encode() + b"\n" + msgspec.json.encode(filters, order="sorted")
    return hashlib.sha256(name).digest()[:_LIST]


def _path(request: AnyRequest) -> str:
    return request.scope["path"].rstrip("/")


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(_CHECK, "big")


def _refused(code: str, message: str) -> CallerError:
    error = {"parameter": "cursor", "code": code, "message": message}
    return CallerError(message, code=code, errors=[error])

"""Lists what is on an edge: filtered, newest first, page by page."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from sandbox.meta.asking import Ask
from sandbox.meta.errors import parameter
from sandbox.meta.fields import Field, asked_fields
from sandbox.meta.filters import Filter, asked_filters
from sandbox.meta.reading import shown
from sandbox.meta.status import EFFECTIVE, effective_status, is_hidden
from sandbox.meta.wire import names, whole_number
from sandbox.objects import Record

DEFAULT_LIMIT = 25
LARGEST_LIMIT = 5000


def page(ask: Ask, found: list[Record], kind: str) -> dict[str, Any]:
    """One page of the records that filters leave; the cursors name places, not numbers."""
    filters, statuses = asked_filters(ask), _asked_statuses(ask, kind)
    kept = [record for record in found if _is_wanted(ask, record, filters, statuses)]
    kept.sort(key=lambda record: record.serial, reverse=True)
    limit = whole_number(ask.params, "limit", DEFAULT_LIMIT)
    if not 1 <= limit <= LARGEST_LIMIT:
        raise parameter("limit", f"Param limit must be between 1 and {LARGEST_LIMIT}")
    here, has_before, has_after = _cut(ask, kept, limit)
    fields = asked_fields(ask.params.get("fields")) or _default_fields(kind)
    answer: dict[str, Any] = {"data": [shown(ask, record, fields) for record in here]}
    if here:
        answer["paging"] = _paging(ask, here, limit, has_before=has_before, has_after=has_after)
    if ask.params.get("summary"):
        answer["summary"] = {"total_count": len(kept)}
    return answer


def _default_fields(kind: str) -> list[Field]:
    return [Field("id"), Field("hash")] if kind == "image" else [Field("id")]


def _asked_statuses(ask: Ask, kind: str) -> list[str]:
    """Raises Meta's error for a status that nothing of the kind ever has."""
    wanted = names(ask.params.get("effective_status"))
    known = EFFECTIVE.get(kind)
    for at, status in enumerate(wanted):
        if known is not None and status not in known:
            name = f"effective_status[{at}]"
            raise parameter(name, f"Param {name} must be one of {{{', '.join(sorted(known))}}}")
    return wanted


def _is_wanted(ask: Ask, record: Record, filters: list[Filter], wanted: list[str]) -> bool:
    if wanted and effective_status(ask, record) not in wanted:
        return False
    asks_status = bool(wanted) or any(rule.asks_status for rule in filters)
    if not asks_status and is_hidden(ask, record):
        return False
    return all(rule.fits(ask, record) for rule in filters)


def _cut(ask: Ask, kept: list[Record], limit: int) -> tuple[list[Record], bool, bool]:
    after, before = ask.params.get("after"), ask.params.get("before")
    if before:
        place = _place(before, "before")
        newer = [record for record in kept if record.serial > place]
        return newer[-limit:], len(newer) > limit, len(newer) < len(kept)
    place = _place(after, "after") if after else None
    older = kept if place is None else [record for record in kept if record.serial < place]
    return older[:limit], len(older) < len(kept), len(older) > limit


def _paging(
    ask: Ask, here: list[Record], limit: int, *, has_before: bool, has_after: bool
) -> dict[str, Any]:
    cursors = {"before": _cursor(here[0]), "after": _cursor(here[-1])}
    paging: dict[str, Any] = {"cursors": cursors}
    if has_after:
        paging["next"] = _address(ask, limit, "after", cursors["after"])
    if has_before:
        paging["previous"] = _address(ask, limit, "before", cursors["before"])
    return paging


def _address(ask: Ask, limit: int, name: str, cursor: str) -> str:
    """The same question from another place on; a token is never part of it."""
    rest = {n: v for n, v in ask.sent.query if n not in ("after", "before", "limit")}
    query = urlencode({**rest, "limit": limit, name: cursor})
    return f"{ask.sent.base}{ask.sent.path.rstrip('/')}?{query}"


def _cursor(record: Record) -> str:
    return base64.urlsafe_b64encode(f"place:{record.serial}".encode()).decode()


def _place(cursor: object, name: str) -> int:
    try:
        text = base64.urlsafe_b64decode(str(cursor)).decode()
        return int(text.removeprefix("place:"))
    except (ValueError, binascii.Error):
        raise parameter(name, "Invalid cursors values") from None

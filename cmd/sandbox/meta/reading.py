"""Shows objects with the fields that were asked for, and in the forms that Meta gives them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.meta import images, videos
from sandbox.meta.asking import Ask
from sandbox.meta.catalog import FIELDS
from sandbox.meta.errors import parameter
from sandbox.meta.fields import Field
from sandbox.meta.status import effective_status, is_hidden
from sandbox.meta.tree import EDGES, below
from sandbox.meta.words import words
from sandbox.objects import Record

type Compute = Callable[[Ask, Record], Any]

_NUMBERS_AS_TEXT = words(
    """daily_budget lifetime_budget spend_cap daily_min_spend_target daily_spend_cap
    lifetime_min_spend_target lifetime_spend_cap"""
)
_TIMES = words("start_time stop_time end_time ad_schedule_start_time")


def shown(ask: Ask, record: Record, fields: list[Field]) -> dict[str, Any]:
    """The object's id and the asked fields that it has."""
    answer: dict[str, Any] = {}
    for field in fields:
        value = value_of(ask, record, field)
        if value is not None:
            answer[field.name] = value
    answer.setdefault("id", _id(ask, record))
    return answer


def value_of(ask: Ask, record: Record, field: Field) -> Any:
    """One field; None when the object does not have it. Raises for a field that no such object has."""
    compute = _COMPUTED.get(record.kind, {}).get(field.name) or _OF_ALL.get(field.name)
    if compute is not None:
        value = compute(ask, record)
        return shown(ask, value, field.fields) if isinstance(value, Record) else value
    edge = EDGES.get(record.kind, {}).get(field.name)
    if edge is not None:
        return _edge(ask, record, edge, field)
    if field.name in record.fields:
        return _as_meta(ask, field.name, record.fields[field.name])
    if field.name not in FIELDS[record.kind]:
        raise nonexisting(field.name, record.kind)
    return None


def nonexisting(field: str, kind: str) -> Exception:
    """The error for a field that no object of the kind has."""
    node = {"ad_set": "AdSet", "creative": "AdCreative", "ad": "Ad"}.get(kind, kind.title())
    return parameter("fields", f"Tried accessing nonexisting field ({field}) on node type ({node})")


def moment(ask: Ask, seconds: float) -> str:
    """In the account's time zone, as Meta writes times."""
    zone = ZoneInfo(ask.account.timezone) if ask.account.timezone != "UTC" else UTC
    return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def _edge(ask: Ask, record: Record, kind: str, field: Field) -> dict[str, Any] | None:
    """What hangs below, in the place of a field."""
    found = [child for child in below(ask, record, kind) if not is_hidden(ask, child)]
    found = found[::-1][: field.limit or 25]
    return {"data": [shown(ask, child, field.fields) for child in found]} if found else None


def _as_meta(ask: Ask, name: str, value: Any) -> Any:
    """Amounts of money are text in answers, and times are the account's."""
    if name in _NUMBERS_AS_TEXT:
        return str(value)
    if name in _TIMES and value:
        return _time(ask, value)
    return value


def _time(ask: Ask, value: Any) -> Any:
    if isinstance(value, int | float):
        return moment(ask, value)
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return value
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(ask.account.timezone))
    return moment(ask, parsed.timestamp())


def _id(ask: Ask, record: Record) -> str:
    return (
        f"{ask.account.id.removeprefix('act_')}:{record.id}"
        if record.kind == "image"
        else record.id
    )


def _linked(kind: str) -> Compute:
    """The object of another kind that this one belongs to."""

    def find(ask: Ask, record: Record) -> Record | None:
        above = ask.parent(record)
        while above is not None and above.kind != kind:
            above = ask.parent(above)
        return above

    return find


def _linked_id(kind: str) -> Compute:
    find = _linked(kind)

    def find_id(ask: Ask, record: Record) -> str | None:
        found = find(ask, record)
        return None if found is None else found.id

    return find_id


def _creative(ask: Ask, record: Record) -> Record | None:
    return ask.record(str(record.fields["creative"]["creative_id"]))


def _story_part(name: str) -> Compute:
    """A part of the story that stands on the creative, too; carousels have it in the same place."""

    def find(_: Ask, record: Record) -> Any:
        if name in record.fields:
            return record.fields[name]
        story: dict[str, Any] = record.fields.get("object_story_spec") or {}
        for data in story.values():
            if isinstance(data, dict) and name in data:
                return data[name]  # pyright: ignore[reportUnknownVariableType]  # what the caller sent
        return None

    return find


def _story_id(_: Ask, record: Record) -> str | None:
    story = record.fields.get("object_story_spec")
    if isinstance(story, dict):
        return f"{story.get('page_id')}_{record.id}"  # pyright: ignore[reportUnknownMemberType]  # likewise
    return record.fields.get("object_story_id")


def _page(_: Ask, record: Record) -> str | None:
    return str(_story_id(_, record) or "").partition("_")[0] or None


def _call_to_action_type(ask: Ask, record: Record) -> str | None:
    found = _story_part("call_to_action")(ask, record)
    return found.get("type") if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # likewise


def _picture(ask: Ask, record: Record) -> str | None:
    image_hash = _story_part("image_hash")(ask, record)
    image = ask.image(str(image_hash)) if image_hash else None
    return images.address(ask, image) if image else _story_part("image_url")(ask, record)


_OF_ALL: dict[str, Compute] = {
    "id": _id,
    "account_id": lambda ask, _: ask.account.id.removeprefix("act_"),
    "name": lambda _, record: record.name,
    "status": lambda _, record: record.status,
    "created_time": lambda ask, record: moment(ask, record.created_at),
    "updated_time": lambda ask, record: moment(ask, record.updated_at),
}
_DELIVERED: dict[str, Compute] = {
    "configured_status": lambda _, record: record.status,
    "effective_status": effective_status,
    "budget_remaining": lambda _, record: str(
        record.fields.get("daily_budget") or record.fields.get("lifetime_budget") or 0
    ),
}
_COMPUTED: dict[str, dict[str, Compute]] = {
    "campaign": {
        **_DELIVERED,
        "buying_type": lambda _, record: record.fields.get("buying_type", "AUCTION"),
    },
    "ad_set": {**_DELIVERED, "campaign": _linked("campaign")},
    "ad": {
        **_DELIVERED,
        "adset": _linked("ad_set"),
        "campaign": _linked("campaign"),
        "campaign_id": _linked_id("campaign"),
        "creative": _creative,
        "targeting": lambda ask, record: (ask.parent(record) or record).fields.get("targeting"),
    },
    "creative": {
        "effective_object_story_id": _story_id,
        "actor_id": _page,
        "call_to_action_type": _call_to_action_type,
        "image_url": _picture,
        "thumbnail_url": _picture,
        "body": _story_part("message"),
        **{name: _story_part(name) for name in ("image_hash", "video_id", "title")},
        "link_url": _story_part("link"),
    },
    "image": images.FIELDS,
    "video": videos.FIELDS,
}

"""Maps the fields that Meta blames back to places in the caller's request."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.json_pointer import escaped
from models.plan import PlannedStep
from workers.platforms.base import StepContext

_ADVANTAGE = ("targeting", "advantage_audience")
_OF_AD_SETS = {
    ("targeting", "targeting_automation", "advantage_audience"): _ADVANTAGE,
    ("targeting", "targeting_automation"): _ADVANTAGE,
    ("targeting_automation", "advantage_audience"): _ADVANTAGE,
    ("targeting_automation",): _ADVANTAGE,
}
_OF_CREATIVES = {
    ("call_to_action", "value", "link"): ("link",),
    ("call_to_action", "type"): ("call_to_action",),
    ("object_story_id",): ("post_id",),
    ("name",): ("headline",),
    ("title",): ("headline",),
    ("link_description",): ("description",),
    ("image_hash",): ("image",),
    ("image_url",): ("thumbnail",),
    ("video_id",): ("video",),
}
_WRAPPERS = ("object_story_spec", "link_data", "video_data", "creative", "photo_data")


def pointer(context: StepContext, blamed: Sequence[Sequence[str]]) -> str | None:
    """A JSON pointer to the first blamed field that the request has a place for."""
    for path in blamed:
        found = _place(context.step, list(path))
        if found is not None:
            return found
    return None


def _place(step: PlannedStep, path: list[str]) -> str | None:
    match step.kind:
        case "campaign":
            return _join("campaign", *path)
        case "ad_set":
            return _join("ad_sets", step.place[0], *_translated(path, _OF_AD_SETS))
        case "creative":
            return _join(*_ad(step), "creative", *_creative_path(path))
        case "ad":
            return _join(*_ad(step), *path)
        case "media":
            return _join("media", step.media_key)
        case "activate":
            return None


def _ad(step: PlannedStep) -> tuple[Any, ...]:
    return ("ad_sets", step.place[0], "ads", step.place[1])


def _creative_path(path: list[str]) -> list[str]:
    while path and path[0] in _WRAPPERS:
        path = path[1:]
    if path[:1] == ["child_attachments"]:
        return ["cards", *path[1:2], *_translated(path[2:], _OF_CREATIVES)]
    return _translated(path, _OF_CREATIVES)


def _translated(path: list[str], ours: Mapping[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    """The longest beginning that has another name with us is exchanged."""
    for length in (3, 2, 1):
        found = ours.get(tuple(path[:length]))
        if found is not None:
            return [*found, *path[length:]]
    return path


def _join(*parts: Any) -> str:
    return "".join(f"/{escaped(str(part))}" for part in parts)

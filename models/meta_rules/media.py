"""The images and videos of a request, and who uses them as what."""

from models.meta_rules.table import Found, Place, Scope, rule

OURS = "Our own: a request is complete in itself"


@rule("request", "media_source_unclear", OURS, when=("request.media",))
def one_source(scope: Scope) -> Found:
    """A media entry comes from one place."""

    for entry in scope.request.below("media").entries():
        if len(entry.given("url", "asset_id", "generate")) != 1:
            yield entry.pointer, "Give exactly one of url, asset_id and generate."


@rule(
    "request",
    "generation_not_available",
    "Our own: what this release does not do",
    when=("request.media",),
)
def no_generation(scope: Scope) -> Found:
    """Media cannot be generated yet."""

    for entry in scope.request.below("media").entries():
        if entry.has("generate"):
            message = "Generating media is not available in this release; give url or asset_id."
            yield entry.at("generate"), message


@rule("request", "media_not_used", OURS, when=("request.media",))
def media_is_used(scope: Scope) -> Found:
    """An entry that nothing shows is a slip of the pen."""
    media = scope.request.below("media")
    used = {
        place.get(field)
        for creative in scope.request.once(_creatives)
        for place, field, _ in uses(creative)
    }
    for key in media.names():
        if key not in used:
            yield media.at(key), "No creative uses it."


@rule("request", "media_kind_conflict", OURS)
def one_kind(scope: Scope) -> Found:
    """An entry is an image or a video."""
    kinds: dict[str, str] = {}
    for creative in scope.request.once(_creatives):
        for place, field, kind in uses(creative):
            key = place.get(field)
            if kinds.setdefault(key, kind) != kind:
                yield place.at(field), f"{key} is used as {_a(kinds[key])} elsewhere."


@rule("ad", "media_unknown", OURS)
def media_exists(scope: Scope) -> Found:
    """A creative names an entry of media."""
    media = scope.request.below("media")
    for place, field, kind in uses(scope.creative):
        key = place.get(field)
        if not media.has(key):
            yield place.at(field), f"media has no entry {key}; name {_a(kind)} there."


def uses(creative: Place) -> list[tuple[Place, str, str]]:
    """Place, field and kind of everything that a creative shows. Raises Unreadable."""
    return [(card or creative, field, kind) for card, field, kind in creative.once(_shown)]


def _shown(creative: Place) -> list[tuple[Place | None, str, str]]:
    """The same with None for the creative itself, which keeps what is found here."""
    match creative.get("type"):
        case "link":
            places, fields = [None], ("image",)
        case "video":
            places, fields = [None], ("video", "thumbnail")
        case "carousel":
            places, fields = creative.all("cards"), ("image", "video")
        case _:
            return []
    return [
        (place, field, "video" if field == "video" else "image")
        for place in places
        for field in fields
        if (place or creative).has(field)
    ]


def _creatives(request: Place) -> list[Place]:
    return [ad.below("creative") for ad_set in request.all("ad_sets") for ad in ad_set.all("ads")]


def _a(kind: str) -> str:
    return "an image" if kind == "image" else f"a {kind}"


RULES = (one_source, no_generation, media_is_used, one_kind, media_exists)

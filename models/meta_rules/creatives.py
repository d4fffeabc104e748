"""What people see, and the names of everything."""

from models.meta_rules.table import Found, Place, Scope, rule

CREATIVE = "Marketing API reference, ad creative"
LINK_DATA = "Marketing API reference, ad creative link data"
VIDEO_DATA = "Marketing API reference, ad creative video data"
LIMITS = "Marketing API reference, limits of names"
OURS = "Our own: the request must be complete in itself"

LONGEST_NAME = 400
MOST_ADS_IN_AD_SET = 50
WITHOUT_LINK = ("NO_BUTTON", "CALL_NOW", "MESSAGE_PAGE", "WHATSAPP_MESSAGE", "GET_DIRECTIONS")


@rule("request", "account_not_said", OURS)
def one_account(scope: Scope) -> Found:
    """A request names its account one way."""
    given = scope.request.given("ad_account_id", "platform_account_id")
    if not given:
        yield scope.request.at("ad_account_id"), "Give ad_account_id or platform_account_id."
    elif len(given) == 2:
        yield (
            scope.request.at("platform_account_id"),
            "Give ad_account_id or platform_account_id, not both.",
        )


@rule("request", "media_source_unclear", OURS)
def one_source(scope: Scope) -> Found:
    """A media entry comes from one place."""
    for _, entry in _entries(scope):
        given = entry.given("url", "asset_id", "generate")
        if len(given) != 1:
            yield entry.pointer, "Give exactly one of url, asset_id and generate."


@rule("request", "generation_not_available", OURS)
def no_generation(scope: Scope) -> Found:
    """Media cannot be generated yet."""
    for _, entry in _entries(scope):
        if entry.has("generate"):
            yield (
                entry.at("generate"),
                "Generating media is not available in this release; give url or asset_id.",
            )


@rule("request", "media_not_used", OURS)
def media_is_used(scope: Scope) -> Found:
    """An entry that nothing shows is a slip of the pen."""
    used = {key for creative in _creatives(scope) for _, key, _ in _uses(creative)}
    for key, entry in _entries(scope):
        if key not in used:
            yield entry.pointer, "No creative uses it."


@rule("request", "media_kind_conflict", OURS)
def one_kind(scope: Scope) -> Found:
    """An entry is an image or a video."""
    kinds: dict[str, str] = {}
    for creative in _creatives(scope):
        for pointer, key, kind in _uses(creative):
            if kinds.setdefault(key, kind) != kind:
                yield pointer, f"{key} is used as {kinds[key]} elsewhere."


@rule("ad", "media_unknown", OURS)
def media_exists(scope: Scope) -> Found:
    """A creative names an entry of media."""
    known = scope.request.below("media").names()
    for pointer, key, _ in _uses(scope.creative):
        if key not in known:
            yield pointer, f"media has no entry {key}."


@rule("ad", "call_to_action_needs_link", CREATIVE, 2061015)
def button_has_link(scope: Scope) -> Found:
    """A button leads somewhere."""
    button = scope.creative.get("call_to_action")
    if button is not None and button not in WITHOUT_LINK and not scope.creative.has("link"):
        yield scope.creative.at("link"), f"{button} needs a link."


@rule("ad", "link_missing_for_objective", CREATIVE, 2446383)
def website_needs_link(scope: Scope) -> Found:
    """Ads that lead to a website have an address."""
    destination = scope.ad_set.get("destination_type")
    objective, kind = scope.campaign.get("objective"), scope.creative.get("type")
    leads = objective in ("OUTCOME_TRAFFIC", "OUTCOME_SALES", "OUTCOME_LEADS") and destination in (
        None,
        "WEBSITE",
    )
    if kind == "video" and leads and not scope.creative.has("link"):
        yield scope.creative.at("link"), f"{objective} needs a link."


@rule("ad", "url_tags_begin_with_question_mark", CREATIVE)
def plain_tags(scope: Scope) -> Found:
    """Tags are appended as they are."""
    if str(scope.creative.get("url_tags") or "").startswith("?"):
        yield scope.creative.at("url_tags"), "Leave the leading question mark out."


@rule("ad", "card_shows_two_things", LINK_DATA)
def card_shows_one_thing(scope: Scope) -> Found:
    """A card shows an image or a video."""
    if scope.creative.get("type") != "carousel":
        return
    for card in scope.creative.each("cards"):
        if len(card.given("image", "video")) == 2:
            yield card.at("video"), "Give image or video, not both."
        if not card.given("image", "video"):
            yield card.at("image"), "Give an image or a video."


@rule("ad", "post_of_another_page", "Marketing API reference, object_story_id")
def post_of_page(scope: Scope) -> Found:
    """A post's id begins with its page's."""
    if scope.creative.get("type") != "existing_post":
        return
    page, post = scope.creative.get("page_id"), scope.creative.get("post_id")
    if page is not None and post is not None and not str(post).startswith(f"{page}_"):
        yield scope.creative.at("post_id"), "It must begin with page_id and an underscore."


@rule("campaign", "name_too_long", LIMITS)
def campaign_name(scope: Scope) -> Found:
    """Behind the name stands our marker."""
    yield from _name(scope, scope.campaign)


@rule("ad_set", "name_too_long", LIMITS)
def ad_set_name(scope: Scope) -> Found:
    """Behind the name stands our marker."""
    yield from _name(scope, scope.ad_set)


@rule("ad", "name_too_long", LIMITS)
def ad_name(scope: Scope) -> Found:
    """Behind the name stands our marker."""
    yield from _name(scope, scope.ad)


def _name(scope: Scope, place: Place) -> Found:
    most = LONGEST_NAME - scope.context.marker_length
    if len(place.get("name") or "") > most:
        yield (
            place.at("name"),
            f"At most {most} characters: Meta takes {LONGEST_NAME}, our marker needs the rest.",
        )


def _entries(scope: Scope) -> list[tuple[str, Place]]:
    media = scope.request.below("media")
    return [(key, media.below(key)) for key in media.names()]


def _creatives(scope: Scope) -> list[Place]:
    return [
        ad.below("creative")
        for ad_set in scope.request.each("ad_sets")
        for ad in ad_set.each("ads")
    ]


def _uses(creative: Place) -> list[tuple[str, str, str]]:
    """Pointer, key and kind of everything that the creative shows."""
    match creative.get("type"):
        case "link":
            places, kinds = [creative], ("image",)
        case "video":
            places, kinds = [creative], ("video", "thumbnail")
        case "carousel":
            places, kinds = list(creative.each("cards")), ("image", "video")
        case _:
            return []
    return [
        (place.at(name), place.get(name), "video" if name == "video" else "image")
        for place in places
        for name in kinds
        if place.has(name)
    ]


RULES = (
    one_account,
    one_source,
    no_generation,
    media_is_used,
    one_kind,
    media_exists,
    button_has_link,
    website_needs_link,
    plain_tags,
    card_shows_one_thing,
    post_of_page,
    campaign_name,
    ad_set_name,
    ad_name,
)

"""What people see."""

from models.inspection import is_deeper
from models.meta_rules.table import Found, Place, Scope, independently, rule

CREATIVE = "Marketing API reference, ad creative"
LINK_DATA = "Marketing API reference, ad creative link data"
VIDEO_DATA = "Marketing API reference, ad creative video data"
STORY = "Marketing API reference, ad creative: object_story_id"
LEADS = "Marketing API, lead ads"
OURS = "Our own: what this release does not do"

DEEPEST_TRACKING = 8

WITHOUT_LINK = (
    "NO_BUTTON",
    "CALL_NOW",
    "MESSAGE_PAGE",
    "WHATSAPP_MESSAGE",
    "GET_DIRECTIONS",
    "LIKE_PAGE",
    "EVENT_RSVP",
)
LEADS_AWAY = {
    "OUTCOME_TRAFFIC": (None, "WEBSITE"),
    "OUTCOME_SALES": (None, "WEBSITE"),
    "OUTCOME_LEADS": (None, "WEBSITE"),
    "OUTCOME_APP_PROMOTION": (None, "APP"),
}
"""Objectives and destinations whose ads lead to an address."""


@rule("ad", "call_to_action_needs_link", VIDEO_DATA, 2061015, when=("creative.type=video",))
def button_has_link(scope: Scope) -> Found:
    """A button leads somewhere."""
    if scope.creative.get("type") != "video" or scope.creative.has("link"):
        return
    button = scope.creative.get("call_to_action")
    if button is not None and button not in WITHOUT_LINK:
        yield scope.creative.at("link"), f"{button} needs a link."


@rule("ad", "link_missing_for_objective", VIDEO_DATA, 2446383, when=("creative.type=video",))
def address_is_there(scope: Scope) -> Found:
    """Ads that lead to a website or an app have its address."""
    if scope.creative.get("type") != "video" or scope.creative.has("link"):
        return
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("destination_type")
    if wanted in LEADS_AWAY.get(objective, ()):
        yield scope.creative.at("link"), f"{objective} needs a link."


@rule("ad", "url_tags_begin_with_question_mark", CREATIVE, when=("creative.url_tags",))
def plain_tags(scope: Scope) -> Found:
    """Tags are appended as they are."""
    if (scope.creative.get("url_tags") or "").startswith("?"):
        yield scope.creative.at("url_tags"), "Leave the leading question mark out."


@rule("ad", "card_media_not_clear", LINK_DATA, when=("creative.type=carousel",))
def card_shows_one_thing(scope: Scope) -> Found:
    """A card shows an image or a video."""
    if scope.creative.get("type") != "carousel":
        return

    def check(card: Place) -> Found:
        given = card.given("image", "video")
        if len(given) == 2:
            yield card.at("video"), "Give image or video, not both."
        elif not given:
            yield card.at("image"), "Give an image or a video."

    yield from independently(scope.creative.each("cards"), check)


@rule("ad", "post_of_another_page", STORY, when=("creative.type=existing_post",))
def post_of_page(scope: Scope) -> Found:
    """A post's id begins with its page's."""
    if scope.creative.get("type") != "existing_post":
        return
    if not scope.creative.get("post_id").startswith(f"{scope.creative.get('page_id')}_"):
        yield scope.creative.at("post_id"), "It must begin with page_id and an underscore."


@rule("ad", "lead_form_missing", LEADS, when=("ad_set.destination_type=ON_AD",))
def form_is_there(scope: Scope) -> Found:
    """Leads on the ad are gathered by a form, which only an existing post can carry in this release."""
    kind = scope.creative.get("type")
    if scope.ad_set.get("destination_type") == "ON_AD" and kind != "existing_post":
        message = "Lead forms cannot be named in this release: use an existing post with a form."
        yield scope.creative.at("type"), message


@rule("ad_set", "dynamic_creative_not_available", OURS, when=("ad_set.is_dynamic_creative",))
def no_dynamic_creative(scope: Scope) -> Found:
    """Creatives are made as they are written."""
    if scope.ad_set.get("is_dynamic_creative"):
        message = "Dynamic creative is not available in this release; leave it out."
        yield scope.ad_set.at("is_dynamic_creative"), message


@rule("ad", "tracking_too_deep", OURS, when=("ad.tracking_specs",))
def flat_tracking(scope: Scope) -> Found:
    """Tracking is a flat list of conditions."""
    if is_deeper(scope.ad.get("tracking_specs"), DEEPEST_TRACKING):
        yield scope.ad.at("tracking_specs"), f"At most {DEEPEST_TRACKING} levels may be nested."


RULES = (
    button_has_link,
    address_is_there,
    plain_tags,
    card_shows_one_thing,
    post_of_page,
    form_is_there,
    no_dynamic_creative,
    flat_tracking,
)

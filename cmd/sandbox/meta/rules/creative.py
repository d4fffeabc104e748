"""What is refused of a creative."""

from typing import Any

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import items, part, word

REFERENCE = "Marketing API reference, ad creative"
STORIES = ("link_data", "video_data", "photo_data", "template_data", "text_data")
BUTTONS = set(
    """ADD_TO_CART APPLY_NOW ASK_ABOUT_SERVICES ASK_A_QUESTION ASK_FOR_MORE_INFO ASK_US AUDIO_CALL
    BOOK_A_CONSULTATION BOOK_NOW BOOK_TRAVEL BROWSE_SHOP BUY BUY_ACTIVITY_TICKETS BUY_NOW BUY_TICKETS
    BUY_VIA_MESSAGE CALL CALL_ME CALL_NOW CHAT_NOW CHAT_WITH_US CONFIRM CONTACT CONTACT_US DONATE
    DONATE_NOW DOWNLOAD EVENT_RSVP FIND_A_GROUP FIND_OUT_MORE FIND_YOUR_GROUPS FOLLOW_NEWS_STORYLINE
    FOLLOW_PAGE FOLLOW_USER GET_A_QUOTE GET_DETAILS GET_DIRECTIONS GET_IN_TOUCH GET_OFFER
    GET_OFFER_VIEW GET_PROMOTIONS GET_QUOTE GET_SHOWTIMES GET_STARTED INQUIRE_NOW INSTALL_APP
    INSTALL_MOBILE_APP JOIN_CHANNEL JOIN_LIVE_VIDEO LEARN_MORE LIKE_PAGE LISTEN_MUSIC LISTEN_NOW
    MAKE_AN_APPOINTMENT MESSAGE_PAGE MOBILE_DOWNLOAD NO_BUTTON OPEN_INSTANT_APP OPEN_LINK ORDER_NOW
    PAY_TO_ACCESS PLAY_GAME PLAY_GAME_ON_FACEBOOK PURCHASE_GIFT_CARDS RAISE_MONEY RECORD_NOW
    REFER_FRIENDS REQUEST_TIME SAY_THANKS SEE_MORE SEE_SHOP SELL_NOW SEND_A_GIFT SEND_GIFT_MONEY
    SEND_UPDATES SHARE SHOP_NOW SHOP_WITH_AI SIGN_UP SOTTO_SUBSCRIBE START_A_CHAT START_ORDER
    STREAM_NOW SUBSCRIBE SWIPE_UP_PRODUCT SWIPE_UP_SHOP TRY_DEMO TRY_ON_WITH_AI UPDATE_APP USE_APP
    USE_MOBILE_APP VIDEO_ANNOTATION VIDEO_CALL VIEW_CART VIEW_CHANNEL VIEW_IN_CART VIEW_PRODUCT
    VISIT_PAGES_FEED VISIT_WEBSITE WATCH_LIVE_VIDEO WATCH_MORE WATCH_NOW WATCH_VIDEO WHATSAPP_MESSAGE
    WOODHENGE_SUPPORT""".split()  # noqa: SIM905 - easier to read
)
"""All that the platform's own SDK names."""
WITHOUT_LINK = {
    "NO_BUTTON",
    "CALL_NOW",
    "MESSAGE_PAGE",
    "WHATSAPP_MESSAGE",
    "GET_DIRECTIONS",
    "LIKE_PAGE",
    "EVENT_RSVP",
}


def story(params: Params) -> Any:
    """The page post that the creative is made of."""
    return params.get("object_story_spec")


def shown(params: Params) -> tuple[str, Any]:
    """Which kind of story, and its data."""
    for name in STORIES:
        if isinstance(part(params, "object_story_spec", name), dict):
            return name, part(params, "object_story_spec", name)
    return "", {}


@rule(
    "creative",
    "story",
    None,
    REFERENCE,
    "A creative needs object_story_spec, object_story_id or source_instagram_media_id.",
)
def has_story(params: Params, world: World):
    known = ("object_story_spec", "object_story_id", "source_instagram_media_id", "asset_feed_spec")
    return None if any(params.get(name) for name in known) else "object_story_spec"


@rule("creative", "page_required", None, REFERENCE, "object_story_spec needs the page_id.")
def page_required(params: Params, world: World):
    missing = story(params) is not None and not part(params, "object_story_spec", "page_id")
    return "object_story_spec.page_id" if missing else None


@rule(
    "creative",
    "page_unknown",
    1885029,
    REFERENCE,
    "The page does not belong to the ad account or cannot be seen.",
)
def page_known(params: Params, world: World):
    pages = world.account.get("page_ids")
    page = part(params, "object_story_spec", "page_id")
    if page is None and params.get("object_story_id"):
        page = str(params["object_story_id"]).split("_")[0]
    strange = page is not None and pages is not None and str(page) not in [str(p) for p in pages]
    return (
        ("object_story_spec.page_id" if story(params) else "object_story_id") if strange else None
    )


@rule("creative", "one_story", None, REFERENCE, "object_story_spec needs exactly one kind of data.")
def one_story(params: Params, world: World):
    given = [name for name in STORIES if part(params, "object_story_spec", name) is not None]
    return "object_story_spec" if story(params) is not None and len(given) != 1 else None


@rule(
    "creative",
    "creative_name",
    None,
    REFERENCE,
    "The creative's name is too long: at most 100 characters.",
)
def name_length(params: Params, world: World):
    return "name" if len(str(params.get("name") or "")) > 100 else None


@rule(
    "creative",
    "instagram_actor",
    2238055,
    "Marketing API changelog v22.0",
    "instagram_actor_id is gone: use instagram_user_id.",
)
def instagram(params: Params, world: World):
    for place in (params, story(params) or {}):
        if part(place, "instagram_actor_id") is not None:
            return "instagram_actor_id"
    return None


@rule("creative", "link", None, REFERENCE, "link_data needs a link.")
def link(params: Params, world: World):
    kind, data = shown(params)
    return (
        "object_story_spec.link_data.link" if kind == "link_data" and not data.get("link") else None
    )


@rule(
    "creative",
    "two_pictures",
    None,
    REFERENCE,
    "Give image_hash or an address of a picture, not both.",
)
def two_pictures(params: Params, world: World):
    kind, data = shown(params)
    other = {"link_data": "picture", "video_data": "image_url", "photo_data": "url"}.get(kind)
    both = other is not None and data.get("image_hash") and data.get(other)
    return f"object_story_spec.{kind}.{other}" if both else None


@rule(
    "creative", "image_unknown", 1487194, REFERENCE, "The image hash is unknown to the ad account."
)
def image_known(params: Params, world: World):
    kind, data = shown(params)
    if data.get("image_hash") and world.image(str(data["image_hash"])) is None:
        return f"object_story_spec.{kind}.image_hash"
    for index, card in enumerate(items(data.get("child_attachments"))):
        found = part(card, "image_hash")
        if found and world.image(str(found)) is None:
            return f"object_story_spec.link_data.child_attachments.{index}.image_hash"
    return None


def video_problem(video_id: Any, world: World) -> str | None:
    """Why a video cannot be used."""
    found = world.get(str(video_id))
    if found is None or found["kind"] != "video":
        return "The video does not exist in this ad account."
    return None if found["fields"].get("video_status") == "ready" else "The video is not ready yet."


@rule("creative", "video", 1885252, REFERENCE, "The video cannot be used.")
def video(params: Params, world: World):
    kind, data = shown(params)
    if kind == "video_data":
        problem = video_problem(data.get("video_id"), world)
        return None if problem is None else ("object_story_spec.video_data.video_id", problem)
    for index, card in enumerate(items(data.get("child_attachments"))):
        if part(card, "video_id") and (problem := video_problem(part(card, "video_id"), world)):
            return f"object_story_spec.link_data.child_attachments.{index}.video_id", problem
    return None


@rule(
    "creative",
    "thumbnail",
    1443226,
    REFERENCE,
    "A video needs a thumbnail: image_hash or image_url.",
)
def thumbnail(params: Params, world: World):
    kind, data = shown(params)
    missing = kind == "video_data" and not (data.get("image_hash") or data.get("image_url"))
    return "object_story_spec.video_data.image_hash" if missing else None


@rule("creative", "cards", None, REFERENCE, "A carousel has 2 to 10 cards, each with a link.")
def cards(params: Params, world: World):
    _, data = shown(params)
    found = data.get("child_attachments")
    if found is None:
        return None
    if not 2 <= len(items(found)) <= 10:
        return "object_story_spec.link_data.child_attachments"
    for index, card in enumerate(items(found)):
        if not part(card, "link"):
            return f"object_story_spec.link_data.child_attachments.{index}.link"
    return None


@rule("creative", "button", 1373054, REFERENCE, "The call to action is not one of the known ones.")
def button(params: Params, world: World):
    kind, data = shown(params)
    wanted = word(part(data, "call_to_action", "type"))
    given = data.get("call_to_action") is not None
    return f"object_story_spec.{kind}.call_to_action" if given and wanted not in BUTTONS else None


@rule("creative", "button_link", 2061015, REFERENCE, "The call to action needs a link.")
def button_link(params: Params, world: World):
    kind, data = shown(params)
    wanted = word(part(data, "call_to_action", "type"))
    if (
        not wanted
        or wanted in WITHOUT_LINK
        or part(data, "call_to_action", "value", "lead_gen_form_id")
    ):
        return None
    has_link = part(data, "call_to_action", "value", "link") or data.get("link")
    return None if has_link else f"object_story_spec.{kind}.call_to_action.value.link"


@rule("creative", "tags", None, REFERENCE, "url_tags must not begin with a question mark.")
def tags(params: Params, world: World):
    return "url_tags" if str(params.get("url_tags") or "").startswith("?") else None


RULES = (
    has_story,
    page_required,
    page_known,
    one_story,
    name_length,
    instagram,
    link,
    two_pictures,
    image_known,
    video,
    thumbnail,
    cards,
    button,
    button_link,
    tags,
)

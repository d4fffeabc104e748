"""What is refused of an ad set's goal: objective, destination, event of billing, promoted object."""

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import campaign_of, items, number, part, word, words

MAPPING = "Marketing API reference, ad campaign group: objectives, destinations and goals"

WEB = ("OFFSITE_CONVERSIONS", "LINK_CLICKS", "REACH", "LANDING_PAGE_VIEWS", "IMPRESSIONS")
APP = (
    "APP_INSTALLS",
    "OFFSITE_CONVERSIONS",
    "LINK_CLICKS",
    "VALUE",
    "APP_INSTALLS_AND_OFFSITE_CONVERSIONS",
)
CHAT = ("CONVERSATIONS", "LINK_CLICKS")
CHATS = (
    "MESSENGER",
    "WHATSAPP",
    "INSTAGRAM_DIRECT",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
)
STORE = ("application_id", "object_store_url")
STORES = {"play.google.com": "Android", "apps.apple.com": "iOS", "itunes.apple.com": "iOS"}
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "OUTCOME_AWARENESS": {"": ("REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY")},
    "OUTCOME_TRAFFIC": {
        "": ("LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS"),
        "WEBSITE": ("LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS"),
        "APP": ("LINK_CLICKS", "REACH"),
        "MESSENGER": ("LINK_CLICKS", "REACH", "IMPRESSIONS"),
        "WHATSAPP": ("LINK_CLICKS", "REACH", "IMPRESSIONS"),
    },
    "OUTCOME_ENGAGEMENT": {
        "": WEB,
        "WEBSITE": WEB,
        "ON_POST": ("POST_ENGAGEMENT", "REACH"),
        "ON_PAGE": ("PAGE_LIKES",),
        "ON_EVENT": ("EVENT_RESPONSES", "POST_ENGAGEMENT", "REACH", "IMPRESSIONS"),
        "ON_VIDEO": ("THRUPLAY",),
        **dict.fromkeys(CHATS, CHAT),
    },
    "OUTCOME_LEADS": {"": WEB, "WEBSITE": WEB, "ON_AD": ("LEAD_GENERATION", "QUALITY_LEAD")},
    "OUTCOME_SALES": {
        "": (*WEB, "VALUE"),
        "WEBSITE": (*WEB, "VALUE"),
        "MESSENGER": ("CONVERSATIONS",),
    },
    "OUTCOME_APP_PROMOTION": {"": APP, "APP": APP},
}


@rule("ad_set", "destination", 2446509, MAPPING, "The destination does not fit the objective.")
def destination(params: Params, world: World):
    places = TABLE.get(campaign_of(params, world).get("objective", ""))
    return (
        "destination_type"
        if places and word(params.get("destination_type")) not in places
        else None
    )


@rule(
    "ad_set",
    "goal",
    2490408,
    MAPPING,
    "The optimisation goal does not fit the objective and destination.",
)
def goal(params: Params, world: World):
    places = TABLE.get(campaign_of(params, world).get("objective", ""), {})
    goals = places.get(word(params.get("destination_type")))
    return "optimization_goal" if goals and params.get("optimization_goal") not in goals else None


@rule(
    "ad_set",
    "website_without_pixel",
    2490408,
    "Field reports",
    "The optimisation goal does not fit the objective and destination.",
)
def website_without_pixel(params: Params, world: World):
    target = campaign_of(params, world).get("objective")
    is_named = word(params.get("destination_type")) == "WEBSITE"
    counts = target in ("OUTCOME_ENGAGEMENT", "OUTCOME_SALES") and is_named
    return "optimization_goal" if counts and not params.get("promoted_object") else None


@rule("ad_set", "billing", None, "Billing events guide", "The goal cannot be billed by this event.")
def billing(params: Params, world: World):
    more = {"LINK_CLICKS": "LINK_CLICKS", "THRUPLAY": "THRUPLAY"}.get(
        str(params.get("optimization_goal"))
    )
    return "billing_event" if params.get("billing_event") not in ("IMPRESSIONS", more) else None


def needed_of(params: Params, world: World) -> tuple[str, ...]:
    """What the promoted object must name."""
    target = word(campaign_of(params, world).get("objective"))
    converts = params.get("optimization_goal") == "OFFSITE_CONVERSIONS"
    if target == "OUTCOME_APP_PROMOTION":
        return (*STORE, "custom_event_type") if converts else STORE
    for first, needed in _alternatives(target).items():
        if part(params, "promoted_object", first) is not None:
            return needed
    if converts or params.get("optimization_goal") == "VALUE":
        return ("pixel_id", "custom_event_type")
    return _of_place(target, word(params.get("destination_type")))


def _alternatives(target: str) -> dict[str, tuple[str, ...]]:
    """What may be promoted instead of a page or a pixel, told by its first field."""
    found: dict[str, tuple[str, ...]] = {"application_id": STORE}
    if target == "OUTCOME_SALES":
        found["product_set_id"] = ("product_set_id", "custom_event_type")
    if target == "OUTCOME_AWARENESS":
        found["place_page_set_id"] = ("place_page_set_id",)
    return found


def _of_place(target: str, place: str) -> tuple[str, ...]:
    if target == "OUTCOME_SALES" and place == "MESSENGER":
        return ("page_id", "pixel_id", "custom_event_type")
    if target == "OUTCOME_AWARENESS" or place in ("ON_POST", "ON_PAGE", "ON_AD", "WHATSAPP"):
        return ("page_id",)
    return ("page_id",) if target != "OUTCOME_TRAFFIC" and place in CHATS else ()


@rule("ad_set", "promoted_object", 1815430, MAPPING, "A promoted object is required.")
def promoted_object(params: Params, world: World):
    missing = needed_of(params, world) and not params.get("promoted_object")
    return "promoted_object" if missing else None


@rule(
    "ad_set", "promoted_object_incomplete", 1885014, MAPPING, "The promoted object is incomplete."
)
def promoted_whole(params: Params, world: World):
    if not params.get("promoted_object"):
        return None
    for name in needed_of(params, world):
        if part(params, "promoted_object", name) is None:
            return f"promoted_object.{name}"
    return None


@rule("ad_set", "two_promoted_objects", 1487929, MAPPING, "Only one object can be promoted.")
def promoted_once(params: Params, world: World):
    given = {n for n in ("pixel_id", "application_id") if part(params, "promoted_object", n)}
    return "promoted_object" if len(given) > 1 else None


@rule(
    "ad_set",
    "attribution",
    1885501,
    "Attribution settings guide",
    "The goal allows other attribution windows only.",
)
def attribution(params: Params, world: World):
    goal = params.get("optimization_goal")
    converts = goal in ("OFFSITE_CONVERSIONS", "VALUE")
    is_app = campaign_of(params, world).get("objective") == "OUTCOME_APP_PROMOTION"
    allowed = {("CLICK_THROUGH", 1)}
    if converts:
        allowed |= {("CLICK_THROUGH", 7)}
    if goal == "APP_INSTALLS" or (converts and not is_app):
        allowed |= {("VIEW_THROUGH", 1)}
    if goal == "APP_INSTALLS":
        allowed |= {("ENGAGED_VIDEO_VIEW", 1)}
    specs = items(params.get("attribution_spec"))
    given = {(word(part(s, "event_type")), number(part(s, "window_days"))) for s in specs}
    return "attribution_spec" if given - allowed else None


@rule("ad_set", "system_of_store", 1487678, "App ads guide", "user_os must match the app's store.")
def system_of_store(params: Params, world: World):
    url = word(part(params, "promoted_object", "object_store_url"))
    system = next((name for host, name in STORES.items() if host in url), None)
    systems = words(part(params, "targeting", "user_os"))
    is_app = campaign_of(params, world).get("objective") == "OUTCOME_APP_PROMOTION"
    wrong = not all(found.startswith(str(system)) for found in systems)
    if system is None or not (wrong or (is_app and not systems)):
        return None
    return "targeting.user_os"


RULES = (
    system_of_store,
    destination,
    goal,
    website_without_pixel,
    billing,
    promoted_object,
    promoted_whole,
    promoted_once,
    attribution,
)

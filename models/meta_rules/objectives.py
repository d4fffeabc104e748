"""Which destination, goal, billing, promoted object and attribution fit which objective."""

from models.meta_rules.table import Found, Place, Scope, rule

MAPPING = (
    "Marketing API reference, ad campaign group: objective, destination, goal, promoted object"
)
BILLING = "Marketing API, bidding: billing events"
ATTRIBUTION = "Marketing API reference, ad set: attribution_spec"
PROMOTED_OBJECT = "Marketing API reference, ad set: promoted object, requirements"
CATALOGUE = "Marketing API, Advantage+ catalogue ads"
FIELD = "Reported by users of the Marketing API"
PIXEL = f"{MAPPING}; where none is needed: reported by users"

type Destination = str | None
type Fields = tuple[str, ...]

MESSAGING = (
    "MESSENGER",
    "WHATSAPP",
    "INSTAGRAM_DIRECT",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
)
_SITE = (None, "WEBSITE")
_SITE_GOALS = ("OFFSITE_CONVERSIONS", "LINK_CLICKS", "REACH", "LANDING_PAGE_VIEWS", "IMPRESSIONS")
_CLICK_GOALS = ("LINK_CLICKS", "REACH", "IMPRESSIONS")
_APP_GOALS = (
    "APP_INSTALLS",
    "OFFSITE_CONVERSIONS",
    "LINK_CLICKS",
    "VALUE",
    "APP_INSTALLS_AND_OFFSITE_CONVERSIONS",
)

GOALS: dict[str, dict[Destination, Fields]] = {
    "OUTCOME_AWARENESS": {None: ("REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY")},
    "OUTCOME_TRAFFIC": {
        **dict.fromkeys(_SITE, ("LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS")),
        "MESSENGER": _CLICK_GOALS,
        "WHATSAPP": _CLICK_GOALS,
    },
    "OUTCOME_ENGAGEMENT": {
        **dict.fromkeys(_SITE, _SITE_GOALS),
        "ON_POST": ("POST_ENGAGEMENT", "REACH"),
        "ON_PAGE": ("PAGE_LIKES",),
        "ON_EVENT": ("EVENT_RESPONSES", "POST_ENGAGEMENT", "REACH", "IMPRESSIONS"),
        "ON_VIDEO": ("THRUPLAY",),
        **dict.fromkeys(MESSAGING, ("CONVERSATIONS", "LINK_CLICKS")),
    },
    "OUTCOME_LEADS": {
        **dict.fromkeys(_SITE, _SITE_GOALS),
        "ON_AD": ("LEAD_GENERATION", "QUALITY_LEAD"),
    },
    "OUTCOME_SALES": {
        **dict.fromkeys(_SITE, (*_SITE_GOALS, "VALUE")),
        "MESSENGER": ("CONVERSATIONS",),
    },
    "OUTCOME_APP_PROMOTION": dict.fromkeys((None, "APP"), _APP_GOALS),
}

_PAGE: Fields = ("page_id",)
_PIXEL: Fields = ("pixel_id", "custom_event_type")
_APP: Fields = ("application_id", "object_store_url")
_PRODUCTS: Fields = ("product_set_id", "custom_event_type")

PROMOTED: dict[str, dict[Destination, tuple[Fields, ...]]] = {
    "OUTCOME_AWARENESS": {None: (_PAGE, ("place_page_set_id",))},
    "OUTCOME_TRAFFIC": {"WHATSAPP": (_PAGE,)},
    "OUTCOME_ENGAGEMENT": {
        **dict.fromkeys(_SITE, (_PIXEL, _APP)),
        **dict.fromkeys(("ON_POST", "ON_PAGE", *MESSAGING), (_PAGE,)),
    },
    "OUTCOME_LEADS": {**dict.fromkeys(_SITE, (_PIXEL, _APP)), "ON_AD": (_PAGE,)},
    "OUTCOME_SALES": {
        **dict.fromkeys(_SITE, (_PIXEL, _APP, _PRODUCTS)),
        "MESSENGER": (("page_id", "pixel_id", "custom_event_type"),),
    },
    "OUTCOME_APP_PROMOTION": dict.fromkeys((None, "APP"), (_APP,)),
}
"""What an ad set promotes; of several alternatives the one whose first field is given."""
_UNCOUNTED = ("LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS")
"""Goals of a website that count nothing there."""

ALSO_BILLED = {"LINK_CLICKS": ("LINK_CLICKS",), "THRUPLAY": ("THRUPLAY",)}
EVENTS_OF_OTHERS = {"OUTCOME_SALES": ("LEAD",), "OUTCOME_LEADS": ("PURCHASE",)}

_CLICK, _WEEK = ("CLICK_THROUGH", 1), ("CLICK_THROUGH", 7)
_VIEW, _WATCHED = ("VIEW_THROUGH", 1), ("ENGAGED_VIDEO_VIEW", 1)
_CONVERSIONS = ({_CLICK}, {_WEEK}, {_CLICK, _VIEW}, {_WEEK, _VIEW})
_INSTALLS = ({_CLICK}, {_CLICK, _VIEW}, {_CLICK, _WATCHED}, {_CLICK, _VIEW, _WATCHED})


@rule(
    "ad_set",
    "destination_does_not_fit_objective",
    MAPPING,
    2446509,
    when=("ad_set.destination_type",),
)
def destination(scope: Scope) -> Found:
    """Each objective has its own destinations."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("destination_type")
    if wanted not in GOALS[objective]:
        allowed = ", ".join(name for name in GOALS[objective] if name) or "none"
        message = f"{objective} has no destination {wanted}; it has {allowed}, or leave it out."
        yield scope.ad_set.at("destination_type"), message


@rule("ad_set", "goal_does_not_fit_objective", MAPPING, 2490408)
def goal(scope: Scope) -> Found:
    """Each objective and destination has its own optimisation goals."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("optimization_goal")
    goals = GOALS[objective].get(scope.ad_set.get("destination_type"))
    if goals is not None and wanted not in goals:
        message = f"{objective} cannot optimise for {wanted} here; choose {' or '.join(goals)}."
        yield scope.ad_set.at("optimization_goal"), message


@rule(
    "ad_set",
    "goal_does_not_fit_promoted_object",
    MAPPING,
    2490408,
    when=("ad_set.promoted_object",),
)
def goal_of_promoted(scope: Scope) -> Found:
    """Apps and catalogues are promoted for fewer goals than websites."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("optimization_goal")
    promoted = scope.ad_set.below("promoted_object")
    of_app = objective in ("OUTCOME_TRAFFIC", "OUTCOME_ENGAGEMENT")
    if (
        promoted.has("application_id")
        and of_app
        and wanted in ("LANDING_PAGE_VIEWS", "IMPRESSIONS")
    ):
        yield scope.ad_set.at("optimization_goal"), f"An app is not promoted for {wanted}."
    if promoted.has("product_set_id") and wanted not in ("LINK_CLICKS", "OFFSITE_CONVERSIONS"):
        message = "A catalogue is promoted for LINK_CLICKS or OFFSITE_CONVERSIONS."
        yield scope.ad_set.at("optimization_goal"), message


@rule("ad_set", "billing_does_not_fit_goal", BILLING)
def billing(scope: Scope) -> Found:
    """Most goals are billed by impressions only."""
    wanted, event = scope.ad_set.get("optimization_goal"), scope.ad_set.get("billing_event")
    allowed = ("IMPRESSIONS", *ALSO_BILLED.get(wanted, ()))
    if event not in allowed:
        yield scope.ad_set.at("billing_event"), f"{wanted} is billed by {' or '.join(allowed)}."


@rule("ad_set", "promoted_object_missing", PIXEL, 1815430)
def promoted_object_is_there(scope: Scope) -> Found:
    """Conversions need a pixel with an event, apps an app with its store, pages a page."""
    choices = _choices(scope)
    if not choices or scope.ad_set.has("promoted_object"):
        return
    wanted = ", or ".join(" and ".join(fields) for fields in choices)
    message = f"It is required here, with {wanted}."
    if not _is_uncounted_site(scope):
        yield scope.ad_set.at("promoted_object"), message
    elif scope.ad_set.has("destination_type"):
        message = f"{message} Without one leave destination_type out."
        yield scope.ad_set.at("promoted_object"), message


@rule("ad_set", "promoted_object_incomplete", MAPPING, 1885014, when=("ad_set.promoted_object",))
def promoted_object_is_whole(scope: Scope) -> Found:
    """A promoted object names everything that belongs to it."""
    if not scope.ad_set.has("promoted_object"):
        return
    promoted = scope.ad_set.below("promoted_object")
    for field in _fields(promoted, _choices(scope)):
        if not promoted.has(field):
            yield promoted.at(field), "It is required for this objective, destination and goal."
    if promoted.get("custom_event_type") == "OTHER" and not promoted.has("custom_event_str"):
        yield promoted.at("custom_event_str"), "It is required when custom_event_type is OTHER."


@rule("ad_set", "two_promoted_objects", MAPPING, 1487929, when=("ad_set.promoted_object",))
def one_promoted_object(scope: Scope) -> Found:
    """An ad set promotes one thing; products may be counted by a pixel."""
    promoted = scope.ad_set.below("promoted_object")
    kinds = promoted.given("pixel_id", "application_id", "product_set_id", "place_page_set_id")
    if len(kinds) > 1 and set(kinds) != {"pixel_id", "product_set_id"}:
        yield promoted.pointer, f"Only one of {', '.join(kinds)} can be promoted."


@rule("ad", "page_is_not_promoted", PROMOTED_OBJECT, 1885154, when=("ad_set.promoted_object",))
def page_of_promoted(scope: Scope) -> Found:
    """An ad speaks for the page that its ad set promotes."""
    promoted = scope.ad_set.below("promoted_object").get("page_id")
    if promoted is not None and scope.creative.get("page_id") != promoted:
        yield scope.creative.at("page_id"), f"The ad set promotes the page {promoted}."


@rule("ad_set", "catalogue_at_wrong_level", CATALOGUE, when=("ad_set.promoted_object",))
def catalogue(scope: Scope) -> Found:
    """The catalogue stands at the campaign, the set of its products at the ad set."""
    promoted = scope.ad_set.below("promoted_object")
    at_campaign = scope.campaign.below("promoted_object")
    if promoted.has("product_catalog_id"):
        yield promoted.at("product_catalog_id"), "Name the catalogue at the campaign."
    if promoted.has("product_set_id") and not at_campaign.has("product_catalog_id"):
        message = "It is required when an ad set promotes a product set."
        yield at_campaign.at("product_catalog_id"), message


@rule("ad_set", "event_does_not_fit_objective", FIELD, when=("ad_set.promoted_object",))
def event(scope: Scope) -> Found:
    """A sale is not a lead."""
    objective, promoted = (
        scope.campaign.get("objective"),
        scope.ad_set.below("promoted_object"),
    )
    if promoted.get("custom_event_type") in EVENTS_OF_OTHERS.get(objective, ()):
        yield promoted.at("custom_event_type"), f"It does not fit {objective}."


@rule(
    "ad_set",
    "attribution_does_not_fit_goal",
    ATTRIBUTION,
    1885501,
    when=("ad_set.attribution_spec",),
)
def attribution(scope: Scope) -> Found:
    """Only conversions look further back than one day after a click."""
    wanted, objective = scope.ad_set.get("optimization_goal"), scope.campaign.get("objective")
    specs = scope.ad_set.all("attribution_spec")
    given = {(spec.get("event_type"), spec.get("window_days")) for spec in specs}
    if given and given not in _windows(wanted, objective):
        message = f"{wanted} counts {_said(_windows(wanted, objective))}; leave it out to be safe."
        yield scope.ad_set.at("attribution_spec"), message


def _windows(wanted: str, objective: str) -> tuple[set[tuple[str, int]], ...]:
    if wanted == "APP_INSTALLS":
        return _INSTALLS
    if wanted not in ("OFFSITE_CONVERSIONS", "VALUE"):
        return ({_CLICK},)
    return ({_CLICK}, {_WEEK}) if objective == "OUTCOME_APP_PROMOTION" else _CONVERSIONS


def _said(windows: tuple[set[tuple[str, int]], ...]) -> str:
    return ", or ".join(
        " and ".join(f"{kind} {days}" for kind, days in sorted(window)) for window in windows
    )


def _is_uncounted_site(scope: Scope) -> bool:
    """Whether people are sent to a website and nothing that they do there is counted."""
    objective, to = scope.campaign.get("objective"), scope.ad_set.get("destination_type")
    return (
        to in _SITE
        and "WEBSITE" in GOALS[objective]
        and scope.ad_set.get("optimization_goal") in _UNCOUNTED
    )


def _choices(scope: Scope) -> tuple[Fields, ...]:
    """What the ad set promotes: alternatives, none when it need not promote anything."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("optimization_goal")
    choices = PROMOTED[objective].get(scope.ad_set.get("destination_type"), ())
    if objective == "OUTCOME_APP_PROMOTION" and wanted == "OFFSITE_CONVERSIONS":
        return tuple((*fields, "custom_event_type") for fields in choices)
    return choices


def _fields(promoted: Place, choices: tuple[Fields, ...]) -> Fields:
    """Of the alternative that is meant; halves of an app and of a pixel need their other half everywhere."""
    for fields in choices:
        if promoted.has(fields[0]):
            return fields
    if promoted.given(*_APP):
        return next((fields for fields in choices if fields[:2] == _APP), _APP)
    if promoted.has("pixel_id") and not choices:
        return _PIXEL
    return choices[0] if choices else ()


RULES = (
    destination,
    goal,
    goal_of_promoted,
    billing,
    promoted_object_is_there,
    promoted_object_is_whole,
    one_promoted_object,
    page_of_promoted,
    catalogue,
    event,
    attribution,
)

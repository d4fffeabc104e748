"""Which goal, billing and promoted object fit which objective and destination."""

from models.meta_rules.table import Found, Scope, rule

MAPPING = "Marketing API reference, ad campaign group: objective, destination and goal"
BILLING = "Marketing API, bidding: billing events"
ATTRIBUTION = "Marketing API reference, ad set: attribution_spec"

_MESSAGING = (
    "MESSENGER",
    "WHATSAPP",
    "INSTAGRAM_DIRECT",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
)
_SITE = ("OFFSITE_CONVERSIONS", "LINK_CLICKS", "REACH", "LANDING_PAGE_VIEWS", "IMPRESSIONS")
_CLICKS = ("LINK_CLICKS", "REACH", "IMPRESSIONS")

GOALS: dict[str, dict[str | None, tuple[str, ...]]] = {
    "OUTCOME_AWARENESS": {None: ("REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY")},
    "OUTCOME_TRAFFIC": {
        **dict.fromkeys(
            (None, "WEBSITE"), ("LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS")
        ),
        "APP": ("LINK_CLICKS", "REACH"),
        "MESSENGER": _CLICKS,
        "WHATSAPP": _CLICKS,
    },
    "OUTCOME_ENGAGEMENT": {
        **dict.fromkeys((None, "WEBSITE"), _SITE),
        "ON_POST": ("POST_ENGAGEMENT", "REACH"),
        "ON_PAGE": ("PAGE_LIKES",),
        "ON_EVENT": ("EVENT_RESPONSES", "POST_ENGAGEMENT", "REACH", "IMPRESSIONS"),
        "ON_VIDEO": ("THRUPLAY",),
        **dict.fromkeys(_MESSAGING, ("CONVERSATIONS", "LINK_CLICKS")),
    },
    "OUTCOME_LEADS": {
        **dict.fromkeys((None, "WEBSITE"), _SITE),
        "ON_AD": ("LEAD_GENERATION", "QUALITY_LEAD"),
    },
    "OUTCOME_SALES": {
        **dict.fromkeys((None, "WEBSITE"), (*_SITE, "VALUE")),
        "MESSENGER": ("CONVERSATIONS",),
    },
    "OUTCOME_APP_PROMOTION": dict.fromkeys(
        (None, "APP"),
        (
            "APP_INSTALLS",
            "OFFSITE_CONVERSIONS",
            "LINK_CLICKS",
            "VALUE",
            "APP_INSTALLS_AND_OFFSITE_CONVERSIONS",
        ),
    ),
}
ALSO_BILLED = {"LINK_CLICKS": ("LINK_CLICKS",), "THRUPLAY": ("THRUPLAY",)}
NEEDS_PAGE = {
    ("OUTCOME_ENGAGEMENT", "ON_POST"),
    ("OUTCOME_ENGAGEMENT", "ON_PAGE"),
    ("OUTCOME_LEADS", "ON_AD"),
    ("OUTCOME_TRAFFIC", "WHATSAPP"),
    ("OUTCOME_SALES", "MESSENGER"),
    *(("OUTCOME_ENGAGEMENT", destination) for destination in _MESSAGING),
}
EVENTS_OF_OTHERS = {
    "OUTCOME_SALES": ("LEAD", "SUBMIT_APPLICATION"),
    "OUTCOME_LEADS": ("PURCHASE", "ADD_TO_CART"),
}


@rule("ad_set", "destination_does_not_fit_objective", MAPPING, 2446509)
def destination(scope: Scope) -> Found:
    """Each objective has its own destinations."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("destination_type")
    if objective in GOALS and wanted not in GOALS[objective]:
        allowed = ", ".join(d for d in GOALS[objective] if d) or "none"
        yield (
            scope.ad_set.at("destination_type"),
            f"{objective} has no destination {wanted}; it has {allowed}, or leave it out.",
        )


@rule("ad_set", "goal_does_not_fit_objective", MAPPING, 2490408)
def goal(scope: Scope) -> Found:
    """Each objective and destination has its own optimisation goals."""
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("optimization_goal")
    goals = GOALS.get(objective, {}).get(scope.ad_set.get("destination_type"))
    if goals is not None and wanted not in goals:
        yield (
            scope.ad_set.at("optimization_goal"),
            f"{objective} cannot optimise for {wanted} here; choose one of {', '.join(goals)}.",
        )


@rule("ad_set", "billing_does_not_fit_goal", BILLING)
def billing(scope: Scope) -> Found:
    """Most goals are billed by impressions only."""
    wanted, event = scope.ad_set.get("optimization_goal"), scope.ad_set.get("billing_event")
    allowed = ("IMPRESSIONS", *ALSO_BILLED.get(wanted, ()))
    if event not in allowed:
        yield scope.ad_set.at("billing_event"), f"{wanted} is billed by {' or '.join(allowed)}."


@rule("ad_set", "promoted_object_missing", MAPPING, 1815430)
def promoted_object_is_there(scope: Scope) -> Found:
    """Conversions need a pixel with an event, apps an app with its store, pages a page."""
    needed = _needed(scope)
    if needed and not scope.ad_set.has("promoted_object"):
        yield (
            scope.ad_set.at("promoted_object"),
            f"It is required here, with {' and '.join(needed)}.",
        )


@rule("ad_set", "promoted_object_incomplete", MAPPING, 1885014)
def promoted_object_is_whole(scope: Scope) -> Found:
    """A promoted object names everything that its goal needs."""
    if not scope.ad_set.has("promoted_object"):
        return
    promoted = scope.ad_set.below("promoted_object")
    needed = ("object_store_url",) if promoted.has("application_id") else _needed(scope)
    for name in needed:
        if not promoted.has(name):
            yield promoted.at(name), "It is required for this objective, destination and goal."
    if promoted.get("custom_event_type") == "OTHER" and not promoted.has("custom_event_str"):
        yield promoted.at("custom_event_str"), "It is required when custom_event_type is OTHER."


@rule("ad_set", "two_promoted_objects", MAPPING, 1487929)
def one_promoted_object(scope: Scope) -> Found:
    """An ad set promotes one thing."""
    promoted = scope.ad_set.below("promoted_object")
    kinds = promoted.given("pixel_id", "application_id", "product_set_id")
    if len(kinds) > 1 and set(kinds) != {"pixel_id", "product_set_id"}:
        yield promoted.pointer, f"Only one of {', '.join(kinds)} can be promoted."


@rule(
    "ad_set", "event_does_not_fit_objective", "Reported in the field: events of another objective"
)
def event(scope: Scope) -> Found:
    """A sale is not a lead."""
    objective = scope.campaign.get("objective")
    promoted = scope.ad_set.below("promoted_object")
    if promoted.get("custom_event_type") in EVENTS_OF_OTHERS.get(objective, ()):
        yield promoted.at("custom_event_type"), f"It does not fit {objective}."


@rule("ad_set", "attribution_does_not_fit_goal", ATTRIBUTION, 1885501)
def attribution(scope: Scope) -> Found:
    """Only conversions look further back than one day after a click."""
    if scope.ad_set.get("optimization_goal") in ("OFFSITE_CONVERSIONS", "VALUE"):
        return
    is_install = scope.ad_set.get("optimization_goal") == "APP_INSTALLS"
    for spec in scope.ad_set.each("attribution_spec"):
        kinds = (
            ("CLICK_THROUGH", "VIEW_THROUGH", "ENGAGED_VIDEO_VIEW")
            if is_install
            else ("CLICK_THROUGH",)
        )
        if spec.get("window_days") != 1 or spec.get("event_type") not in kinds:
            yield spec.pointer, f"This goal counts {' or '.join(kinds)} within 1 day only."


@rule("ad_set", "app_needs_mobile", "Marketing API, app ads", 1487678)
def app_needs_mobile(scope: Scope) -> Found:
    """Apps are promoted on the system of their store."""
    promoted = scope.ad_set.below("promoted_object")
    store = promoted.get("object_store_url") or ""
    system = "iOS" if "apple.com" in store else "Android" if "google.com" in store else None
    systems = scope.targeting.values("user_os")
    if system is not None and systems and not any(str(s).startswith(system) for s in systems):
        yield scope.targeting.at("user_os"), f"The app's store is that of {system}."


def _needed(scope: Scope) -> tuple[str, ...]:
    objective, wanted = scope.campaign.get("objective"), scope.ad_set.get("optimization_goal")
    destination_type = scope.ad_set.get("destination_type")
    if objective == "OUTCOME_APP_PROMOTION":
        return ("application_id", "object_store_url")
    if wanted in ("OFFSITE_CONVERSIONS", "VALUE"):
        return ("pixel_id", "custom_event_type")
    if (objective, destination_type) in NEEDS_PAGE:
        return ("page_id",)
    return ()


RULES = (
    destination,
    goal,
    billing,
    promoted_object_is_there,
    promoted_object_is_whole,
    one_promoted_object,
    event,
    attribution,
    app_needs_mobile,
)

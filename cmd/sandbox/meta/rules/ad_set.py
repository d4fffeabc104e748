"""What is refused of an ad set, but for its targeting."""

from datetime import datetime
from typing import Any

from sandbox.meta.rules.campaign import STRATEGIES, has_budget
from sandbox.meta.rules.table import Params, World, items, number, part, rule, truth

REFERENCE = "Marketing API reference, ad set"
MAPPING = "Marketing API reference, ad campaign group: objectives, destinations and goals"
BIDDING = "Bid strategy guide"

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
MOST_AD_SETS = 200


def campaign_of(params: Params, world: World) -> dict[str, Any]:
    """Fields of the campaign that the ad set shall hang below."""
    found = world.get(str(params.get("campaign_id")))
    return {} if found is None else found["fields"]


def moment(value: Any) -> float | None:
    """Unix seconds of a time in either of the forms that are accepted; 0 is no end."""
    if number(value) is not None:
        return number(value) or None
    try:
        return datetime.fromisoformat(str(value)).timestamp() if value else None
    except ValueError:
        return None


@rule("ad_set", "ad_set_required", None, REFERENCE, "A required parameter is missing.")
def required(params: Params, world: World):
    for name in ("name", "campaign_id", "billing_event", "optimization_goal", "targeting"):
        if params.get(name) in (None, ""):
            return name, f"The parameter {name} is required."
    return None


@rule("ad_set", "campaign_missing", 33, REFERENCE, "The campaign does not exist or cannot be seen.")
def campaign_exists(params: Params, world: World):
    found = world.get(str(params.get("campaign_id")))
    return "campaign_id" if found is None or found["kind"] != "campaign" else None


@rule("ad_set", "campaign_gone", 1487566, REFERENCE, "The campaign is deleted or archived.")
def campaign_lives(params: Params, world: World):
    found = world.get(str(params.get("campaign_id")))
    return "campaign_id" if found and found["status"] in ("DELETED", "ARCHIVED") else None


@rule("ad_set", "too_many_ad_sets", None, REFERENCE, "A campaign has at most 200 ad sets.")
def few(params: Params, world: World):
    below = world.children(str(params.get("campaign_id")), "ad_set")
    return "campaign_id" if sum(a["status"] != "DELETED" for a in below) >= MOST_AD_SETS else None


@rule("ad_set", "destination", 2446509, MAPPING, "The destination does not fit the objective.")
def destination(params: Params, world: World):
    places = TABLE.get(campaign_of(params, world).get("objective", ""))
    return (
        "destination_type"
        if places and (params.get("destination_type") or "") not in places
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
    goals = places.get(params.get("destination_type") or "")
    return "optimization_goal" if goals and params.get("optimization_goal") not in goals else None


@rule("ad_set", "billing", None, "Billing events guide", "The goal cannot be billed by this event.")
def billing(params: Params, world: World):
    more = {"LINK_CLICKS": "LINK_CLICKS", "THRUPLAY": "THRUPLAY"}.get(
        str(params.get("optimization_goal"))
    )
    return "billing_event" if params.get("billing_event") not in ("IMPRESSIONS", more) else None


def needed_of(params: Params, world: World) -> tuple[str, ...]:
    """What the promoted object must name."""
    target = campaign_of(params, world).get("objective")
    place = params.get("destination_type") or ""
    if target == "OUTCOME_APP_PROMOTION":
        return ("application_id", "object_store_url")
    if part(params, "promoted_object", "application_id") is not None:
        return ("object_store_url",)
    if params.get("optimization_goal") in ("OFFSITE_CONVERSIONS", "VALUE"):
        return ("pixel_id", "custom_event_type")
    if place in ("ON_POST", "ON_PAGE", "ON_AD") or (target != "OUTCOME_TRAFFIC" and place in CHATS):
        return ("page_id",)
    return ("page_id",) if place == "WHATSAPP" else ()


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
    "budget_levels",
    1885621,
    "Budgets guide",
    "The budget stands at the campaign: ad sets must have none.",
)
def budget_levels(params: Params, world: World):
    own = has_budget(params)
    if own and has_budget(campaign_of(params, world)):
        return "daily_budget" if params.get("daily_budget") is not None else "lifetime_budget"
    return None


@rule(
    "ad_set",
    "budget_unsaid",
    None,
    "Budgets guide",
    "An ad set needs a daily or a lifetime budget, one of them.",
)
def budget_said(params: Params, world: World):
    given = [n for n in ("daily_budget", "lifetime_budget") if params.get(n) is not None]
    if len(given) == 2:
        return "lifetime_budget"
    return "daily_budget" if not given and not has_budget(campaign_of(params, world)) else None


@rule("ad_set update_ad_set", "budget_minimum", 1885272, "Budgets guide", "The budget is too low.")
def budget_minimum(params: Params, world: World):
    least = float(world.account.get("min_daily_budget") or 100)
    for name in ("daily_budget", "lifetime_budget"):
        value = number(params.get(name))
        if value is not None and value < least:
            return name, f"The budget must be at least {least:.0f}."
    return None


def strategy_of(params: Params, world: World) -> str:
    """Its own, its campaign's, or what a bare bid amount means."""
    own = params.get("bid_strategy") or campaign_of(params, world).get("bid_strategy")
    return str(
        own
        or ("LOWEST_COST_WITH_BID_CAP" if params.get("bid_amount") else "LOWEST_COST_WITHOUT_CAP")
    )


@rule("ad_set", "bid_strategy", None, BIDDING, "bid_strategy is not one of the known strategies.")
def strategy(params: Params, world: World):
    return "bid_strategy" if strategy_of(params, world) not in STRATEGIES else None


@rule("ad_set", "bid_missing", 1815857, BIDDING, "This bid strategy needs a bid amount.")
def bid_missing(params: Params, world: World):
    capped = strategy_of(params, world) in ("LOWEST_COST_WITH_BID_CAP", "COST_CAP")
    return "bid_amount" if capped and number(params.get("bid_amount")) is None else None


@rule("ad_set", "bid_unwanted", 1885204, BIDDING, "This bid strategy takes no bid amount.")
def bid_unwanted(params: Params, world: World):
    free = strategy_of(params, world) in ("LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_MIN_ROAS")
    return "bid_amount" if free and params.get("bid_amount") is not None else None


@rule(
    "ad_set",
    "roas",
    2490487,
    BIDDING,
    "A minimum return needs the goal VALUE and roas_average_floor.",
)
def roas(params: Params, world: World):
    if strategy_of(params, world) != "LOWEST_COST_WITH_MIN_ROAS":
        return None
    floor = number(part(params, "bid_constraints", "roas_average_floor"))
    if floor is None or not 100 <= floor <= 10_000_000:
        return "bid_constraints.roas_average_floor"
    return "optimization_goal" if params.get("optimization_goal") != "VALUE" else None


@rule(
    "ad_set",
    "sharing_strategies",
    4834009,
    "Marketing API changelog v24.0, ad set budget sharing",
    "Ad sets that share budgets must have the same bid strategy.",
)
def sharing(params: Params, world: World):
    if not truth(campaign_of(params, world).get("is_adset_budget_sharing_enabled")):
        return None
    others = world.children(str(params.get("campaign_id")), "ad_set")
    return (
        "bid_strategy"
        if any(o["fields"].get("bid_strategy") != params.get("bid_strategy") for o in others)
        else None
    )


@rule(
    "ad_set", "end_past", 1487033, REFERENCE, "The end must lie in the future and after the start."
)
def end(params: Params, world: World):
    start, finish = moment(params.get("start_time")), moment(params.get("end_time"))
    if finish is None:
        return None
    return "end_time" if finish <= world.now or (start is not None and finish <= start) else None


@rule("ad_set", "lifetime_end", None, REFERENCE, "A lifetime budget needs an end.")
def lifetime_end(params: Params, world: World):
    lifetime = params.get("lifetime_budget") or campaign_of(params, world).get("lifetime_budget")
    return "end_time" if lifetime and moment(params.get("end_time")) is None else None


@rule("ad_set", "short_day", None, REFERENCE, "A daily budget needs more than 24 hours.")
def short_day(params: Params, world: World):
    finish = moment(params.get("end_time"))
    if finish is None or params.get("daily_budget") is None:
        return None
    return (
        "end_time" if finish - (moment(params.get("start_time")) or world.now) <= 86_400 else None
    )


@rule(
    "ad_set",
    "frequency",
    None,
    REFERENCE,
    "Frequency can be controlled for REACH and THRUPLAY only.",
)
def frequency(params: Params, world: World):
    wanted = params.get("frequency_control_specs")
    return (
        "frequency_control_specs"
        if wanted and params.get("optimization_goal") not in ("REACH", "THRUPLAY")
        else None
    )


@rule("ad_set", "hours", None, REFERENCE, "A schedule of hours needs a lifetime budget.")
def hours(params: Params, world: World):
    lifetime = params.get("lifetime_budget") or campaign_of(params, world).get("lifetime_budget")
    return "adset_schedule" if params.get("adset_schedule") and not lifetime else None


@rule(
    "ad_set",
    "attribution",
    1885501,
    "Attribution settings guide",
    "The goal allows other attribution windows only.",
)
def attribution(params: Params, world: World):
    if params.get("optimization_goal") in ("OFFSITE_CONVERSIONS", "VALUE", "APP_INSTALLS"):
        return None
    wrong = [
        s
        for s in items(params.get("attribution_spec"))
        if number(part(s, "window_days")) != 1 or part(s, "event_type") != "CLICK_THROUGH"
    ]
    return "attribution_spec" if wrong else None


@rule("update_ad_set", "immutable", 1815198, REFERENCE, "This cannot be changed after creation.")
def immutable(params: Params, world: World):
    old = world.get(str(params.get("id")))
    for name in ("frequency_control_specs", "promoted_object"):
        if old is not None and name in params and params[name] != old["fields"].get(name):
            return name
    return None


RULES = (
    required,
    campaign_exists,
    campaign_lives,
    few,
    destination,
    goal,
    billing,
    promoted_object,
    promoted_whole,
    promoted_once,
    budget_levels,
    budget_said,
    budget_minimum,
    strategy,
    bid_missing,
    bid_unwanted,
    roas,
    sharing,
    end,
    lifetime_end,
    short_day,
    frequency,
    hours,
    attribution,
    immutable,
)

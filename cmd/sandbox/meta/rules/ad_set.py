"""What is refused of an ad set itself: its place, its schedule, what cannot be changed later."""

from typing import Any

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import campaign_of, items, moment, number, part

REFERENCE = "Marketing API reference, ad set"
MOST_AD_SETS = 200
MOST_DAYS = 90
"""Between two looks at how often somebody saw an ad; and how often that may be."""


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
    daily = params.get("daily_budget") or campaign_of(params, world).get("daily_budget")
    if finish is None or daily is None:
        return None
    return (
        "end_time" if finish - (moment(params.get("start_time")) or world.now) <= 86_400 else None
    )


@rule(
    "ad_set",
    "frequency",
    None,
    REFERENCE,
    "Frequency can be controlled for REACH and THRUPLAY only, in impressions, from 1 to 90.",
)
def frequency(params: Params, world: World):
    wanted = items(params.get("frequency_control_specs"))
    fits = params.get("optimization_goal") in ("REACH", "THRUPLAY")
    return None if all(fits and _is_bounded(one) for one in wanted) else "frequency_control_specs"


def _is_bounded(spec: Any) -> bool:
    numbers = [number(part(spec, name)) for name in ("interval_days", "max_frequency")]
    return part(spec, "event") == "IMPRESSIONS" and all(n and 1 <= n <= MOST_DAYS for n in numbers)


@rule("ad_set", "hours", None, REFERENCE, "A schedule of hours needs a lifetime budget.")
def hours(params: Params, world: World):
    lifetime = params.get("lifetime_budget") or campaign_of(params, world).get("lifetime_budget")
    return "adset_schedule" if params.get("adset_schedule") and not lifetime else None


@rule(
    "ad_set",
    "hours_pacing",
    None,
    "Pacing and scheduling guide",
    "A schedule of hours needs the pacing type day_parting.",
)
def hours_pacing(params: Params, world: World):
    is_unsaid = "day_parting" not in items(params.get("pacing_type"))
    return "pacing_type" if params.get("adset_schedule") and is_unsaid else None


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
    end,
    lifetime_end,
    short_day,
    frequency,
    hours,
    hours_pacing,
    immutable,
)

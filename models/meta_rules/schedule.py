"""When ads run, and how often one person sees them."""

from datetime import timedelta

from models.meta_rules.table import Found, Place, Scope, independently, rule

SCHEDULE = "Marketing API reference, ad set: schedule"
HOURS = "Marketing API reference, ad set: adset_schedule"
HOURS_PACING = "Marketing API, pacing and scheduling; Meta's announcement of ad scheduling"
FREQUENCY = "Marketing API reference, ad set: frequency_control_specs"


@rule("ad_set", "end_before_start", SCHEDULE, when=("ad_set.end_time",))
def end_after_start(scope: Scope) -> Found:
    """Ads end after they begin."""
    start, end = scope.ad_set.moment("start_time"), scope.ad_set.moment("end_time")
    if start is not None and end is not None and end <= start:
        yield scope.ad_set.at("end_time"), "It must lie after start_time."


@rule("ad_set", "end_in_past", SCHEDULE, 1487033, when=("ad_set.end_time",))
def end_in_future(scope: Scope) -> Found:
    """What has ended cannot begin."""
    end = scope.ad_set.moment("end_time")
    if end is not None and end <= scope.context.now:
        yield scope.ad_set.at("end_time"), "It must lie in the future."


@rule(
    "ad_set",
    "lifetime_budget_without_end",
    SCHEDULE,
    when=("ad_set.lifetime_budget", "campaign.lifetime_budget"),
)
def lifetime_needs_end(scope: Scope) -> Found:
    """A lifetime has an end."""
    if _has_lifetime_budget(scope) and not scope.ad_set.has("end_time"):
        yield scope.ad_set.at("end_time"), "A lifetime budget needs it."


@rule("ad_set", "daily_budget_for_less_than_a_day", SCHEDULE, when=("ad_set.end_time",))
def daily_needs_a_day(scope: Scope) -> Found:
    """A daily budget needs more than a day."""
    end = scope.ad_set.moment("end_time")
    if end is None or not (scope.ad_set.has("daily_budget") or scope.campaign.has("daily_budget")):
        return
    start = scope.ad_set.moment("start_time") or scope.context.now
    if timedelta(0) < end - start <= timedelta(hours=24):
        message = "A daily budget needs more than 24 hours; use lifetime_budget."
        yield scope.ad_set.at("end_time"), message


@rule("ad_set", "hours_need_lifetime_budget", HOURS, when=("ad_set.adset_schedule",))
def hours_need_lifetime(scope: Scope) -> Found:
    """Hours can be chosen with a lifetime budget only."""
    if scope.ad_set.has("adset_schedule") and not _has_lifetime_budget(scope):
        yield scope.ad_set.at("adset_schedule"), "It needs a lifetime budget."


@rule("ad_set", "hours_need_day_parting", HOURS_PACING, when=("ad_set.adset_schedule",))
def hours_need_day_parting(scope: Scope) -> Found:
    """Hours are kept where the budget is spent by them; else ads may run, and cost, at all hours."""
    if scope.ad_set.has("adset_schedule") and "day_parting" not in scope.ad_set.values(
        "pacing_type"
    ):
        yield scope.ad_set.at("pacing_type"), 'Chosen hours need ["day_parting"].'


@rule("ad_set", "hours_reversed", HOURS, when=("ad_set.adset_schedule",))
def hours_in_order(scope: Scope) -> Found:
    """Hours end after they begin, on the same day."""

    def check(hours: Place) -> Found:
        if hours.get("end_minute") <= hours.get("start_minute"):
            yield hours.at("end_minute"), "It must lie after start_minute."

    yield from independently(scope.ad_set.each("adset_schedule"), check)


@rule("ad_set", "frequency_does_not_fit_goal", FREQUENCY, when=("ad_set.frequency_control_specs",))
def frequency(scope: Scope) -> Found:
    """How often people see ads is controlled for reach and for watched videos."""
    wanted = scope.ad_set.get("optimization_goal")
    if scope.ad_set.has("frequency_control_specs") and wanted not in ("REACH", "THRUPLAY"):
        yield scope.ad_set.at("frequency_control_specs"), "It is for REACH and THRUPLAY only."


def _has_lifetime_budget(scope: Scope) -> bool:
    return scope.ad_set.has("lifetime_budget") or scope.campaign.has("lifetime_budget")


RULES = (
    end_after_start,
    end_in_future,
    lifetime_needs_end,
    daily_needs_a_day,
    hours_need_lifetime,
    hours_need_day_parting,
    hours_in_order,
    frequency,
)

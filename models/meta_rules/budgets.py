"""Budgets, bids and schedules, at the campaign or at the ad sets."""

from datetime import timedelta

from models.meta_rules.table import Found, Place, Scope, rule

BUDGET = "Marketing API, budgets"
BID = "Marketing API, bidding: bid strategy"
SCHEDULE = "Marketing API reference, ad set: schedule"
SHARING = "Marketing API changelog v24.0: is_adset_budget_sharing_enabled"

CAPPED = ("LOWEST_COST_WITH_BID_CAP", "COST_CAP")
LEAST_SPEND_CAP = 10_000
"""100 units of a currency with cents, as for US dollars."""


@rule("campaign", "two_budgets", BUDGET)
def one_budget_at_campaign(scope: Scope) -> Found:
    """A campaign has a daily or a lifetime budget."""
    if len(scope.campaign.given("daily_budget", "lifetime_budget")) == 2:
        yield (
            scope.campaign.at("lifetime_budget"),
            "Give daily_budget or lifetime_budget, not both.",
        )


@rule("ad_set", "two_budgets", BUDGET)
def one_budget_at_ad_set(scope: Scope) -> Found:
    """An ad set has a daily or a lifetime budget."""
    if len(scope.ad_set.given("daily_budget", "lifetime_budget")) == 2:
        yield scope.ad_set.at("lifetime_budget"), "Give daily_budget or lifetime_budget, not both."


@rule("ad_set", "budget_at_both_levels", BUDGET, 1885621)
def budget_at_one_level(scope: Scope) -> Found:
    """A campaign's budget is for all its ad sets."""
    if scope.has_campaign_budget:
        for name in scope.ad_set.given("daily_budget", "lifetime_budget"):
            yield scope.ad_set.at(name), "The campaign has the budget; ad sets must carry none."


@rule("ad_set", "budget_missing", BUDGET)
def budget_is_there(scope: Scope) -> Found:
    """Somebody has to say how much."""
    if not scope.has_campaign_budget and not scope.ad_set.given("daily_budget", "lifetime_budget"):
        yield scope.ad_set.at("daily_budget"), "A budget is required here or at the campaign."


@rule("campaign", "budget_too_small", BUDGET, 2446307)
def budget_is_enough_at_campaign(scope: Scope) -> Found:
    """Accounts have a least daily budget."""
    yield from _too_small(scope, scope.campaign)


@rule("ad_set", "budget_too_small", BUDGET, 1885272)
def budget_is_enough_at_ad_set(scope: Scope) -> Found:
    """Accounts have a least daily budget."""
    yield from _too_small(scope, scope.ad_set)


@rule("campaign", "spend_cap_too_small", "Marketing API reference, ad campaign group: spend_cap")
def spend_cap(scope: Scope) -> Found:
    """A cap on spending is at least 100 US dollars' worth."""
    cap = scope.campaign.get("spend_cap")
    if (
        cap is not None
        and scope.context.currency in (None, "USD", "EUR", "GBP")
        and cap < LEAST_SPEND_CAP
    ):
        yield scope.campaign.at("spend_cap"), f"It is at least {LEAST_SPEND_CAP}."


@rule("campaign", "bid_strategy_without_budget", BID, 1885737)
def strategy_needs_budget(scope: Scope) -> Found:
    """The bid strategy stands where the budget stands."""
    if scope.campaign.has("bid_strategy") and not scope.has_campaign_budget:
        yield (
            scope.campaign.at("bid_strategy"),
            "It needs a budget of the campaign; give it at the ad sets.",
        )


@rule("ad_set", "bid_strategy_at_wrong_level", BID)
def strategy_at_budget(scope: Scope) -> Found:
    """With a campaign budget the campaign says how to bid."""
    if scope.has_campaign_budget and scope.ad_set.has("bid_strategy"):
        yield (
            scope.ad_set.at("bid_strategy"),
            "The campaign has the budget; give the strategy there.",
        )


@rule("ad_set", "bid_amount_missing", BID, 1815857)
def cap_needs_amount(scope: Scope) -> Found:
    """A strategy with a cap needs the cap."""
    if _strategy(scope) in CAPPED and not scope.ad_set.has("bid_amount"):
        yield scope.ad_set.at("bid_amount"), f"{_strategy(scope)} needs it."


@rule("ad_set", "bid_amount_without_cap", BID, 1885204)
def amount_needs_cap(scope: Scope) -> Found:
    """Without a cap there is nothing to bid."""
    if not scope.ad_set.has("bid_amount"):
        return
    if _strategy(scope) is None:
        yield (
            scope.ad_set.at("bid_strategy"),
            "Say which cap bid_amount is: LOWEST_COST_WITH_BID_CAP or COST_CAP.",
        )
    elif _strategy(scope) not in CAPPED:
        yield scope.ad_set.at("bid_amount"), f"{_strategy(scope)} takes none."


@rule("ad_set", "return_floor_wrong", BID, 2490487)
def return_floor(scope: Scope) -> Found:
    """A least return needs its floor, and optimises for value."""
    if _strategy(scope) != "LOWEST_COST_WITH_MIN_ROAS":
        if scope.ad_set.has("bid_constraints"):
            yield scope.ad_set.at("bid_constraints"), "They belong to LOWEST_COST_WITH_MIN_ROAS."
        return
    if not scope.ad_set.has("bid_constraints"):
        yield (
            scope.ad_set.at("bid_constraints"),
            "LOWEST_COST_WITH_MIN_ROAS needs roas_average_floor.",
        )
    if scope.ad_set.get("optimization_goal") != "VALUE":
        yield scope.ad_set.at("optimization_goal"), "LOWEST_COST_WITH_MIN_ROAS optimises for VALUE."


@rule("ad_set", "cost_cap_wrong", BID)
def cost_cap(scope: Scope) -> Found:
    """A cost cap is billed by impressions at standard pacing."""
    if _strategy(scope) != "COST_CAP":
        return
    if scope.ad_set.get("billing_event") != "IMPRESSIONS":
        yield scope.ad_set.at("billing_event"), "COST_CAP is billed by IMPRESSIONS."
    if any(kind != "standard" for kind in scope.ad_set.values("pacing_type")):
        yield scope.ad_set.at("pacing_type"), "COST_CAP needs standard pacing."


@rule("campaign", "budget_sharing_with_budget", SHARING, 4834002)
def sharing_without_budget(scope: Scope) -> Found:
    """Ad sets share their own budgets, not the campaign's."""
    if scope.campaign.get("is_adset_budget_sharing_enabled") and scope.has_campaign_budget:
        yield scope.campaign.at("is_adset_budget_sharing_enabled"), "It is for ad set budgets only."


@rule("request", "budget_sharing_strategies", SHARING, 4834009)
def sharing_with_equal_strategies(scope: Scope) -> Found:
    """Ad sets that share budgets bid alike, and say how."""
    if not scope.campaign.get("is_adset_budget_sharing_enabled"):
        return
    strategies = {ad_set.get("bid_strategy") for ad_set in scope.request.each("ad_sets")}
    if len(strategies) > 1 or None in strategies:
        yield (
            scope.campaign.at("is_adset_budget_sharing_enabled"),
            "All ad sets must have one same bid_strategy.",
        )


@rule("ad_set", "end_before_start", SCHEDULE)
def end_after_start(scope: Scope) -> Found:
    """Ads end after they begin."""
    start, end = scope.ad_set.moment("start_time"), scope.ad_set.moment("end_time")
    if start is not None and end is not None and end <= start:
        yield scope.ad_set.at("end_time"), "It must lie after start_time."


@rule("ad_set", "end_in_past", SCHEDULE, 1487033)
def end_in_future(scope: Scope) -> Found:
    """What has ended cannot begin."""
    end = scope.ad_set.moment("end_time")
    if end is not None and end <= scope.context.now:
        yield scope.ad_set.at("end_time"), "It must lie in the future."


@rule("ad_set", "lifetime_budget_without_end", SCHEDULE)
def lifetime_needs_end(scope: Scope) -> Found:
    """A lifetime has an end."""
    has_lifetime = scope.ad_set.has("lifetime_budget") or scope.campaign.has("lifetime_budget")
    if has_lifetime and not scope.ad_set.has("end_time"):
        yield scope.ad_set.at("end_time"), "A lifetime budget needs it."


@rule("ad_set", "daily_budget_for_less_than_a_day", SCHEDULE)
def daily_needs_a_day(scope: Scope) -> Found:
    """A daily budget needs more than a day."""
    end = scope.ad_set.moment("end_time")
    if end is None or not (scope.ad_set.has("daily_budget") or scope.campaign.has("daily_budget")):
        return
    start = scope.ad_set.moment("start_time") or scope.context.now
    if timedelta(0) < end - start <= timedelta(hours=24):
        yield (
            scope.ad_set.at("end_time"),
            "A daily budget needs more than 24 hours; use lifetime_budget.",
        )


@rule("ad_set", "schedule_needs_lifetime_budget", SCHEDULE)
def hours_need_lifetime(scope: Scope) -> Found:
    """Hours can be chosen with a lifetime budget only."""
    if scope.ad_set.has("adset_schedule") and not (
        scope.ad_set.has("lifetime_budget") or scope.campaign.has("lifetime_budget")
    ):
        yield scope.ad_set.at("adset_schedule"), "It needs a lifetime budget."
    for hours in scope.ad_set.each("adset_schedule"):
        if hours.get("end_minute") is not None and hours.get("end_minute") <= (
            hours.get("start_minute") or 0
        ):
            yield hours.at("end_minute"), "It must lie after start_minute."


@rule(
    "ad_set",
    "frequency_does_not_fit_goal",
    "Marketing API reference, ad set: frequency_control_specs",
)
def frequency(scope: Scope) -> Found:
    """How often people see ads is controlled for reach only."""
    if scope.ad_set.has("frequency_control_specs") and scope.ad_set.get(
        "optimization_goal"
    ) not in (
        "REACH",
        "THRUPLAY",
    ):
        yield scope.ad_set.at("frequency_control_specs"), "It is for REACH and THRUPLAY only."


def _strategy(scope: Scope) -> str | None:
    return scope.ad_set.get("bid_strategy") or scope.campaign.get("bid_strategy")


def _too_small(scope: Scope, place: Place) -> Found:
    least, daily = scope.context.min_daily_budget, place.get("daily_budget")
    if least is not None and daily is not None and daily < least:
        yield place.at("daily_budget"), f"This account's least daily budget is {least}."


RULES = (
    one_budget_at_campaign,
    one_budget_at_ad_set,
    budget_at_one_level,
    budget_is_there,
    budget_is_enough_at_campaign,
    budget_is_enough_at_ad_set,
    spend_cap,
    strategy_needs_budget,
    strategy_at_budget,
    cap_needs_amount,
    amount_needs_cap,
    return_floor,
    cost_cap,
    sharing_without_budget,
    sharing_with_equal_strategies,
    end_after_start,
    end_in_future,
    lifetime_needs_end,
    daily_needs_a_day,
    hours_need_lifetime,
    frequency,
)

"""What is refused of an ad set's budget and bid."""

from typing import Any

from sandbox.meta.rules.campaign import STRATEGIES, has_budget
from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import campaign_of, number, part, truth, words

BIDDING = "Bid strategy guide"
FREQUENT_ACTIONS = 5
"""Who pays for clicks must spend so many times what who pays for impressions must."""

AMOUNTS = ("daily_budget", "lifetime_budget", "bid_amount", "spend_cap")
"""In the smallest unit that Meta counts of a currency."""


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
    if params.get("billing_event") == "LINK_CLICKS":
        least *= FREQUENT_ACTIONS
    for name in ("daily_budget", "lifetime_budget"):
        value = number(params.get(name))
        if value is not None and value < least:
            return name, f"The budget must be at least {least:.0f}."
    return None


@rule(
    "campaign ad_set update_campaign update_ad_set",
    "whole_amounts",
    None,
    "SDK, types of parameters",
    "Amounts of money are whole numbers.",
)
def whole_amounts(params: Params, world: World):
    for name in AMOUNTS:
        value = params.get(name)
        if value is not None and not _is_whole(value):
            return name, f"Param {name} must be an integer."
    return None


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, int) and not isinstance(value, bool)


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
    "ad_set", "cost_cap", None, BIDDING, "A cost cap needs standard pacing, billed by impressions."
)
def cost_cap(params: Params, world: World):
    if strategy_of(params, world) != "COST_CAP":
        return None
    if params.get("billing_event") != "IMPRESSIONS":
        return "billing_event"
    return "pacing_type" if "no_pacing" in words(params.get("pacing_type")) else None


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


RULES = (
    budget_levels,
    budget_said,
    budget_minimum,
    whole_amounts,
    strategy,
    bid_missing,
    bid_unwanted,
    roas,
    cost_cap,
    sharing,
)

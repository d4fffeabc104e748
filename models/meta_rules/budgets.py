"""How much is spent, said at the campaign or at the ad sets."""

from models.meta_rules.table import Found, Place, RuleContext, Scope, rule

BUDGET = "Marketing API, budgets"
SPEND_CAP = "Marketing API reference, ad campaign group: spend_cap; ad account: min_campaign_group_spend_cap"
SHARING = "Marketing API changelog v24.0: is_adset_budget_sharing_enabled"

KINDS = ("daily_budget", "lifetime_budget")
_LEAST = "The least that this account takes for a day is {least}{unit}."
WHOLE_CURRENCIES = frozenset(
    {"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"}
)
"""Meta counts them in whole units, also those that have smaller ones (Marketing API, currencies)."""
LEAST_SPEND_CAP = {"USD": 10_000}
"""100 US dollars or what is worth as much: the account tells; by currency where it was not asked."""


@rule("campaign", "two_budgets", BUDGET, when=("campaign.lifetime_budget",))
def one_budget_at_campaign(scope: Scope) -> Found:
    """A campaign has a daily or a lifetime budget."""
    yield from _two(scope.campaign)


@rule("ad_set", "two_budgets", BUDGET, when=("ad_set.lifetime_budget",))
def one_budget_at_ad_set(scope: Scope) -> Found:
    """An ad set has a daily or a lifetime budget."""
    yield from _two(scope.ad_set)


@rule(
    "ad_set",
    "budget_at_both_levels",
    BUDGET,
    1885621,
    when=("campaign.daily_budget", "campaign.lifetime_budget"),
)
def budget_at_one_level(scope: Scope) -> Found:
    """A campaign's budget is for all its ad sets."""
    if scope.has_campaign_budget:
        for name in scope.ad_set.given(*KINDS):
            yield scope.ad_set.at(name), "The campaign has the budget; ad sets must carry none."


@rule("ad_set", "budget_missing", BUDGET)
def budget_is_there(scope: Scope) -> Found:
    """Somebody has to say how much."""
    if not scope.has_campaign_budget and not scope.ad_set.given(*KINDS):
        yield scope.ad_set.at("daily_budget"), "A budget is required here or at the campaign."


@rule(
    "campaign",
    "budget_too_small",
    BUDGET,
    2446307,
    when=("campaign.daily_budget", "campaign.lifetime_budget"),
)
def budget_is_enough_at_campaign(scope: Scope) -> Found:
    """Accounts have a least daily budget; no campaign can do with less."""
    yield from _too_small(scope, scope.campaign)


@rule(
    "ad_set",
    "budget_too_small",
    BUDGET,
    1885272,
    when=("ad_set.daily_budget", "ad_set.lifetime_budget"),
)
def budget_is_enough_at_ad_set(scope: Scope) -> Found:
    """Accounts have a least daily budget; no ad set can do with less."""
    yield from _too_small(scope, scope.ad_set)


@rule("campaign", "spend_cap_too_small", SPEND_CAP, when=("campaign.spend_cap",))
def spend_cap(scope: Scope) -> Found:
    """A cap on spending is worth at least 100 US dollars."""
    cap, least = scope.campaign.get("spend_cap"), _least_spend_cap(scope.context)
    if cap is not None and least is not None and cap < least:
        yield scope.campaign.at("spend_cap"), f"It is at least {least}."


@rule(
    "campaign",
    "budget_sharing_with_campaign_budget",
    SHARING,
    4834002,
    when=("campaign.is_adset_budget_sharing_enabled",),
)
def sharing_without_budget(scope: Scope) -> Found:
    """Ad sets share their own budgets, not the campaign's."""
    if scope.campaign.get("is_adset_budget_sharing_enabled") and scope.has_campaign_budget:
        yield scope.campaign.at("is_adset_budget_sharing_enabled"), "It is for ad set budgets only."


@rule(
    "request",
    "budget_sharing_strategies_differ",
    SHARING,
    4834009,
    when=("campaign.is_adset_budget_sharing_enabled",),
)
def sharing_with_equal_strategies(scope: Scope) -> Found:
    """Ad sets that share budgets bid alike, and say how."""
    if not scope.campaign.get("is_adset_budget_sharing_enabled") or scope.has_campaign_budget:
        return
    strategies = {ad_set.get("bid_strategy") for ad_set in scope.request.all("ad_sets")}
    if len(strategies) > 1 or None in strategies:
        message = "All ad sets must have one and the same bid_strategy."
        yield scope.campaign.at("is_adset_budget_sharing_enabled"), message


def _two(place: Place) -> Found:
    if len(place.given(*KINDS)) == 2:
        yield place.at("lifetime_budget"), "Give daily_budget or lifetime_budget, not both."


def _too_small(scope: Scope, place: Place) -> Found:
    if scope.context.minimum_budgets is None and scope.context.min_daily_budget is None:
        return
    for name in KINDS:
        budget = place.get(name)
        least = None if budget is None else _least(scope.context, place)
        if budget is not None and least is not None and budget < least:
            yield place.at(name), _LEAST.format(least=least, unit=_unit(scope.context.currency))


def _least(context: RuleContext, place: Place) -> int | None:
    """A campaign says nothing of what is paid for, so the least of all holds for it."""
    told = context.minimum_budgets
    if told is None:
        return context.min_daily_budget
    paid_for = {"LINK_CLICKS": told.frequent_actions, "THRUPLAY": told.video_views}
    return paid_for.get(str(place.get("billing_event"))) or told.impressions


def _least_spend_cap(context: RuleContext) -> int | None:
    """What the platform told of the account, else what is known of its currency."""
    told = None if context.minimum_budgets is None else context.minimum_budgets.campaign_spend_cap
    return LEAST_SPEND_CAP.get(context.currency or "") if told is None else told


def _unit(currency: str | None) -> str:
    if currency in WHOLE_CURRENCIES:
        return f" whole {currency}"
    return "" if currency is None else f" of the smallest unit of {currency}"


RULES = (
    one_budget_at_campaign,
    one_budget_at_ad_set,
    budget_at_one_level,
    budget_is_there,
    budget_is_enough_at_campaign,
    budget_is_enough_at_ad_set,
    spend_cap,
    sharing_without_budget,
    sharing_with_equal_strategies,
)

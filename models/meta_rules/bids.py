"""How Meta bids: strategies, caps, the least return."""

from models.meta_rules.table import Found, Scope, rule

BID = "Marketing API, bidding: bid strategy"

CAPPED = ("LOWEST_COST_WITH_BID_CAP", "COST_CAP")
LEAST_RETURN = "LOWEST_COST_WITH_MIN_ROAS"


def _bidding(*strategies: str) -> tuple[str, ...]:
    """Where one of these stands, at either level."""
    return tuple(
        f"{place}.bid_strategy={word}" for place in ("ad_set", "campaign") for word in strategies
    )


@rule("campaign", "bid_strategy_without_budget", BID, 1885737, when=("campaign.bid_strategy",))
def strategy_needs_budget(scope: Scope) -> Found:
    """The bid strategy stands where the budget stands."""
    if scope.campaign.has("bid_strategy") and not scope.has_campaign_budget:
        message = "It needs a budget of the campaign; give it at the ad sets."
        yield scope.campaign.at("bid_strategy"), message


@rule(
    "campaign",
    "bid_strategy_missing",
    BID,
    when=("campaign.daily_budget", "campaign.lifetime_budget"),
)
def budget_needs_strategy(scope: Scope) -> Found:
    """A campaign budget without a strategy would get one with a cap."""
    if scope.has_campaign_budget and not scope.campaign.has("bid_strategy"):
        message = "It is required with a campaign budget, for example LOWEST_COST_WITHOUT_CAP."
        yield scope.campaign.at("bid_strategy"), message


@rule("ad_set", "bid_strategy_at_both_levels", BID, when=("ad_set.bid_strategy",))
def strategy_at_budget(scope: Scope) -> Found:
    """With a campaign budget the campaign says how to bid."""
    if scope.has_campaign_budget and scope.ad_set.has("bid_strategy"):
        message = "The campaign has the budget; give the strategy there."
        yield scope.ad_set.at("bid_strategy"), message


@rule("ad_set", "bid_amount_missing", BID, 1815857, when=_bidding(*CAPPED))
def cap_needs_amount(scope: Scope) -> Found:
    """A strategy with a cap needs the cap, at every ad set."""
    if _strategy(scope) in CAPPED and not scope.ad_set.has("bid_amount"):
        yield scope.ad_set.at("bid_amount"), f"{_strategy(scope)} needs it."


@rule("ad_set", "bid_amount_without_cap", BID, 1885204, when=("ad_set.bid_amount",))
def amount_needs_cap(scope: Scope) -> Found:
    """Without a cap there is nothing to bid."""
    if not scope.ad_set.has("bid_amount") or _strategy(scope) in CAPPED:
        return
    if _strategy(scope) is None:
        message = "Say which cap bid_amount is: LOWEST_COST_WITH_BID_CAP or COST_CAP."
        yield scope.ad_set.at("bid_strategy"), message
    else:
        yield scope.ad_set.at("bid_amount"), f"{_strategy(scope)} takes none."


@rule("ad_set", "bid_constraints_missing", BID, 2490487, when=_bidding(LEAST_RETURN))
def return_needs_floor(scope: Scope) -> Found:
    """The least return has to be said."""
    if _strategy(scope) == LEAST_RETURN and not scope.ad_set.has("bid_constraints"):
        yield scope.ad_set.at("bid_constraints"), f"{LEAST_RETURN} needs roas_average_floor."


@rule("ad_set", "bid_constraints_without_return", BID, when=("ad_set.bid_constraints",))
def floor_needs_return(scope: Scope) -> Found:
    """A floor belongs to the strategy that has one."""
    if scope.ad_set.has("bid_constraints") and _strategy(scope) != LEAST_RETURN:
        yield scope.ad_set.at("bid_constraints"), f"They belong to {LEAST_RETURN}."


@rule("ad_set", "bid_strategy_needs_value", BID, when=_bidding(LEAST_RETURN))
def return_needs_value(scope: Scope) -> Found:
    """The least return optimises for value."""
    if _strategy(scope) == LEAST_RETURN and scope.ad_set.get("optimization_goal") != "VALUE":
        yield scope.ad_set.at("optimization_goal"), f"{LEAST_RETURN} optimises for VALUE."


@rule("ad_set", "cost_cap_billing", BID, when=_bidding("COST_CAP"))
def cost_cap_billing(scope: Scope) -> Found:
    """A cost cap is billed by impressions."""
    if _strategy(scope) == "COST_CAP" and scope.ad_set.get("billing_event") != "IMPRESSIONS":
        yield scope.ad_set.at("billing_event"), "COST_CAP is billed by IMPRESSIONS."


@rule("ad_set", "cost_cap_pacing", BID, when=_bidding("COST_CAP"))
def cost_cap_pacing(scope: Scope) -> Found:
    """A cost cap needs standard pacing, at all hours or at chosen ones."""
    # Meta's pages want it standard; within chosen hours bids are paced as well, without pacing they are not
    if _strategy(scope) == "COST_CAP" and "no_pacing" in scope.ad_set.values("pacing_type"):
        yield scope.ad_set.at("pacing_type"), "COST_CAP needs standard pacing."


def _strategy(scope: Scope) -> str | None:
    return scope.ad_set.get("bid_strategy") or scope.campaign.get("bid_strategy")


RULES = (
    strategy_needs_budget,
    budget_needs_strategy,
    strategy_at_budget,
    cap_needs_amount,
    amount_needs_cap,
    return_needs_floor,
    floor_needs_return,
    return_needs_value,
    cost_cap_billing,
    cost_cap_pacing,
)

"""What is refused of a campaign."""

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import items, number, strange_countries, truth, words

REFERENCE = "Marketing API reference, ad campaign group"
SHARING = "Marketing API changelog v24.0, ad set budget sharing"
LEAST_SPEND_CAP = 10_000

OBJECTIVES = (
    "OUTCOME_AWARENESS",
    "OUTCOME_TRAFFIC",
    "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS",
    "OUTCOME_SALES",
    "OUTCOME_APP_PROMOTION",
)
CATEGORIES = (
    "NONE",
    "EMPLOYMENT",
    "HOUSING",
    "CREDIT",
    "FINANCIAL_PRODUCTS_SERVICES",
    "ISSUES_ELECTIONS_POLITICS",
    "ONLINE_GAMBLING_AND_GAMING",
)
STRATEGIES = (
    "LOWEST_COST_WITHOUT_CAP",
    "LOWEST_COST_WITH_BID_CAP",
    "COST_CAP",
    "LOWEST_COST_WITH_MIN_ROAS",
)
LONGEST_NAME = 400


def has_budget(params: Params) -> bool:
    """Whether the budget of all ad sets stands here."""
    return params.get("daily_budget") is not None or params.get("lifetime_budget") is not None


@rule("campaign", "campaign_required", None, REFERENCE, "A required parameter is missing.")
def required(params: Params, world: World):
    for name in ("name", "objective", "special_ad_categories"):
        if params.get(name) is None or params.get(name) == "":
            return name, f"The parameter {name} is required."
    return None


@rule(
    "campaign ad_set ad",
    "name_length",
    None,
    REFERENCE,
    "The name is too long: at most 400 characters.",
)
def name_length(params: Params, world: World):
    return "name" if len(str(params.get("name", ""))) > LONGEST_NAME else None


@rule(
    "campaign",
    "objective",
    None,
    "Marketing API changelog v21.0",
    "Only the six OUTCOME objectives can be created.",
)
def objective(params: Params, world: World):
    return "objective" if params.get("objective") not in OBJECTIVES else None


@rule(
    "campaign",
    "categories",
    None,
    REFERENCE,
    "special_ad_categories must be a list of known categories.",
)
def categories(params: Params, world: World):
    value = params.get("special_ad_categories")
    if not isinstance(value, list) or any(item not in CATEGORIES for item in items(value)):
        return "special_ad_categories"
    return None


@rule(
    "campaign",
    "category_country",
    2909034,
    "Special ad categories guide",
    "A special ad category needs special_ad_category_country.",
)
def category_country(params: Params, world: World):
    real = words(params.get("special_ad_categories")) - {"NONE"}
    return (
        "special_ad_category_country"
        if real and not params.get("special_ad_category_country")
        else None
    )


@rule(
    "campaign",
    "category_country_known",
    None,
    "Special ad categories guide",
    "A country of special_ad_category_country does not exist.",
)
def known_category_countries(params: Params, world: World):
    name = "special_ad_category_country"
    return name if strange_countries(params.get(name)) else None


@rule(
    "campaign ad_set ad",
    "status_at_birth",
    None,
    REFERENCE,
    "Only ACTIVE and PAUSED are possible at creation.",
)
def status(params: Params, world: World):
    return "status" if params.get("status", "PAUSED") not in ("ACTIVE", "PAUSED") else None


@rule("campaign", "buying_type", None, REFERENCE, "buying_type is AUCTION or RESERVED.")
def buying_type(params: Params, world: World):
    return (
        "buying_type"
        if params.get("buying_type", "AUCTION") not in ("AUCTION", "RESERVED")
        else None
    )


@rule(
    "campaign",
    "campaign_two_budgets",
    None,
    REFERENCE,
    "A campaign has a daily or a lifetime budget, not both.",
)
def two_budgets(params: Params, world: World):
    both = params.get("daily_budget") is not None and params.get("lifetime_budget") is not None
    return "lifetime_budget" if both else None


@rule(
    "campaign",
    "campaign_budget_minimum",
    2446307,
    "Marketing API, budgets",
    "The campaign budget is too low.",
)
def minimum(params: Params, world: World):
    least = float(world.account.get("min_daily_budget") or 100)
    for name in ("daily_budget", "lifetime_budget"):
        budget = number(params.get(name))
        if budget is not None and budget < least:
            return name
    return None


@rule(
    "campaign",
    "strategy_known",
    None,
    "Bid strategy guide",
    "bid_strategy is not one of the known strategies.",
)
def strategy_known(params: Params, world: World):
    value = params.get("bid_strategy")
    return "bid_strategy" if value is not None and value not in STRATEGIES else None


@rule(
    "campaign",
    "strategy_without_budget",
    1885737,
    "Bid strategy guide",
    "A campaign bid strategy needs a campaign budget.",
)
def strategy_without_budget(params: Params, world: World):
    return "bid_strategy" if params.get("bid_strategy") and not has_budget(params) else None


@rule(
    "campaign",
    "sharing_unsaid",
    4834011,
    SHARING,
    "Must specify True or False in is_adset_budget_sharing_enabled when there is no campaign budget.",
)
def sharing_unsaid(params: Params, world: World):
    unsaid = truth(params.get("is_adset_budget_sharing_enabled")) is None
    return "is_adset_budget_sharing_enabled" if unsaid and not has_budget(params) else None


@rule(
    "campaign",
    "sharing_with_budget",
    4834002,
    SHARING,
    "Budgets of ad sets cannot be shared under a campaign budget.",
)
def sharing_with_budget(params: Params, world: World):
    shares = truth(params.get("is_adset_budget_sharing_enabled"))
    return "is_adset_budget_sharing_enabled" if shares and has_budget(params) else None


@rule(
    "campaign",
    "spend_cap",
    None,
    REFERENCE,
    "The spend cap is too low.",
)
def spend_cap(params: Params, world: World):
    cap = number(params.get("spend_cap"))
    least = float(world.account.get("min_campaign_group_spend_cap") or LEAST_SPEND_CAP)
    return (
        ("spend_cap", f"It is at least {least:.0f}.") if cap is not None and cap < least else None
    )


RULES = (
    required,
    name_length,
    objective,
    categories,
    category_country,
    known_category_countries,
    status,
    buying_type,
    two_budgets,
    minimum,
    strategy_known,
    strategy_without_budget,
    sharing_unsaid,
    sharing_with_budget,
    spend_cap,
)

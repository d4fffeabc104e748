"""Ads for housing, work and money must not pick people; politics has limits of its own."""

from models.meta_rules.countries import EUROPEAN_UNION, countries
from models.meta_rules.table import Found, Place, Scope, independently, rule

SPECIAL = "Marketing API, special ad categories"
POLITICS = "Marketing API, ads about social issues, elections or politics in the EU"

CAREFUL = {"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"}
CAREFUL_COUNTRIES = EUROPEAN_UNION | {"US", "CA"}
LEAST_MILES = 15
LEAST_KILOMETERS = 25
LEAST_KILOMETERS_IN_UNION = 15


@rule(
    "campaign",
    "special_category_none_with_others",
    SPECIAL,
    when=("campaign.special_ad_categories",),
)
def none_stands_alone(scope: Scope) -> Found:
    """NONE is none."""
    categories = scope.campaign.values("special_ad_categories")
    if "NONE" in categories and len(set(categories)) > 1:
        yield scope.campaign.at("special_ad_categories"), "NONE stands alone."


@rule(
    "campaign",
    "special_category_country_missing",
    SPECIAL,
    2909034,
    when=("campaign.special_ad_categories",),
)
def category_has_country(scope: Scope) -> Found:
    """A special category applies somewhere."""
    categories = set(scope.campaign.values("special_ad_categories")) - {"NONE"}
    if categories and not scope.campaign.get("special_ad_category_country"):
        message = "It is required with a special category."
        yield scope.campaign.at("special_ad_category_country"), message


@rule("ad_set", "special_category_age", SPECIAL, when=("campaign.special_ad_categories",))
def any_age(scope: Scope) -> Found:
    """Nobody is chosen by age."""
    if _is_careful(scope) and scope.targeting.get("age_min") not in (None, 18):
        yield scope.targeting.at("age_min"), "With this special category it is 18."
    if _is_careful(scope) and scope.targeting.get("age_max") not in (None, 65):
        yield scope.targeting.at("age_max"), "With this special category it is 65."


@rule("ad_set", "special_category_gender", SPECIAL, when=("campaign.special_ad_categories",))
def any_gender(scope: Scope) -> Found:
    """Nobody is chosen by gender."""
    given = set(scope.targeting.values("genders"))
    if _is_careful(scope) and given not in (set(), {0}, {1, 2}):
        yield scope.targeting.at("genders"), "With this special category everybody is included."


@rule("ad_set", "special_category_exclusion", SPECIAL, when=("campaign.special_ad_categories",))
def no_place_excluded(scope: Scope) -> Found:
    """Nobody is left out by where they live."""
    if _is_careful(scope) and scope.targeting.has("excluded_geo_locations"):
        message = "With this special category no place is left out."
        yield scope.targeting.at("excluded_geo_locations"), message


@rule("ad_set", "special_category_place", SPECIAL, when=("campaign.special_ad_categories",))
def no_small_places(scope: Scope) -> Found:
    """Nobody is chosen by neighbourhood."""
    places = scope.targeting.below("geo_locations")
    for kind in ("zips", "geo_markets"):
        if _is_careful(scope) and places.has(kind):
            yield places.at(kind), "With this special category places are not that small."


@rule("ad_set", "special_category_radius", SPECIAL, when=("campaign.special_ad_categories",))
def wide_circles(scope: Scope) -> Found:
    """A circle around a place is wide."""
    if not _is_careful(scope):
        return

    def check(place: Place) -> Found:
        least = _least_radius(place)
        if place.has("radius") and place.get("radius") < least:
            yield place.at("radius"), f"With this special category it is at least {least}."

    places = scope.targeting.below("geo_locations")
    for kind in ("cities", "custom_locations"):
        yield from independently(places.each(kind), check)


@rule("campaign", "politics_not_in_union", POLITICS, when=("campaign.special_ad_category_country",))
def no_politics_for_union(scope: Scope) -> Found:
    """Political ads are not delivered in the European Union."""
    for index, country in enumerate(scope.campaign.values("special_ad_category_country")):
        if _is_politics(scope) and country in EUROPEAN_UNION:
            at = scope.campaign.at("special_ad_category_country", index)
            yield at, "Political ads are not delivered in the EU."


@rule("ad_set", "politics_not_in_union", POLITICS, when=("campaign.special_ad_categories",))
def no_politics_in_union(scope: Scope) -> Found:
    """Nor do they reach it by their targeting."""
    if _is_politics(scope) and scope.targeting.once(countries) & EUROPEAN_UNION:
        message = "Political ads are not delivered in the EU."
        yield scope.targeting.at("geo_locations"), message


def _is_careful(scope: Scope) -> bool:
    """Whether the special category keeps ads from choosing people; it is known to in some countries."""
    if not CAREFUL & set(scope.campaign.values("special_ad_categories")):
        return False
    named = set(scope.campaign.values("special_ad_category_country"))
    return not named or bool(named & CAREFUL_COUNTRIES)


def _is_politics(scope: Scope) -> bool:
    return "ISSUES_ELECTIONS_POLITICS" in scope.campaign.values("special_ad_categories")


def _least_radius(place: Place) -> int:
    if place.get("distance_unit") != "kilometer":
        return LEAST_MILES
    in_union = place.get("country") in EUROPEAN_UNION
    return LEAST_KILOMETERS_IN_UNION if in_union else LEAST_KILOMETERS


RULES = (
    none_stands_alone,
    category_has_country,
    any_age,
    any_gender,
    no_place_excluded,
    no_small_places,
    wide_circles,
    no_politics_for_union,
    no_politics_in_union,
)

"""Who may see the ads: places, ages, Advantage+, special categories, placements, duties to disclose."""

from models.meta_rules.table import Found, Scope, rule

TARGETING = "Marketing API, basic targeting"
ADVANTAGE = "Marketing API, Advantage+ audience"
SPECIAL = "Marketing API, special ad categories"
PLACEMENT = "Marketing API, placement targeting"
DSA = "Marketing API, Digital Services Act"
REGULATION = "Marketing API, regional regulation"

EUROPEAN_UNION = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
)
HOUSING_EMPLOYMENT_FINANCE = {"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"}
MOST_PLACES = {
    "cities": 250,
    "regions": 200,
    "custom_locations": 200,
    "geo_markets": 210,
    "zips": 50_000,
}
MOST_LOCALES = 90
REGULATED = {"SG": "SINGAPORE_UNIVERSAL", "TW": "TAIWAN_UNIVERSAL", "TH": "THAILAND_UNIVERSAL"}
POSITIONS = {
    "facebook_positions": "facebook",
    "instagram_positions": "instagram",
    "threads_positions": "threads",
    "messenger_positions": "messenger",
    "audience_network_positions": "audience_network",
}
GONE = {
    "facebook_positions": ("video_feeds",),
    "instagram_positions": ("explore", "explore_home"),
    "messenger_positions": ("story",),
}
NEED_FEED = ("marketplace", "search", "profile_feed", "notification", "story")


@rule("ad_set", "geo_locations_missing", TARGETING)
def somewhere(scope: Scope) -> Found:
    """Ads are shown somewhere, or to somebody known."""
    targeting = scope.targeting
    if targeting.has("custom_audiences"):
        return
    if not targeting.below("geo_locations").names():
        yield targeting.at("geo_locations"), "Name at least one place, or custom audiences."


@rule("ad_set", "advantage_audience_missing", ADVANTAGE, 1870227)
def advantage_is_said(scope: Scope) -> Found:
    """Whether Meta may look beyond the targeting has to be said."""
    if not scope.targeting.has("advantage_audience"):
        yield scope.targeting.at("advantage_audience"), "Say true or false: Meta requires it."


@rule("ad_set", "ages_do_not_fit_advantage", ADVANTAGE, 1870188)
def advantage_ages(scope: Scope) -> Found:
    """With Advantage+ audience ages are suggestions within bounds."""
    targeting = scope.targeting
    if not targeting.get("advantage_audience"):
        return
    if (targeting.get("age_min") or 18) > 25:
        yield targeting.at("age_min"), "With advantage_audience it is at most 25."
    if (targeting.get("age_max") or 65) != 65:
        yield targeting.at("age_max"), "With advantage_audience it is 65."


@rule("ad_set", "ages_reversed", TARGETING)
def ages(scope: Scope) -> Found:
    """The youngest is not older than the oldest."""
    targeting = scope.targeting
    if (targeting.get("age_min") or 18) > (targeting.get("age_max") or 65):
        yield targeting.at("age_max"), "It must not be less than age_min (18 when left out)."


@rule("ad_set", "age_too_low_for_country", TARGETING, 1870165)
def ages_by_country(scope: Scope) -> Found:
    """Some countries ask for more years."""
    countries = _countries(scope)
    least = (
        20
        if "TH" in countries
        else 21
        if "ID" in countries and scope.targeting.has("interests")
        else 13
    )
    if scope.targeting.has("age_min") and scope.targeting.get("age_min") < least:
        yield scope.targeting.at("age_min"), f"It is at least {least} there."


@rule("ad_set", "genders_contradict", TARGETING)
def genders(scope: Scope) -> Found:
    """Everybody is said alone."""
    if 0 in scope.targeting.values("genders") and len(scope.targeting.values("genders")) > 1:
        yield scope.targeting.at("genders"), "0 is everybody and stands alone."


@rule("ad_set", "places_overlap", TARGETING, 1487756)
def overlap(scope: Scope) -> Found:
    """A place inside an included country is already included."""
    places = scope.targeting.below("geo_locations")
    countries = set(places.values("countries"))
    for kind in ("regions", "cities", "custom_locations"):
        for place in places.each(kind):
            if place.get("country") in countries:
                yield place.pointer, f"{place.get('country')} is included as a whole already."


@rule("ad_set", "place_not_named", TARGETING, 1487479)
def places_are_named(scope: Scope) -> Found:
    """A place has a key, a pin has a point."""
    for name in ("geo_locations", "excluded_geo_locations"):
        places = scope.targeting.below(name)
        for kind in ("regions", "cities", "zips", "geo_markets"):
            for place in places.each(kind):
                if not place.has("key"):
                    yield place.at("key"), "It is required; search gives keys."
        for pin in places.each("custom_locations"):
            for part in ("latitude", "longitude"):
                if not pin.has(part):
                    yield pin.at(part), "It is required for a custom location."


@rule("ad_set", "too_many_places", TARGETING)
def few_places(scope: Scope) -> Found:
    """There is an end to lists of places and languages."""
    places = scope.targeting.below("geo_locations")
    for kind, most in MOST_PLACES.items():
        if len(places.get(kind) or ()) > most:
            yield places.at(kind), f"At most {most}."
    if len(scope.targeting.get("locales") or ()) > MOST_LOCALES:
        yield scope.targeting.at("locales"), f"At most {MOST_LOCALES}."


@rule("campaign", "special_category_none_with_others", SPECIAL)
def none_stands_alone(scope: Scope) -> Found:
    """NONE is none."""
    categories = scope.campaign.values("special_ad_categories")
    if "NONE" in categories and len(categories) > 1:
        yield scope.campaign.at("special_ad_categories"), "NONE stands alone."


@rule("campaign", "special_category_country_missing", SPECIAL, 2909034)
def category_has_country(scope: Scope) -> Found:
    """A special category applies somewhere."""
    categories = set(scope.campaign.values("special_ad_categories")) - {"NONE"}
    if categories and not scope.campaign.has("special_ad_category_country"):
        yield (
            scope.campaign.at("special_ad_category_country"),
            "It is required with a special category.",
        )


@rule("ad_set", "special_category_targeting", SPECIAL, 2909034)
def careful_targeting(scope: Scope) -> Found:
    """Housing, employment and finance ads must not pick people by age, gender or neighbourhood."""
    if not HOUSING_EMPLOYMENT_FINANCE & set(scope.campaign.values("special_ad_categories")):
        return
    targeting = scope.targeting
    if targeting.get("age_min") not in (None, 18) or targeting.get("age_max") not in (None, 65):
        yield targeting.at("age_min"), "With this special category ages are 18 to 65."
    if targeting.has("genders") and set(targeting.values("genders")) not in ({0}, {1, 2}):
        yield targeting.at("genders"), "With this special category everybody is included."
    if targeting.has("excluded_geo_locations"):
        yield (
            targeting.at("excluded_geo_locations"),
            "With this special category no place is left out.",
        )
    places = targeting.below("geo_locations")
    for kind in ("zips", "geo_markets"):
        if places.has(kind):
            yield places.at(kind), "With this special category places are not that small."
    for kind in ("cities", "custom_locations"):
        for place in places.each(kind):
            least = 25 if place.get("distance_unit") == "kilometer" else 15
            if place.has("radius") and place.get("radius") < least:
                yield (
                    place.at("radius"),
                    "With this special category it is at least 15 miles or 25 km.",
                )


@rule("campaign", "politics_not_in_union", "Marketing API, ads about politics in the EU")
def no_politics_in_union(scope: Scope) -> Found:
    """Political ads are not delivered in the European Union."""
    countries = set(scope.campaign.values("special_ad_category_country"))
    if (
        "ISSUES_ELECTIONS_POLITICS" in scope.campaign.values("special_ad_categories")
        and countries & EUROPEAN_UNION
    ):
        yield (
            scope.campaign.at("special_ad_category_country"),
            "Political ads are not delivered in the EU.",
        )


@rule("ad_set", "disclosure_missing", DSA, 3858081)
def disclosure(scope: Scope) -> Found:
    """In the European Union people are told for whom and by whom an ad is paid."""
    if not _countries(scope) & EUROPEAN_UNION:
        return
    for name in ("dsa_beneficiary", "dsa_payor"):
        if not scope.ad_set.has(name):
            yield scope.ad_set.at(name), "It is required where ads are shown in the EU."


@rule("ad_set", "regional_regulation_missing", REGULATION, 3858550)
def regional_regulation(scope: Scope) -> Found:
    """Some countries ask for verified identities."""
    declared = set(scope.ad_set.values("regional_regulated_categories"))
    for country, category in REGULATED.items():
        if country == "SG" and country in _countries(scope) and category not in declared:
            yield (
                scope.ad_set.at("regional_regulated_categories"),
                f"Ads in {country} need {category}.",
            )
    if declared and not scope.ad_set.has("regional_regulation_identities"):
        yield scope.ad_set.at("regional_regulation_identities"), "Name the verified identities."


@rule("ad_set", "placement_not_chosen", PLACEMENT)
def positions_of_platforms(scope: Scope) -> Found:
    """Positions belong to a chosen platform."""
    platforms = scope.targeting.values("publisher_platforms")
    for field, platform in POSITIONS.items():
        if platforms and scope.targeting.has(field) and platform not in platforms:
            yield scope.targeting.at(field), f"publisher_platforms does not name {platform}."


@rule("ad_set", "placement_gone", "Marketing API changelogs v24.0 and v26.0", 2490392)
def positions_exist(scope: Scope) -> Found:
    """Some positions do not exist any more."""
    for field, gone in GONE.items():
        for index, position in enumerate(scope.targeting.values(field)):
            if position in gone:
                yield (
                    scope.targeting.at(field, index),
                    f"Meta does not show ads in {position} any more.",
                )


@rule("ad_set", "placement_needs_another", PLACEMENT, 1815433)
def positions_together(scope: Scope) -> Found:
    """Some placements come only with others."""
    targeting = scope.targeting
    platforms = targeting.values("publisher_platforms")
    if platforms == ["audience_network"]:
        yield (
            targeting.at("publisher_platforms"),
            "audience_network needs another platform beside it.",
        )
    if "threads" in platforms and "instagram" not in platforms:
        yield targeting.at("publisher_platforms"), "threads needs instagram beside it."
    facebook = targeting.values("facebook_positions")
    has_story_elsewhere = "story" in targeting.values("instagram_positions")
    for position in facebook:
        is_story = position == "story"
        if (
            position in NEED_FEED
            and "feed" not in facebook
            and not (is_story and has_story_elsewhere)
        ):
            yield targeting.at("facebook_positions"), f"{position} needs feed beside it."
    if platforms == ["instagram"] and targeting.values("device_platforms") == ["desktop"]:
        yield targeting.at("device_platforms"), "Instagram alone on desktop alone is nowhere."


def _countries(scope: Scope) -> set[str]:
    places = scope.targeting.below("geo_locations")
    found = set(places.values("countries"))
    for kind in ("regions", "cities", "custom_locations", "zips"):
        found |= {place.get("country") for place in places.each(kind) if place.has("country")}
    if "worldwide" in places.values("country_groups"):
        found |= EUROPEAN_UNION | set(REGULATED)
    return found


RULES = (
    somewhere,
    advantage_is_said,
    advantage_ages,
    ages,
    ages_by_country,
    genders,
    overlap,
    places_are_named,
    few_places,
    none_stands_alone,
    category_has_country,
    careful_targeting,
    no_politics_in_union,
    disclosure,
    regional_regulation,
    positions_of_platforms,
    positions_exist,
    positions_together,
)

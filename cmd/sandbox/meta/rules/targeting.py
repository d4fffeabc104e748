"""What is refused of an ad set's targeting."""

from typing import Any

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import campaign_of, items, number, part, truth, word, words

GUIDE = "Targeting guide, basic targeting"
ADVANTAGE = "Advantage+ audience guide"
SPECIAL = "Special ad categories guide"
PLACEMENTS = "Placement targeting guide"
UNION = {
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
}
CAREFUL = {"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"}
MOST = {"cities": 250, "regions": 200, "custom_locations": 200, "geo_markets": 210, "zips": 50_000}


def countries(params: Params) -> set[str]:
    """Where the ads shall be shown, as far as it is said by country."""
    geo: Any = part(params, "targeting", "geo_locations") or {}
    found = {str(c) for c in items(part(geo, "countries"))}
    for kind in ("regions", "cities", "custom_locations", "zips"):
        found |= {str(part(p, "country")) for p in items(part(geo, kind)) if part(p, "country")}
    return found | (UNION if "worldwide" in items(part(geo, "country_groups")) else set())


def is_careful(params: Params, world: World) -> bool:
    """Housing, employment, finance."""
    return bool(CAREFUL & words(campaign_of(params, world).get("special_ad_categories")))


@rule("ad_set", "place", None, GUIDE, "Targeting needs a place or a custom audience.")
def place(params: Params, world: World):
    spec: Any = params.get("targeting")
    if isinstance(spec, dict) and (spec.get("geo_locations") or spec.get("custom_audiences")):  # pyright: ignore[reportUnknownMemberType]  # sent by a client
        return None
    return "targeting.geo_locations"


@rule(
    "ad_set",
    "advantage_unsaid",
    1870227,
    ADVANTAGE,
    "advantage_audience must be 0 or 1, explicitly.",
)
def advantage(params: Params, world: World):
    value = part(params, "targeting", "targeting_automation", "advantage_audience")
    return "targeting.targeting_automation.advantage_audience" if value is None else None


@rule("ad_set", "advantage_type", 1870196, ADVANTAGE, "advantage_audience is 0 or 1.")
def advantage_type(params: Params, world: World):
    value = part(params, "targeting", "targeting_automation", "advantage_audience")
    return "targeting.targeting_automation.advantage_audience" if truth(value) is None else None


@rule(
    "ad_set",
    "advantage_youngest",
    1870188,
    ADVANTAGE,
    "With Advantage+ audience age_min is at most 25.",
)
def advantage_youngest(params: Params, world: World):
    on = truth(part(params, "targeting", "targeting_automation", "advantage_audience"))
    return (
        "targeting.age_min"
        if on and (number(part(params, "targeting", "age_min")) or 18) > 25
        else None
    )


@rule("ad_set", "advantage_oldest", 1870189, ADVANTAGE, "With Advantage+ audience age_max is 65.")
def advantage_oldest(params: Params, world: World):
    on = truth(part(params, "targeting", "targeting_automation", "advantage_audience"))
    return (
        "targeting.age_max"
        if on and (number(part(params, "targeting", "age_max")) or 65) != 65
        else None
    )


@rule("ad_set", "ages", None, GUIDE, "Ages are 13 to 65, the youngest first.")
def ages(params: Params, world: World):
    low = number(part(params, "targeting", "age_min")) or 18
    high = number(part(params, "targeting", "age_max")) or 65
    if not 13 <= low <= 65:
        return "targeting.age_min"
    return "targeting.age_max" if not 13 <= high <= 65 or high < low else None


@rule("ad_set", "age_by_country", 1870165, GUIDE, "The youngest is 20 in Thailand.")
def age_by_country(params: Params, world: World):
    low = number(part(params, "targeting", "age_min"))
    return (
        "targeting.age_min" if "TH" in countries(params) and low is not None and low < 20 else None
    )


@rule("ad_set", "genders", None, GUIDE, "Genders are 1 and 2; leaving them out is everybody.")
def genders(params: Params, world: World):
    wrong = [g for g in items(part(params, "targeting", "genders")) if number(g) not in (1, 2)]
    return "targeting.genders" if wrong else None


@rule(
    "ad_set",
    "overlap",
    1487756,
    GUIDE,
    "A place lies inside a country that is included as a whole.",
)
def overlap(params: Params, world: World):
    geo: Any = part(params, "targeting", "geo_locations")
    whole = words(part(geo, "countries"))
    for kind in ("regions", "cities", "custom_locations"):
        if any(word(part(p, "country")) in whole for p in items(part(geo, kind))):
            return f"targeting.geo_locations.{kind}"
    return None


@rule("ad_set", "location_types", 1870199, GUIDE, "location_types must not be sent any more.")
def location_types(params: Params, world: World):
    sent = part(params, "targeting", "geo_locations", "location_types")
    return "targeting.geo_locations.location_types" if sent is not None else None


@rule("ad_set", "too_many_places", None, GUIDE, "There are too many places or languages.")
def many_places(params: Params, world: World):
    geo: Any = part(params, "targeting", "geo_locations")
    for kind, most in MOST.items():
        if len(items(part(geo, kind))) > most:
            return f"targeting.geo_locations.{kind}"
    return "targeting.locales" if len(items(part(params, "targeting", "locales"))) > 90 else None


@rule(
    "ad_set", "careful", 2909034, SPECIAL, "The special ad category does not allow this targeting."
)
def careful(params: Params, world: World):
    if not is_careful(params, world):
        return None
    spec: Any = params.get("targeting")
    if (number(part(spec, "age_min")) or 18) != 18:
        return "targeting.age_min"
    if (number(part(spec, "age_max")) or 65) != 65:
        return "targeting.age_max"
    for name in ("genders", "excluded_geo_locations"):
        if part(spec, name):
            return f"targeting.{name}"
    for kind in ("zips", "geo_markets"):
        if part(spec, "geo_locations", kind):
            return f"targeting.geo_locations.{kind}"
    return None


@rule(
    "ad_set",
    "disclosure",
    3858081,
    "Digital Services Act guide",
    "Ads in the European Union need dsa_beneficiary and dsa_payor.",
)
def disclosure(params: Params, world: World):
    if countries(params) & UNION:
        for name in ("dsa_beneficiary", "dsa_payor"):
            if not params.get(name):
                return name
    return None


@rule(
    "ad_set",
    "singapore",
    3858550,
    "Regional regulation guide",
    "Ads in Singapore need a verified identity.",
)
def singapore(params: Params, world: World):
    declared = "SINGAPORE_UNIVERSAL" in items(params.get("regional_regulated_categories"))
    return "regional_regulated_categories" if "SG" in countries(params) and not declared else None


@rule("ad_set", "placement_alone", 1815433, PLACEMENTS, "These placements cannot stand alone.")
def alone(params: Params, world: World):
    platforms = words(part(params, "targeting", "publisher_platforms"))
    if platforms == {"audience_network"} or (
        "threads" in platforms and "instagram" not in platforms
    ):
        return "targeting.publisher_platforms"
    facebook = words(part(params, "targeting", "facebook_positions"))
    needy = facebook & {"marketplace", "search", "profile_feed", "notification"}
    return "targeting.facebook_positions" if needy and "feed" not in facebook else None


@rule(
    "ad_set",
    "placement_gone",
    2490392,
    "Marketing API changelog v26.0",
    "This placement does not exist any more.",
)
def gone(params: Params, world: World):
    for name, positions in (
        ("instagram_positions", {"explore", "explore_home"}),
        ("messenger_positions", {"story"}),
        ("facebook_positions", {"video_feeds"}),
    ):
        if positions & words(part(params, "targeting", name)):
            return f"targeting.{name}"
    return None


RULES = (
    place,
    advantage,
    advantage_type,
    advantage_youngest,
    advantage_oldest,
    ages,
    age_by_country,
    genders,
    overlap,
    location_types,
    many_places,
    careful,
    disclosure,
    singapore,
    alone,
    gone,
)

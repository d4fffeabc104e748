"""What is refused of an ad set's targeting."""

from typing import Any

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import (
    campaign_of,
    items,
    number,
    part,
    strange_countries,
    truth,
    word,
    words,
)

GUIDE = "Targeting guide, basic targeting"
ADVANTAGE = "Advantage+ audience guide"
SPECIAL = "Special ad categories guide"
UNION = set(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - twenty-seven codes are read best in one line
)
CAREFUL = {"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"}
DETAILED = ("interests", "flexible_spec", "exclusions")
YOUNGEST = {"TH": 20, "ID": 21}
LEAST_RADIUS = {"mile": 15, "kilometer": 25}
MOST = {"cities": 250, "regions": 200, "custom_locations": 200, "geo_markets": 210, "zips": 50_000}


def countries(params: Params) -> set[str]:
    """Where the ads shall be shown, as far as it is said by country."""
    geo: Any = part(params, "targeting", "geo_locations") or {}
    found = words(part(geo, "countries"))
    for kind in ("regions", "cities", "custom_locations", "zips", "geo_markets"):
        found |= {_country(one) for one in items(part(geo, kind))} - {""}
    groups = words(part(geo, "country_groups"))
    if "worldwide" in groups:
        found |= {"SG"}
    return found | (UNION if groups & {"worldwide", "europe", "eea"} else set())


def _country(spot: Any) -> str:
    """Said, or told by what a key begins with, as in DE:10115."""
    prefix, colon, _ = word(part(spot, "key")).partition(":")
    return word(part(spot, "country")) or (prefix if colon and len(prefix) == 2 else "")


def is_careful(params: Params, world: World) -> bool:
    """Housing, employment, finance, in the countries that protect people from being picked."""
    campaign = campaign_of(params, world)
    named = words(campaign.get("special_ad_category_country"))
    is_protected = not named or bool(named & (UNION | {"US", "CA"}))
    return is_protected and bool(CAREFUL & words(campaign.get("special_ad_categories")))


@rule("ad_set", "place", None, GUIDE, "Targeting needs a place or a custom audience.")
def place(params: Params, world: World):
    geo: Any = part(params, "targeting", "geo_locations")
    named = isinstance(geo, dict) and any(geo.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  # sent by a client
    if named or part(params, "targeting", "custom_audiences"):
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
    "With Advantage+ audience age_min is 18 to 25.",
)
def advantage_youngest(params: Params, world: World):
    on = truth(part(params, "targeting", "targeting_automation", "advantage_audience"))
    return (
        "targeting.age_min"
        if on and not 18 <= (number(part(params, "targeting", "age_min")) or 18) <= 25
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


@rule(
    "ad_set",
    "age_by_country",
    1870165,
    GUIDE,
    "The youngest is 20 in Thailand and 21 in Indonesia where people are chosen by interests.",
)
def age_by_country(params: Params, world: World):
    is_detailed = any(part(params, "targeting", name) for name in DETAILED)
    low, reached = number(part(params, "targeting", "age_min")) or 18, countries(params)
    too_young = any(country in reached and low < age for country, age in YOUNGEST.items())
    return "targeting.age_min" if is_detailed and too_young else None


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


@rule("ad_set", "country", None, GUIDE, "A country is told by a code that does not exist.")
def known_countries(params: Params, world: World):
    for name in ("geo_locations", "excluded_geo_locations"):
        geo: Any = part(params, "targeting", name)
        if strange_countries(part(geo, "countries")):
            return f"targeting.{name}.countries"
        for kind in ("regions", "cities", "custom_locations", "zips", "geo_markets"):
            if strange_countries([part(one, "country") for one in items(part(geo, kind))]):
                return f"targeting.{name}.{kind}"
    return None


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
    if {number(gender) for gender in items(part(spec, "genders"))} not in (set(), {1, 2}):
        return "targeting.genders"
    if part(spec, "excluded_geo_locations"):
        return "targeting.excluded_geo_locations"
    return _careful_places(part(spec, "geo_locations"))


def _careful_places(geo: Any) -> str | None:
    """Nothing as small as a neighbourhood."""
    for kind in ("zips", "geo_markets"):
        if part(geo, kind):
            return f"targeting.geo_locations.{kind}"
    for kind in ("cities", "custom_locations"):
        if any(_is_narrow(one) for one in items(part(geo, kind))):
            return f"targeting.geo_locations.{kind}"
    return None


def _is_narrow(circle: Any) -> bool:
    radius, unit = number(part(circle, "radius")), word(part(circle, "distance_unit"))
    least = LEAST_RADIUS.get(unit, LEAST_RADIUS["mile"])
    if unit == "kilometer" and _country(circle) in UNION:
        least = 15
    return radius is not None and radius < least


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
    known_countries,
    many_places,
    careful,
    disclosure,
    singapore,
)

"""Which countries an ad set reaches, as far as its request says."""

from models.meta_rules.table import Place

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - twenty-seven codes are read best in one line
)
GROUPS_WITH_UNION = frozenset({"worldwide", "europe", "eea"})


def countries(targeting: Place) -> set[str]:
    """Every country that places are in, excluding nothing. Raises Unreadable."""
    places = targeting.below("geo_locations")
    found: set[str] = set(places.values("countries"))
    for kind in places.given("regions", "cities", "zips", "geo_markets", "custom_locations"):
        found |= {country for place in places.all(kind) if (country := _country(place))}
    groups = set(places.values("country_groups"))
    if groups & GROUPS_WITH_UNION:
        found |= EUROPEAN_UNION
    return found | {"SG"} if "worldwide" in groups else found


def _country(place: Place) -> str | None:
    """As it is said, or as keys of postal codes and market areas begin."""
    if place.has("country"):
        return place.get("country")
    prefix, colon, _ = (place.get("key") or "").partition(":")
    return prefix if colon and len(prefix) == 2 else None

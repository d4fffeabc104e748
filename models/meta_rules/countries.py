"""Which countries there are, and which an ad set reaches, as far as its request says."""

from models.meta_rules.table import Found, Place, Scope, independently, rule

ISO_3166 = "Marketing API, basic targeting: countries by ISO 3166"

EUROPEAN_UNION = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - twenty-seven codes are read best in one line
)
GROUPS_WITH_UNION = frozenset({"worldwide", "europe", "eea"})
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN
    BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
    DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL
    GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM
    JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD
    SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - codes are read best in lines
)
"""ISO 3166-1, and Kosovo, which has no code there and XK everywhere."""
MEANT = {"UK": "GB", "EL": "GR", "EN": "GB", "JA": "JP"}
"""Codes of other lists, and of languages, that people write for a country."""
IN_A_COUNTRY = ("regions", "cities", "zips", "geo_markets", "custom_locations")
"""Places that may say which country they lie in."""


def countries(targeting: Place) -> set[str]:
    """Every country that places are in, excluding nothing. Raises Unreadable."""
    places = targeting.below("geo_locations")
    found: set[str] = set(places.values("countries"))
    for kind in places.given(*IN_A_COUNTRY):
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


@rule("campaign", "country_unknown", ISO_3166, when=("campaign.special_ad_category_country",))
def real_category_countries(scope: Scope) -> Found:
    """Countries of a special category are told by their codes in ISO 3166."""
    yield from _unknown(scope.campaign, "special_ad_category_country")


@rule(
    "ad_set",
    "country_unknown",
    ISO_3166,
    when=("places.countries", "targeting.excluded_geo_locations"),
)
def real_countries(scope: Scope) -> Found:
    """Countries are told by their codes in ISO 3166."""
    for places in (scope.places, scope.targeting.below("excluded_geo_locations")):
        yield from _unknown(places, "countries")


@rule(
    "ad_set",
    "country_unknown",
    ISO_3166,
    when=(
        *(f"places.{kind}" for kind in IN_A_COUNTRY),
        "targeting.excluded_geo_locations",
    ),
)
def real_countries_of_places(scope: Scope) -> Found:
    """So are the countries that places lie in."""

    def check(place: Place) -> Found:
        if place.has("country") and (message := _message(place.get("country"))):
            yield place.at("country"), message

    for places in (scope.places, scope.targeting.below("excluded_geo_locations")):
        for kind in places.given(*IN_A_COUNTRY):
            yield from independently(places.each(kind), check)


def _unknown(place: Place, name: str) -> Found:
    for index, code in enumerate(place.values(name)):
        if message := _message(code):
            yield place.at(name, index), message


def _message(code: str) -> str | None:
    """What is wrong with a code."""
    if code in COUNTRIES:
        return None
    meant = f"; {MEANT[code]} is meant, perhaps" if code in MEANT else ""
    return f"No country has this code in ISO 3166{meant}."


RULES = (real_category_countries, real_countries, real_countries_of_places)

"""Who may see the ads: places, ages, genders, Advantage+ audience."""

from models.meta_rules.countries import countries
from models.meta_rules.table import Found, Place, Scope, independently, rule

TARGETING = "Marketing API, basic targeting"
LIMITS = "Marketing API, targeting: limits"
ADVANTAGE = "Marketing API, Advantage+ audience"

MOST_PLACES = {
    "cities": 250,
    "regions": 200,
    "custom_locations": 200,
    "geo_markets": 210,
    "zips": 50_000,
}
MOST_LOCALES = 90
INSIDE_COUNTRIES = ("regions", "cities", "custom_locations")
LEAST_AGES = {"TH": 20, "ID": 21}
"""For choosing people by what they like or do."""
DETAILED = ("interests", "flexible_spec", "exclusions")


@rule("ad_set", "geo_locations_missing", TARGETING)
def somewhere(scope: Scope) -> Found:
    """Ads are shown somewhere, or to somebody known."""
    if scope.targeting.values("custom_audiences"):
        return
    for kind in scope.places.names():
        if scope.places.get(kind):
            return
    yield scope.targeting.at("geo_locations"), "Name at least one place, or custom_audiences."


@rule("ad_set", "advantage_audience_missing", ADVANTAGE, 1870227)
def advantage_is_said(scope: Scope) -> Found:
    """Whether Meta may look beyond the targeting has to be said."""
    if not scope.targeting.has("advantage_audience"):
        yield scope.targeting.at("advantage_audience"), "Say true or false: Meta requires it."


@rule(
    "ad_set",
    "age_min_does_not_fit_advantage",
    ADVANTAGE,
    1870188,
    when=("targeting.advantage_audience",),
)
def youngest_with_advantage(scope: Scope) -> Found:
    """With Advantage+ audience the lowest age is a control from 18 to 25."""
    youngest = scope.targeting.get("age_min")
    if scope.targeting.get("advantage_audience") and not 18 <= (youngest or 18) <= 25:
        yield scope.targeting.at("age_min"), "With advantage_audience it lies from 18 to 25."


@rule(
    "ad_set",
    "age_max_does_not_fit_advantage",
    ADVANTAGE,
    1870189,
    when=("targeting.advantage_audience",),
)
def oldest_with_advantage(scope: Scope) -> Found:
    """With Advantage+ audience nobody is too old."""
    oldest = scope.targeting.get("age_max")
    if scope.targeting.get("advantage_audience") and (oldest or 65) != 65:
        yield scope.targeting.at("age_max"), "With advantage_audience it is 65."


@rule("ad_set", "ages_reversed", TARGETING, when=("targeting.age_max",))
def ages(scope: Scope) -> Found:
    """The youngest is not older than the oldest."""
    youngest, oldest = scope.targeting.get("age_min"), scope.targeting.get("age_max")
    if (youngest or 18) > (oldest or 65):
        message = "It must not be less than age_min, which is 18 when left out."
        yield scope.targeting.at("age_max"), message


@rule(
    "ad_set",
    "age_too_low_for_country",
    TARGETING,
    1870165,
    when=("targeting.interests", "targeting.flexible_spec", "targeting.exclusions"),
)
def ages_by_country(scope: Scope) -> Found:
    """Some countries protect the young from being chosen by what they like."""
    if not scope.targeting.given(*DETAILED):
        return
    reached = scope.targeting.once(countries)
    least = max((age for country, age in LEAST_AGES.items() if country in reached), default=13)
    if (scope.targeting.get("age_min") or 18) < least:
        message = f"It is at least {least} there when people are chosen by interests."
        yield scope.targeting.at("age_min"), message


@rule("ad_set", "genders_contradict", TARGETING, when=("targeting.genders",))
def genders(scope: Scope) -> Found:
    """Everybody is said alone."""
    given = scope.targeting.values("genders")
    if 0 in given and len(given) > 1:
        yield scope.targeting.at("genders"), "0 is everybody and stands alone."


@rule(
    "ad_set",
    "places_overlap",
    TARGETING,
    1487756,
    when=tuple(f"places.{kind}" for kind in INSIDE_COUNTRIES),
)
def overlap(scope: Scope) -> Found:
    """A place inside an included country is already included."""
    whole = set(scope.places.values("countries"))

    def check(place: Place) -> Found:
        if place.get("country") in whole:
            yield place.pointer, f"{place.get('country')} is included as a whole already."

    for kind in INSIDE_COUNTRIES:
        yield from independently(scope.places.each(kind), check)


@rule("ad_set", "too_many_places", LIMITS, when=tuple(f"places.{kind}" for kind in MOST_PLACES))
def few_places(scope: Scope) -> Found:
    """There is an end to lists of places."""
    for kind, most in MOST_PLACES.items():
        if len(scope.places.get(kind) or ()) > most:
            yield scope.places.at(kind), f"At most {most}."


@rule("ad_set", "too_many_locales", LIMITS, when=("targeting.locales",))
def few_locales(scope: Scope) -> Found:
    """There is an end to languages."""
    if len(scope.targeting.get("locales") or ()) > MOST_LOCALES:
        yield scope.targeting.at("locales"), f"At most {MOST_LOCALES}."


RULES = (
    somewhere,
    advantage_is_said,
    youngest_with_advantage,
    oldest_with_advantage,
    ages,
    ages_by_country,
    genders,
    overlap,
    few_places,
    few_locales,
)

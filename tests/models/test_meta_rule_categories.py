"""Which ads must not pick people, where, and how small their places may be."""

from typing import get_args

import pytest

from models.meta_rules.countries import EUROPEAN_UNION
from models.meta_words import SpecialAdCategory
from tests.models.meta_requests import CAMPAIGN, PLACES, TARGETING, told

CAREFUL = {"HOUSING", "EMPLOYMENT", "CREDIT", "FINANCIAL_PRODUCTS_SERVICES"}
CATEGORIES = f"{CAMPAIGN}/special_ad_categories"
COUNTRIES = f"{CAMPAIGN}/special_ad_category_country"


def careful(*categories, country=None):
    """Changes that name the categories, for one country or for none."""
    return {CATEGORIES: list(categories), COUNTRIES: [country] if country else []}


def test_exactly_these_categories_pick_nobody_by_age():
    refused = (f"{TARGETING}/age_min", "special_category_age")

    picking_nobody = {
        category
        for category in get_args(SpecialAdCategory.__value__)
        if refused in told(careful(category, country="US"))
    }

    assert picking_nobody == CAREFUL


@pytest.mark.parametrize(
    ("country", "is_refused"),
    [
        (None, True),
        ("US", True),
        ("CA", True),
        *((country, True) for country in sorted(EUROPEAN_UNION)),
        ("BR", False),
        ("GB", False),
    ],
)
def test_categories_count_in_these_countries_and_where_none_is_named(country, is_refused):
    refused = (f"{TARGETING}/age_min", "special_category_age")

    assert (refused in told(careful("CREDIT", country=country))) is is_refused


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ((18, 65), set()),
        ((19, 65), {f"{TARGETING}/age_min"}),
        ((18, 64), {f"{TARGETING}/age_max"}),
        ((None, None), set()),
    ],
)
def test_with_a_category_everybody_of_age_is_included(ages, expected):
    youngest, oldest = ages
    changes = {f"{TARGETING}/age_min": youngest, f"{TARGETING}/age_max": oldest}

    broken = told(careful("HOUSING", country="US"), changes)

    assert {at for at, code in broken if code == "special_category_age"} == expected


@pytest.mark.parametrize(
    ("genders", "is_refused"),
    [([], False), ([0], False), ([1, 2], False), ([1], True), ([2], True)],
)
def test_with_a_category_every_gender_is_included(genders, is_refused):
    refused = (f"{TARGETING}/genders", "special_category_gender")

    broken = told(careful("HOUSING", country="US"), {f"{TARGETING}/genders": genders})

    assert (refused in broken) is is_refused


@pytest.mark.parametrize("kind", ["zips", "geo_markets"])
def test_with_a_category_places_are_not_small(kind):
    places = {f"{PLACES}/{kind}": [{"key": "US:10001"}]}
    refused = (f"{PLACES}/{kind}", "special_category_place")

    assert refused in told(careful("HOUSING", country="US"), places)
    assert refused not in told(places)


@pytest.mark.parametrize("kind", ["cities", "custom_locations"])
@pytest.mark.parametrize(
    ("unit", "country", "least"),
    [
        ("mile", "US", 15),
        ("mile", "FR", 15),
        (None, "US", 15),
        ("kilometer", "US", 25),
        ("kilometer", "FR", 15),
    ],
)
def test_with_a_category_a_circle_is_wide(kind, unit, country, least):
    refused = (f"{PLACES}/{kind}/0/radius", "special_category_radius")

    def broken(radius):
        place = {"key": "1", "country": country, "radius": radius, "distance_unit": unit}
        return told(careful("HOUSING", country="US"), {f"{PLACES}/{kind}": [place]})

    assert refused in broken(least - 1)
    assert refused not in broken(least)


def test_no_category_is_a_category_that_needs_no_country():
    assert told({CATEGORIES: ["NONE"]}) == set()


@pytest.mark.parametrize(
    ("category", "country", "is_refused"),
    [
        ("ISSUES_ELECTIONS_POLITICS", "FR", True),
        ("ISSUES_ELECTIONS_POLITICS", "US", False),
        ("ONLINE_GAMBLING_AND_GAMING", "FR", False),
    ],
)
def test_politics_alone_is_kept_from_the_union_alone(category, country, is_refused):
    refused = (f"{COUNTRIES}/0", "politics_not_in_union")

    assert (refused in told(careful(category, country=country))) is is_refused

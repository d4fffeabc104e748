"""Targets for ads, found by a part of their name, in a table so small that nobody takes it for whole.

Source: Marketing API, targeting search. Countries are real; all other keys are the sandbox's own.
"""

from typing import Any

from sandbox.meta.asking import Ask, Result
from sandbox.meta.errors import not_imitated, parameter
from sandbox.meta.wire import names, whole_number
from sandbox.meta.words import words
from sandbox.objects import Record

COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland",
    "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "United Kingdom", "IN": "India",
    "IT": "Italy", "JP": "Japan", "MX": "Mexico", "NL": "Netherlands", "PL": "Poland",
    "SE": "Sweden", "SG": "Singapore", "TH": "Thailand", "TW": "Taiwan", "US": "United States",
}  # fmt: skip
REGIONS = (
    ("900001", "California", "US"),
    ("900002", "New York", "US"),
    ("900003", "Bavaria", "DE"),
    ("900004", "Ontario", "CA"),
)
CITIES = (
    ("910001", "San Francisco", "900001"),
    ("910002", "New York", "900002"),
    ("910003", "Munich", "900003"),
    ("910004", "Toronto", "900004"),
)
INTERESTS = (
    ("920001", "Movies", "Entertainment"),
    ("920002", "Football", "Sports and outdoors"),
    ("920003", "Cooking", "Food and drink"),
    ("920004", "Travel", "Travel"),
    ("920005", "Online shopping", "Shopping and fashion"),
)
LOCALES = (
    (930001, "English (US)"), (930002, "English (UK)"), (930003, "German"),
    (930004, "French (France)"), (930005, "Spanish"), (930006, "Japanese"),
)  # fmt: skip
DOCUMENTED = words(
    """adTargetingCategory adcountry adeducationmajor adeducationschool adgeolocationmeta
    adinterestsuggestion adinterestvalid adradiussuggestion adkeyword adtargetingcategory adworkemployer
    adworkposition adzipcode"""
)
"""Types that Meta knows and this file does not."""


def find(ask: Ask, _: Record) -> Result:
    """What the type and a part of the name lead to."""
    kind = str(ask.params.get("type"))
    if kind in DOCUMENTED:
        raise not_imitated(f"search for {kind}")
    if kind not in _SEARCHES:
        raise parameter("type", "Param type must be a known type of search")
    asked = str(ask.params.get("q") or "").strip().lower()
    if kind == "adinterest" and not asked:
        raise parameter("q", "The parameter q is required")
    found = [row for row in _SEARCHES[kind](ask) if asked in str(row["name"]).lower()]
    limit = whole_number(ask.params, "limit", 8 if kind == "adgeolocation" else 25)
    if limit < 1:
        raise parameter("limit", "Param limit must be at least 1")
    return Result({"data": found[:limit]})


def _places(ask: Ask) -> list[dict[str, Any]]:
    wanted = names(ask.params.get("location_types")) or ["country", "region", "city"]
    whole = [*_countries(), *_regions(), *_cities()]
    return [row for row in whole if row["type"] in wanted]


def _countries() -> list[dict[str, Any]]:
    return [_place("country", code, name, code) for code, name in COUNTRIES.items()]


def _regions() -> list[dict[str, Any]]:
    return [_place("region", key, name, country) for key, name, country in REGIONS]


def _cities() -> list[dict[str, Any]]:
    above = {key: (name, country) for key, name, country in REGIONS}
    return [
        _place("city", key, name, above[region][1])
        | {"region": above[region][0], "region_id": int(region)}
        for key, name, region in CITIES
    ]


def _place(kind: str, key: str, name: str, country: str) -> dict[str, Any]:
    return {
        "key": key,
        "name": name,
        "type": kind,
        "country_code": country,
        "country_name": COUNTRIES[country],
        "supports_region": True,
        "supports_city": True,
    }


def _interests(_: Ask) -> list[dict[str, Any]]:
    return [
        {
            "id": key,
            "name": name,
            "audience_size_lower_bound": 1_000_000,
            "audience_size_upper_bound": 1_500_000,
            "path": ["Interests", topic, name],
            "description": None,
            "topic": topic,
        }
        for key, name, topic in INTERESTS
    ]


def _locales(_: Ask) -> list[dict[str, Any]]:
    return [{"key": key, "name": name} for key, name in LOCALES]


_SEARCHES = {"adgeolocation": _places, "adinterest": _interests, "adlocale": _locales}

"""Places, ages, placements."""

from tests.models.meta_requests import (
    ABSENT,
    CREATIVE,
    PLACES,
    TARGETING,
    VIDEO,
    Case,
)

COUNTRIES = f"{PLACES}/countries"
PLATFORMS = f"{TARGETING}/publisher_platforms"
FACEBOOK = f"{TARGETING}/facebook_positions"
INSTAGRAM = f"{TARGETING}/instagram_positions"


def _pin(country: str) -> dict[str, float | str]:
    return {"latitude": 52.5, "longitude": 0.1, "country": country}


def _places(number: int) -> list[dict[str, str]]:
    return [{"key": str(index)} for index in range(number)]


CASES = [
    Case(
        level="ad_set",
        code="geo_locations_missing",
        at=PLACES,
        refused={PLACES: {"countries": []}},
        accepted={PLACES: ABSENT, f"{TARGETING}/custom_audiences": [{"id": "8"}]},
    ),
    Case(
        level="ad_set",
        code="advantage_audience_missing",
        at=f"{TARGETING}/advantage_audience",
        refused={f"{TARGETING}/advantage_audience": ABSENT},
    ),
    *(
        Case(
            level="ad_set",
            code="age_min_does_not_fit_advantage",
            at=f"{TARGETING}/age_min",
            both={f"{TARGETING}/advantage_audience": True, f"{TARGETING}/age_max": 65},
            refused={f"{TARGETING}/age_min": age},
            accepted={f"{TARGETING}/age_min": 25},
        )
        for age in (17, 26)
    ),
    Case(
        level="ad_set",
        code="age_max_does_not_fit_advantage",
        at=f"{TARGETING}/age_max",
        both={f"{TARGETING}/advantage_audience": True},
        refused={},
        accepted={f"{TARGETING}/age_max": ABSENT},
    ),
    Case(
        level="ad_set",
        code="ages_reversed",
        at=f"{TARGETING}/age_max",
        both={f"{TARGETING}/age_min": ABSENT},
        refused={f"{TARGETING}/age_max": 17},
        accepted={f"{TARGETING}/age_max": 18},
    ),
    Case(
        level="ad_set",
        code="age_too_low_for_country",
        at=f"{TARGETING}/age_min",
        both={COUNTRIES: ["TH"], f"{TARGETING}/interests": [{"id": "6003"}]},
        refused={f"{TARGETING}/age_min": ABSENT},
        accepted={f"{TARGETING}/age_min": 20},
    ),
    Case(
        level="ad_set",
        code="genders_contradict",
        at=f"{TARGETING}/genders",
        refused={f"{TARGETING}/genders": [0, 1]},
        accepted={f"{TARGETING}/genders": [0]},
    ),
    Case(
        level="ad_set",
        code="places_overlap",
        at=f"{PLACES}/cities/1",
        refused={f"{PLACES}/cities": [{"key": "1"}, {"key": "2", "country": "US"}]},
        accepted={f"{PLACES}/cities": [{"key": "1"}, {"key": "2", "country": "CA"}]},
    ),
    Case(
        level="ad_set",
        code="country_unknown",
        at=f"{PLACES}/countries/1",
        refused={f"{PLACES}/countries": ["US", "UK"]},
        accepted={f"{PLACES}/countries": ["US", "GB", "XK"]},
    ),
    Case(
        level="ad_set",
        code="country_unknown",
        at=f"{TARGETING}/excluded_geo_locations/countries/0",
        refused={f"{TARGETING}/excluded_geo_locations": {"countries": ["XX"]}},
        accepted={f"{TARGETING}/excluded_geo_locations": {"countries": ["CA"]}},
    ),
    Case(
        level="ad_set",
        code="country_unknown",
        at=f"{PLACES}/cities/1/country",
        refused={f"{PLACES}/cities": [{"key": "1"}, {"key": "2", "country": "UK"}]},
        accepted={f"{PLACES}/cities": [{"key": "1"}, {"key": "2", "country": "GB"}]},
    ),
    Case(
        level="ad_set",
        code="country_unknown",
        at=f"{TARGETING}/excluded_geo_locations/custom_locations/0/country",
        refused={f"{TARGETING}/excluded_geo_locations": {"custom_locations": [_pin("EN")]}},
        accepted={f"{TARGETING}/excluded_geo_locations": {"custom_locations": [_pin("GB")]}},
    ),
    Case(
        level="ad_set",
        code="too_many_places",
        at=f"{PLACES}/regions",
        refused={f"{PLACES}/regions": _places(201)},
        accepted={f"{PLACES}/regions": _places(200)},
    ),
    Case(
        level="ad_set",
        code="too_many_locales",
        at=f"{TARGETING}/locales",
        refused={f"{TARGETING}/locales": list(range(91))},
        accepted={f"{TARGETING}/locales": list(range(90))},
    ),
    Case(
        level="ad_set",
        code="placement_not_chosen",
        at=INSTAGRAM,
        both={INSTAGRAM: ["stream"]},
        refused={PLATFORMS: ["facebook"]},
        accepted={PLATFORMS: ["facebook", "instagram"]},
    ),
    Case(
        level="ad_set",
        code="placement_gone",
        at=f"{INSTAGRAM}/1",
        refused={INSTAGRAM: ["stream", "explore"]},
        accepted={INSTAGRAM: ["stream", "reels"]},
    ),
    Case(
        level="ad_set",
        code="platform_needs_another",
        at=PLATFORMS,
        refused={PLATFORMS: ["audience_network"]},
        accepted={PLATFORMS: ["audience_network", "facebook"]},
    ),
    Case(
        level="ad_set",
        code="platform_needs_another",
        at=PLATFORMS,
        refused={PLATFORMS: ["facebook", "threads"]},
        accepted={PLATFORMS: ["instagram", "threads"]},
    ),
    Case(
        level="ad_set",
        code="position_needs_another",
        at=f"{FACEBOOK}/0",
        refused={FACEBOOK: ["marketplace"]},
        accepted={FACEBOOK: ["marketplace", "feed"]},
    ),
    Case(
        level="ad_set",
        code="position_needs_another",
        at=f"{FACEBOOK}/0",
        both={FACEBOOK: ["story"]},
        refused={PLATFORMS: ["facebook"]},
        accepted={PLATFORMS: ["facebook", "instagram"], INSTAGRAM: ["story"]},
    ),
    Case(
        level="ad_set",
        code="threads_needs_stream",
        at=INSTAGRAM,
        both={PLATFORMS: ["instagram", "threads"]},
        refused={INSTAGRAM: ["reels"]},
        accepted={INSTAGRAM: ["reels", "stream"]},
    ),
    Case(
        level="ad_set",
        code="placement_empty",
        at=f"{TARGETING}/device_platforms",
        both={f"{TARGETING}/device_platforms": ["desktop"]},
        refused={PLATFORMS: ["instagram"]},
        accepted={PLATFORMS: ["instagram", "facebook"]},
    ),
    Case(
        level="ad",
        code="video_in_right_column_only",
        at=FACEBOOK,
        both={
            PLATFORMS: ["facebook"],
            CREATIVE: {**VIDEO, "link": "https://example.com/"},
        },
        refused={FACEBOOK: ["right_hand_column"]},
        accepted={FACEBOOK: ["right_hand_column", "feed"]},
    ),
]

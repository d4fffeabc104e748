"""Special categories, disclosure, regulation."""

from tests.models.meta_requests import ABSENT, CAMPAIGN, PLACES, SET, TARGETING, Case

CATEGORIES = f"{CAMPAIGN}/special_ad_categories"
COUNTRY = f"{CAMPAIGN}/special_ad_category_country"
COUNTRIES = f"{PLACES}/countries"
REGULATED = f"{SET}/regional_regulated_categories"
IDENTITIES = f"{SET}/regional_regulation_identities"
ANY_AGE = {f"{TARGETING}/age_min": ABSENT, f"{TARGETING}/age_max": ABSENT}
HOUSING = {CATEGORIES: ["HOUSING"], COUNTRY: ["US"], **ANY_AGE}
POLITICS = {CATEGORIES: ["ISSUES_ELECTIONS_POLITICS"], COUNTRY: ["US"]}
DISCLOSED = {f"{SET}/dsa_beneficiary": "Mojito", f"{SET}/dsa_payor": "Mojito"}
VERIFIED = {"singapore_universal_beneficiary": "4", "singapore_universal_payer": "4"}

CASES = [
    Case(
        level="campaign",
        code="country_unknown",
        at=f"{COUNTRY}/1",
        refused={COUNTRY: ["US", "UK"]},
        accepted={COUNTRY: ["US", "GB"]},
    ),
    Case(
        level="campaign",
        code="special_category_none_with_others",
        at=CATEGORIES,
        both=HOUSING,
        refused={CATEGORIES: ["NONE", "HOUSING"]},
        accepted={CATEGORIES: ["EMPLOYMENT", "HOUSING"]},
    ),
    Case(
        level="campaign",
        code="special_category_country_missing",
        at=COUNTRY,
        both=HOUSING,
        refused={COUNTRY: []},
    ),
    Case(
        level="ad_set",
        code="special_category_age",
        at=f"{TARGETING}/age_max",
        both=HOUSING,
        refused={f"{TARGETING}/age_max": 64},
        accepted={f"{TARGETING}/age_min": 18, f"{TARGETING}/age_max": 65},
    ),
    Case(
        level="ad_set",
        code="special_category_age",
        at=f"{TARGETING}/age_min",
        both=HOUSING,
        refused={f"{TARGETING}/age_min": 21},
        accepted={f"{TARGETING}/age_min": 21, COUNTRY: ["JP"]},
    ),
    Case(
        level="ad_set",
        code="special_category_gender",
        at=f"{TARGETING}/genders",
        both=HOUSING,
        refused={f"{TARGETING}/genders": [1]},
        accepted={f"{TARGETING}/genders": [1, 2]},
    ),
    Case(
        level="ad_set",
        code="special_category_exclusion",
        at=f"{TARGETING}/excluded_geo_locations",
        both=HOUSING,
        refused={f"{TARGETING}/excluded_geo_locations": {"regions": [{"key": "3847"}]}},
    ),
    Case(
        level="ad_set",
        code="special_category_place",
        at=f"{PLACES}/zips",
        both=HOUSING,
        refused={PLACES: {"zips": [{"key": "US:94304"}]}},
        accepted={PLACES: {"regions": [{"key": "3847"}]}},
    ),
    Case(
        level="ad_set",
        code="special_category_radius",
        at=f"{PLACES}/cities/0/radius",
        both=HOUSING,
        refused={PLACES: {"cities": [{"key": "2", "radius": 24, "distance_unit": "kilometer"}]}},
        accepted={PLACES: {"cities": [{"key": "2", "radius": 15, "distance_unit": "mile"}]}},
    ),
    Case(
        level="ad_set",
        code="special_category_radius",
        at=f"{PLACES}/custom_locations/0/radius",
        both={**HOUSING, COUNTRY: ["DE"], **DISCLOSED, f"{PLACES}/countries": ABSENT},
        refused={
            f"{PLACES}/custom_locations": [
                {"latitude": 52.5, "longitude": 13.4, "radius": 14, "country": "DE"}
                | {"distance_unit": "kilometer"}
            ]
        },
        accepted={
            f"{PLACES}/custom_locations": [
                {"latitude": 52.5, "longitude": 13.4, "radius": 15, "country": "DE"}
                | {"distance_unit": "kilometer"}
            ]
        },
    ),
    Case(
        level="campaign",
        code="politics_not_in_union",
        at=f"{COUNTRY}/1",
        both=POLITICS,
        refused={COUNTRY: ["US", "FR"]},
    ),
    Case(
        level="ad_set",
        code="politics_not_in_union",
        at=PLACES,
        both={**POLITICS, **DISCLOSED},
        refused={PLACES: {"zips": [{"key": "FR:75001"}]}},
        accepted={PLACES: {"zips": [{"key": "US:94304"}]}},
    ),
    *(
        Case(
            level="ad_set",
            code="disclosure_missing",
            at=f"{SET}/dsa_payor",
            both={f"{SET}/dsa_beneficiary": "Mojito", PLACES: places},
            refused={},
            accepted={f"{SET}/dsa_payor": "Mojito"},
        )
        for places in (
            {"countries": ["US", "DE"]},
            {"country_groups": ["europe"]},
            {"cities": [{"key": "2", "country": "IE"}]},
            {"zips": [{"key": "DE:10115"}]},
        )
    ),
    Case(
        level="ad_set",
        code="regional_category_missing",
        at=REGULATED,
        both={COUNTRIES: ["SG"]},
        refused={},
        accepted={REGULATED: ["SINGAPORE_UNIVERSAL"], IDENTITIES: VERIFIED},
    ),
    Case(
        level="ad_set",
        code="regional_category_missing",
        at=REGULATED,
        both={PLACES: {"country_groups": ["worldwide"]}, **DISCLOSED},
        refused={},
        accepted={REGULATED: ["SINGAPORE_UNIVERSAL"], IDENTITIES: VERIFIED},
    ),
    Case(
        level="ad_set",
        code="regional_identity_missing",
        at=f"{IDENTITIES}/universal_payer",
        both={REGULATED: ["THAILAND_UNIVERSAL"]},
        refused={IDENTITIES: {"universal_beneficiary": "4"}},
        accepted={IDENTITIES: {"universal_beneficiary": "4", "universal_payer": "4"}},
    ),
]

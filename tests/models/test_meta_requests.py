"""What a request for Meta may say, by its types alone."""

import typing
from typing import Any, TypeAliasType

import msgspec
import pytest
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.regionalregulationidentities import RegionalRegulationIdentities

from models import meta_words
from models.inspection import violations
from models.meta import MetaAdSet, MetaCampaign, MetaCampaignRequest, references
from models.meta_delivery import RegulationIdentities
from tests.models.meta_requests import (
    ABSENT,
    CAMPAIGN,
    CAROUSEL,
    CREATIVE,
    EXAMPLE,
    PLACES,
    POST,
    SET,
    TARGETING,
    VIDEO,
    Changes,
    found,
    request,
)

DECODER = msgspec.json.Decoder(MetaCampaignRequest)
_, SCHEMAS = msgspec.json.schema_components([MetaCampaignRequest])


def words(alias: TypeAliasType) -> set[str]:
    return set(typing.get_args(alias.__value__))


def values(enum: type[Any]) -> set[str]:
    return {value for name, value in vars(enum).items() if not name.startswith("_")}


def test_the_example_is_read_as_it_is_written():
    body = msgspec.json.encode(EXAMPLE)

    read = DECODER.decode(body)

    assert read.campaign.objective == "OUTCOME_TRAFFIC"
    assert read.ad_sets[0].targeting.advantage_audience is False
    assert msgspec.to_builtins(read) == {
        key: value for key, value in EXAMPLE.items() if key not in ("activate", "priority")
    }


@pytest.mark.parametrize("creative", [VIDEO, CAROUSEL, POST], ids=lambda creative: creative["type"])
def test_every_type_of_creative_is_read(creative: dict[str, Any]):
    body = msgspec.json.encode(request({CREATIVE: creative}))

    read = DECODER.decode(body)

    assert msgspec.to_builtins(read.ad_sets[0].ads[0].creative) == creative


def test_only_what_design_asks_for_is_required():
    smallest = {
        "campaign": {"name": "n", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []},
        "ad_sets": [
            {
                "name": "n",
                "optimization_goal": "LINK_CLICKS",
                "billing_event": "IMPRESSIONS",
                "targeting": {},
                "ads": [{"name": "n", "creative": POST}],
            }
        ],
    }

    assert violations(MetaCampaignRequest, smallest) == []


WRONG: list[tuple[str, Any, str]] = [
    ("/ad_account_id", "act_1000000001", "wrong_format"),
    ("/ad_account_id", 7, "wrong_type"),
    ("/platform_account_id", "1000000001", "wrong_format"),
    ("/platform_account_id", "act_1\n", "wrong_format"),
    ("/activate", 1, "wrong_type"),
    ("/activate", "true", "wrong_type"),
    ("/priority", "urgent", "not_allowed"),
    ("/surprise", None, "unknown_field"),
    ("/ad_sets", [], "too_short"),
    (f"{CAMPAIGN}/name", "", "too_short"),
    (f"{CAMPAIGN}/name", "   ", "wrong_format"),
    (f"{CAMPAIGN}/name", "n" * 401, "too_long"),
    (f"{CAMPAIGN}/objective", "brand awareness", "not_allowed"),
    (f"{CAMPAIGN}/objective", "LINK_CLICKS", "not_allowed"),
    (f"{CAMPAIGN}/objective", ABSENT, "missing"),
    (f"{CAMPAIGN}/special_ad_categories", ABSENT, "missing"),
    (f"{CAMPAIGN}/special_ad_categories/0", "LOANS", "not_allowed"),
    (f"{CAMPAIGN}/special_ad_category_country", ["us"], "wrong_format"),
    (f"{CAMPAIGN}/buying_type", "RESERVED", "not_allowed"),
    (f"{SET}/daily_budget", "50", "wrong_type"),
    (f"{SET}/daily_budget", 50.0, "wrong_type"),
    (f"{SET}/daily_budget", 0, "too_small"),
    (f"{SET}/daily_budget", 10**13, "too_large"),
    (f"{SET}/start_time", "2026-12-01T00:00:00", "wrong_format"),
    (f"{SET}/start_time", "20261201T000000Z", "wrong_format"),
    (f"{SET}/start_time", 1764547200, "wrong_type"),
    (f"{SET}/ads", [], "too_short"),
    (f"{SET}/optimization_goal", "ENGAGED_USERS", "not_allowed"),
    (f"{SET}/bid_constraints", {"roas_average_floor": 99}, "too_small"),
    (f"{SET}/frequency_control_specs", [], "too_short"),
    (f"{TARGETING}/age_min", 12, "too_small"),
    (f"{TARGETING}/age_max", 66, "too_large"),
    (f"{TARGETING}/genders", [3], "not_allowed"),
    (f"{TARGETING}/genders", [1.0], "not_allowed"),
    (f"{TARGETING}/advantage_audience", 0, "wrong_type"),
    (f"{TARGETING}/targeting_automation", {}, "unknown_field"),
    (f"{PLACES}/location_types", ["home"], "unknown_field"),
    (f"{PLACES}/countries", ["USA"], "wrong_format"),
    (f"{PLACES}/cities", [{"name": "Berlin"}], "missing"),
    (f"{CREATIVE}/type", "story", "not_allowed"),
    (f"{CREATIVE}/type", ABSENT, "missing"),
    (f"{CREATIVE}/page_id", ABSENT, "missing"),
    (f"{CREATIVE}/page_id", 1234567890, "wrong_type"),
    (f"{CREATIVE}/page_id", "1234567890\n", "wrong_format"),
    (f"{CREATIVE}/link", "example.com/offer", "wrong_format"),
    (f"{CREATIVE}/link", "ftp://example.com/offer", "wrong_format"),
    (f"{CREATIVE}/link", "https:///offer", "wrong_format"),
    (f"{CREATIVE}/link", "https://example.com/a b", "wrong_format"),
    (f"{CREATIVE}/call_to_action", "CLICK_HERE", "not_allowed"),
    ("/media/hero/url", "file:///etc/passwd", "wrong_format"),
    ("/media/hero/asset_id", "hero", "wrong_format"),
    ("/media/a b", {"url": "https://example.com/a.png"}, "wrong_format"),
]


@pytest.mark.parametrize(("pointer", "value", "code"), WRONG)
def test_what_is_not_as_its_type_says_is_told_by_its_place(pointer: str, value: Any, code: str):
    change: Changes = {pointer: value}

    told = violations(MetaCampaignRequest, request(change))

    assert [(v["pointer"].startswith(pointer), v["code"]) for v in told] == [(True, code)]


def test_a_carousel_has_two_to_ten_cards():
    card = CAROUSEL["cards"][0]

    told = [
        violations(
            MetaCampaignRequest, request({CREATIVE: CAROUSEL, f"{CREATIVE}/cards": [card] * number})
        )
        for number in (1, 2, 10, 11)
    ]

    assert [found(each) for each in told] == [
        {(f"{CREATIVE}/cards", "too_short")},
        set(),
        set(),
        {(f"{CREATIVE}/cards", "too_long")},
    ]


def test_lists_of_ad_sets_and_ads_have_an_end():
    ad_set = EXAMPLE["ad_sets"][0]
    many = request({"/ad_sets": [ad_set] * 201})
    crowded = request({f"{SET}/ads": ad_set["ads"] * 51})

    assert found(violations(MetaCampaignRequest, many)) == {("/ad_sets", "too_long")}
    assert found(violations(MetaCampaignRequest, crowded)) == {(f"{SET}/ads", "too_long")}


def test_every_use_of_media_is_named_with_its_place_and_kind():
    cards = [
        {"link": "https://example.com/", "image": "a"},
        {"link": "https://e.com/", "video": "b"},
    ]
    changed = request(
        {
            f"{SET}/ads/1": {"name": "Clip", "creative": {**VIDEO, "thumbnail": "frame"}},
            f"{SET}/ads/2": {"name": "Cards", "creative": {**CAROUSEL, "cards": cards}},
            f"{SET}/ads/3": {"name": "Post", "creative": POST},
        }
    )

    named = list(references(msgspec.convert(changed, MetaCampaignRequest)))

    assert named == [
        ("/ad_sets/0/ads/0/creative/image", "hero", "image"),
        ("/ad_sets/0/ads/1/creative/video", "hero", "video"),
        ("/ad_sets/0/ads/1/creative/thumbnail", "frame", "image"),
        ("/ad_sets/0/ads/2/creative/cards/0/image", "a", "image"),
        ("/ad_sets/0/ads/2/creative/cards/1/video", "b", "video"),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (meta_words.Objective, Campaign.Objective),
        (meta_words.SpecialAdCategory, Campaign.SpecialAdCategories),
        (meta_words.BidStrategy, AdSet.BidStrategy),
        (meta_words.BillingEvent, AdSet.BillingEvent),
        (meta_words.OptimizationGoal, AdSet.OptimizationGoal),
        (meta_words.DestinationType, AdSet.DestinationType),
        (meta_words.CallToAction, AdCreative.CallToActionType),
    ],
    ids=str,
)
def test_every_word_is_one_that_the_official_library_knows(ours: TypeAliasType, theirs: type[Any]):
    assert words(ours) <= values(theirs)


def test_every_field_is_one_that_the_official_library_knows():
    assert set(MetaCampaign.__struct_fields__) <= values(Campaign.Field)
    assert set(MetaAdSet.__struct_fields__) - {"ads"} <= values(AdSet.Field)
    assert set(RegulationIdentities.__struct_fields__) <= values(RegionalRegulationIdentities.Field)


def test_every_field_is_documented():
    bare = [
        (name, field)
        for name, schema in SCHEMAS.items()
        for field, described in schema.get("properties", {}).items()
        if "description" not in described and field != "type"
    ]

    assert bare == []
    assert all(schema.get("description") for schema in SCHEMAS.values())


def test_the_schema_says_that_media_has_exactly_one_source():
    entry = SCHEMAS["MetaCampaignRequest"]["properties"]["media"]["additionalProperties"]

    assert [branch["required"] for branch in entry["oneOf"]] == [
        ["url"],
        ["asset_id"],
        ["generate"],
    ]


def test_no_schema_takes_unknown_fields():
    assert [
        s for s in SCHEMAS.values() if s["type"] == "object" and s["additionalProperties"]
    ] == []

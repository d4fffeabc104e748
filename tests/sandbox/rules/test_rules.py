"""Each rule of the imitated Meta refuses what it is about, with its codes and the blamed field."""

import copy
from typing import Any

import pytest

from sandbox.meta.rules import RULES, refuse

NOW = 1_800_000_000.0
DAY = 86_400
ACCOUNT = {"id": "act_1", "page_ids": ["7"], "min_daily_budget": 100}
CAMPAIGN = {
    "name": "C",
    "objective": "OUTCOME_TRAFFIC",
    "special_ad_categories": [],
    "status": "PAUSED",
    "buying_type": "AUCTION",
    "is_adset_budget_sharing_enabled": False,
}
AD_SET = {
    "name": "S",
    "campaign_id": "10",
    "daily_budget": 5000,
    "billing_event": "IMPRESSIONS",
    "optimization_goal": "LINK_CLICKS",
    "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
    "status": "PAUSED",
    "targeting": {
        "geo_locations": {"countries": ["US"]},
        "targeting_automation": {"advantage_audience": 0},
    },
}
LINK = {
    "link": "https://example.com",
    "image_hash": "h",
    "call_to_action": {"type": "LEARN_MORE", "value": {"link": "https://example.com"}},
}
VIDEO = {"video_id": "20", "image_url": "https://example.com/i.png", "message": "m"}
CREATIVE = {"name": "K", "object_story_spec": {"page_id": "7", "link_data": LINK}}
AD = {"name": "A", "adset_id": "11", "creative": {"creative_id": "12"}, "status": "PAUSED"}
BASE = {
    "campaign": CAMPAIGN,
    "ad_set": AD_SET,
    "creative": CREATIVE,
    "ad": AD,
    "update_ad_set": {"id": "11", "name": "new"},
}


class World:
    """A campaign, an ad set, a creative, an image and two videos."""

    def __init__(self, **changes: Any) -> None:
        self.now = NOW
        self.account = ACCOUNT
        self.campaign = {**CAMPAIGN, **changes.pop("campaign", {})}
        self.status = changes.pop("status", "PAUSED")
        self.siblings = changes.pop("siblings", [])
        self.ad_set = {**AD_SET, **changes.pop("ad_set", {})}

    def get(self, object_id):
        found = {
            "10": ("campaign", self.campaign),
            "11": ("ad_set", self.ad_set),
            "12": ("creative", CREATIVE),
            "20": ("video", {"video_status": "ready"}),
            "21": ("video", {"video_status": "processing"}),
        }.get(object_id)
        if found is None:
            return None
        return {"kind": found[0], "id": object_id, "status": self.status, "fields": found[1]}

    def children(self, parent_id, kind):
        return self.siblings if kind == "ad_set" else []

    def image(self, content_hash):
        return {"id": "h"} if content_hash == "h" else None


def changed(kind, changes):
    """The base request with dotted paths set; None takes a field away."""
    params = copy.deepcopy(BASE[kind])
    for path, value in changes.items():
        *way, last = path.split(".")
        place = params
        for name in way:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return params


GEO = "targeting.geo_locations"
STORY = "object_story_spec"
CARD = {"link": "https://example.com", "image_hash": "h"}
REFUSED = [
    (
        "campaign_required",
        "campaign",
        {"special_ad_categories": None},
        {},
        None,
        "special_ad_categories",
    ),
    ("name_length", "campaign", {"name": "x" * 401}, {}, None, "name"),
    ("objective", "campaign", {"objective": "LINK_CLICKS"}, {}, None, "objective"),
    ("categories", "campaign", {"special_ad_categories": ["X"]}, {}, None, "special_ad_categories"),
    (
        "category_country",
        "campaign",
        {"special_ad_categories": ["HOUSING"]},
        {},
        2909034,
        "special_ad_category_country",
    ),
    ("status_at_birth", "campaign", {"status": "DELETED"}, {}, None, "status"),
    ("buying_type", "campaign", {"buying_type": "X"}, {}, None, "buying_type"),
    (
        "campaign_two_budgets",
        "campaign",
        {"daily_budget": 500, "lifetime_budget": 500},
        {},
        None,
        "lifetime_budget",
    ),
    ("campaign_budget_minimum", "campaign", {"daily_budget": 50}, {}, 2446307, "daily_budget"),
    (
        "strategy_known",
        "campaign",
        {"daily_budget": 500, "bid_strategy": "X"},
        {},
        None,
        "bid_strategy",
    ),
    (
        "strategy_without_budget",
        "campaign",
        {"bid_strategy": "COST_CAP"},
        {},
        1885737,
        "bid_strategy",
    ),
    (
        "sharing_unsaid",
        "campaign",
        {"is_adset_budget_sharing_enabled": None},
        {},
        4834011,
        "is_adset_budget_sharing_enabled",
    ),
    (
        "sharing_with_budget",
        "campaign",
        {"daily_budget": 500, "is_adset_budget_sharing_enabled": "true"},
        {},
        4834002,
        "is_adset_budget_sharing_enabled",
    ),
    ("spend_cap", "campaign", {"spend_cap": 9999}, {}, None, "spend_cap"),
    ("ad_set_required", "ad_set", {"billing_event": None}, {}, None, "billing_event"),
    ("campaign_missing", "ad_set", {"campaign_id": "99"}, {}, 33, "campaign_id"),
    ("campaign_gone", "ad_set", {}, {"status": "DELETED"}, 1487566, "campaign_id"),
    (
        "too_many_ad_sets",
        "ad_set",
        {},
        {"siblings": [{"status": "PAUSED", "fields": {}}] * 200},
        None,
        "campaign_id",
    ),
    ("destination", "ad_set", {"destination_type": "ON_AD"}, {}, 2446509, "destination_type"),
    ("goal", "ad_set", {"optimization_goal": "APP_INSTALLS"}, {}, 2490408, "optimization_goal"),
    ("billing", "ad_set", {"billing_event": "THRUPLAY"}, {}, None, "billing_event"),
    (
        "promoted_object",
        "ad_set",
        {"optimization_goal": "OFFSITE_CONVERSIONS"},
        {"campaign": {"objective": "OUTCOME_SALES"}},
        1815430,
        "promoted_object",
    ),
    (
        "promoted_object_incomplete",
        "ad_set",
        {"optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": {"pixel_id": "1"}},
        {"campaign": {"objective": "OUTCOME_SALES"}},
        1885014,
        "promoted_object.custom_event_type",
    ),
    (
        "two_promoted_objects",
        "ad_set",
        {
            "promoted_object": {
                "pixel_id": "1",
                "application_id": "2",
                "object_store_url": "https://play.google.com/x",
            }
        },
        {},
        1487929,
        "promoted_object",
    ),
    ("budget_levels", "ad_set", {}, {"campaign": {"daily_budget": 500}}, 1885621, "daily_budget"),
    ("budget_unsaid", "ad_set", {"daily_budget": None}, {}, None, "daily_budget"),
    ("budget_minimum", "ad_set", {"daily_budget": "99"}, {}, 1885272, "daily_budget"),
    ("bid_strategy", "ad_set", {"bid_strategy": "TARGET_COST"}, {}, None, "bid_strategy"),
    ("bid_missing", "ad_set", {"bid_strategy": "COST_CAP"}, {}, 1815857, "bid_amount"),
    ("bid_unwanted", "ad_set", {"bid_amount": 100}, {}, 1885204, "bid_amount"),
    (
        "roas",
        "ad_set",
        {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"},
        {},
        2490487,
        "bid_constraints.roas_average_floor",
    ),
    (
        "sharing_strategies",
        "ad_set",
        {},
        {
            "campaign": {"is_adset_budget_sharing_enabled": True},
            "siblings": [{"status": "PAUSED", "fields": {"bid_strategy": "COST_CAP"}}],
        },
        4834009,
        "bid_strategy",
    ),
    ("end_past", "ad_set", {"end_time": NOW - 1}, {}, 1487033, "end_time"),
    (
        "lifetime_end",
        "ad_set",
        {"daily_budget": None, "lifetime_budget": 5000},
        {},
        None,
        "end_time",
    ),
    ("short_day", "ad_set", {"end_time": NOW + DAY}, {}, None, "end_time"),
    ("frequency", "ad_set", {"frequency_control_specs": [{}]}, {}, None, "frequency_control_specs"),
    ("hours", "ad_set", {"adset_schedule": [{}]}, {}, None, "adset_schedule"),
    (
        "attribution",
        "ad_set",
        {"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]},
        {},
        1885501,
        "attribution_spec",
    ),
    (
        "immutable",
        "update_ad_set",
        {"promoted_object": {"page_id": "8"}},
        {},
        1815198,
        "promoted_object",
    ),
    ("place", "ad_set", {GEO: None}, {}, None, GEO),
    (
        "advantage_unsaid",
        "ad_set",
        {"targeting.targeting_automation": None},
        {},
        1870227,
        "targeting.targeting_automation.advantage_audience",
    ),
    (
        "advantage_type",
        "ad_set",
        {"targeting.targeting_automation.advantage_audience": "maybe"},
        {},
        1870196,
        "targeting.targeting_automation.advantage_audience",
    ),
    (
        "advantage_youngest",
        "ad_set",
        {"targeting.targeting_automation.advantage_audience": 1, "targeting.age_min": 26},
        {},
        1870188,
        "targeting.age_min",
    ),
    (
        "advantage_oldest",
        "ad_set",
        {"targeting.targeting_automation.advantage_audience": 1, "targeting.age_max": 45},
        {},
        1870189,
        "targeting.age_max",
    ),
    ("ages", "ad_set", {"targeting.age_min": 12}, {}, None, "targeting.age_min"),
    (
        "age_by_country",
        "ad_set",
        {f"{GEO}.countries": ["TH"], "targeting.age_min": 18},
        {},
        1870165,
        "targeting.age_min",
    ),
    ("genders", "ad_set", {"targeting.genders": [0]}, {}, None, "targeting.genders"),
    (
        "overlap",
        "ad_set",
        {f"{GEO}.cities": [{"key": "1", "country": "US"}]},
        {},
        1487756,
        f"{GEO}.cities",
    ),
    (
        "location_types",
        "ad_set",
        {f"{GEO}.location_types": ["home"]},
        {},
        1870199,
        f"{GEO}.location_types",
    ),
    (
        "too_many_places",
        "ad_set",
        {f"{GEO}.cities": [{"key": "1"}] * 251},
        {},
        None,
        f"{GEO}.cities",
    ),
    (
        "careful",
        "ad_set",
        {"targeting.age_min": 30},
        {"campaign": {"special_ad_categories": ["HOUSING"]}},
        2909034,
        "targeting.age_min",
    ),
    ("disclosure", "ad_set", {f"{GEO}.countries": ["DE"]}, {}, 3858081, "dsa_beneficiary"),
    (
        "singapore",
        "ad_set",
        {f"{GEO}.countries": ["SG"]},
        {},
        3858550,
        "regional_regulated_categories",
    ),
    (
        "placement_alone",
        "ad_set",
        {"targeting.publisher_platforms": ["audience_network"]},
        {},
        1815433,
        "targeting.publisher_platforms",
    ),
    (
        "placement_gone",
        "ad_set",
        {"targeting.instagram_positions": ["explore"]},
        {},
        2490392,
        "targeting.instagram_positions",
    ),
    ("story", "creative", {STORY: None}, {}, None, STORY),
    ("page_required", "creative", {f"{STORY}.page_id": None}, {}, None, f"{STORY}.page_id"),
    ("page_unknown", "creative", {f"{STORY}.page_id": "8"}, {}, 1885029, f"{STORY}.page_id"),
    ("one_story", "creative", {f"{STORY}.video_data": VIDEO}, {}, None, STORY),
    ("creative_name", "creative", {"name": "x" * 101}, {}, None, "name"),
    ("instagram_actor", "creative", {"instagram_actor_id": "1"}, {}, 2238055, "instagram_actor_id"),
    (
        "link",
        "creative",
        {f"{STORY}.link_data": {"message": "m"}},
        {},
        None,
        f"{STORY}.link_data.link",
    ),
    (
        "two_pictures",
        "creative",
        {f"{STORY}.link_data.picture": "https://example.com/p"},
        {},
        None,
        f"{STORY}.link_data.picture",
    ),
    (
        "image_unknown",
        "creative",
        {f"{STORY}.link_data.image_hash": "zz"},
        {},
        1487194,
        f"{STORY}.link_data.image_hash",
    ),
    (
        "video",
        "creative",
        {f"{STORY}.link_data": None, f"{STORY}.video_data": {**VIDEO, "video_id": "21"}},
        {},
        1885252,
        f"{STORY}.video_data.video_id",
    ),
    (
        "thumbnail",
        "creative",
        {f"{STORY}.link_data": None, f"{STORY}.video_data": {"video_id": "20"}},
        {},
        1443226,
        f"{STORY}.video_data.image_hash",
    ),
    (
        "cards",
        "creative",
        {f"{STORY}.link_data.child_attachments": [CARD]},
        {},
        None,
        f"{STORY}.link_data.child_attachments",
    ),
    (
        "button",
        "creative",
        {f"{STORY}.link_data.call_to_action": {"type": "DANCE"}},
        {},
        1373054,
        f"{STORY}.link_data.call_to_action",
    ),
    (
        "button_link",
        "creative",
        {
            f"{STORY}.link_data": None,
            f"{STORY}.video_data": {**VIDEO, "call_to_action": {"type": "SHOP_NOW"}},
        },
        {},
        2061015,
        f"{STORY}.video_data.call_to_action.value.link",
    ),
    ("tags", "creative", {"url_tags": "?a=b"}, {}, None, "url_tags"),
    ("ad_required", "ad", {"creative": None}, {}, None, "creative"),
    ("ad_set_missing", "ad", {"adset_id": "99"}, {}, 33, "adset_id"),
    ("ad_set_gone", "ad", {}, {"status": "ARCHIVED"}, 1487056, "adset_id"),
    ("creative_missing", "ad", {"creative": {"creative_id": "99"}}, {}, 33, "creative.creative_id"),
    (
        "page_of_promoted_object",
        "ad",
        {},
        {"ad_set": {"promoted_object": {"page_id": "8"}}},
        1885154,
        "creative",
    ),
]


@pytest.mark.parametrize(
    ("name", "kind", "changes", "world", "subcode", "blame"), REFUSED, ids=[r[0] for r in REFUSED]
)
def test_a_rule_refuses_what_it_is_about(name, kind, changes, world, subcode, blame):
    rule = next(rule for rule in RULES if rule.name == name)
    params = changed(kind, changes)

    own = rule.refusal(params, World(**copy.deepcopy(world)))
    whole = refuse(kind, params, World(**copy.deepcopy(world)))

    assert own is not None
    assert (own.code, own.subcode) == (100, subcode)
    assert own.blame == [blame.split(".")]
    assert whole is not None
    assert own.user_message


def test_every_rule_is_exercised_and_has_a_source():
    assert {rule.name for rule in RULES} == {row[0] for row in REFUSED}
    assert all(rule.source and rule.about for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("kind", ["campaign", "ad_set", "creative", "ad", "update_ad_set"])
def test_what_nothing_is_wrong_with_is_accepted(kind):
    assert refuse(kind, changed(kind, {}), World()) is None


ACCEPTED = [
    ("OUTCOME_AWARENESS", {"optimization_goal": "REACH"}),
    ("OUTCOME_TRAFFIC", {"optimization_goal": "LANDING_PAGE_VIEWS"}),
    (
        "OUTCOME_ENGAGEMENT",
        {
            "optimization_goal": "POST_ENGAGEMENT",
            "destination_type": "ON_POST",
            "promoted_object": {"page_id": "7"},
        },
    ),
    (
        "OUTCOME_LEADS",
        {
            "optimization_goal": "LEAD_GENERATION",
            "destination_type": "ON_AD",
            "promoted_object": {"page_id": "7"},
        },
    ),
    (
        "OUTCOME_SALES",
        {
            "optimization_goal": "OFFSITE_CONVERSIONS",
            "promoted_object": {"pixel_id": "1", "custom_event_type": "PURCHASE"},
        },
    ),
    (
        "OUTCOME_APP_PROMOTION",
        {
            "optimization_goal": "APP_INSTALLS",
            "promoted_object": {
                "application_id": "1",
                "object_store_url": "https://play.google.com/x",
            },
        },
    ),
]


@pytest.mark.parametrize(("objective", "changes"), ACCEPTED)
def test_every_objective_has_a_way(objective, changes):
    world = World(campaign={"objective": objective})

    assert refuse("ad_set", changed("ad_set", changes), world) is None


@pytest.mark.parametrize(
    "changes",
    [
        {
            f"{STORY}.link_data": None,
            f"{STORY}.video_data": {
                **VIDEO,
                "call_to_action": {"type": "SHOP_NOW", "value": {"link": "https://example.com"}},
            },
        },
        {f"{STORY}.link_data": {"link": "https://example.com", "child_attachments": [CARD, CARD]}},
        {STORY: None, "object_story_id": "7_123"},
        {f"{STORY}.instagram_user_id": "9", "url_tags": "a=b"},
    ],
)
def test_every_kind_of_creative_is_accepted(changes):
    assert refuse("creative", changed("creative", changes), World()) is None


def test_numbers_and_booleans_may_come_as_text():
    params = changed(
        "ad_set", {"daily_budget": "5000", "targeting.targeting_automation.advantage_audience": "0"}
    )

    assert refuse("ad_set", params, World()) is None

"""Each rule of the imitated Meta refuses what it is about, with its codes and the blamed field."""

import copy

import pytest

from sandbox.meta.rules import RULES, refuse
from tests.sandbox.rules import (
    refused_ad_sets,
    refused_campaigns,
    refused_creatives,
    refused_targeting,
)
from tests.sandbox.rules.examples import VIDEO, World, changed
from tests.sandbox.rules.refused_creatives import CARD, STORY

REFUSED = [
    *refused_campaigns.REFUSED,
    *refused_ad_sets.REFUSED,
    *refused_targeting.REFUSED,
    *refused_creatives.REFUSED,
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


OF_PAGE = {"promoted_object": {"page_id": "7"}}
ACCEPTED = [
    ("OUTCOME_AWARENESS", {"optimization_goal": "REACH", **OF_PAGE}),
    ("OUTCOME_TRAFFIC", {"optimization_goal": "LANDING_PAGE_VIEWS"}),
    (
        "OUTCOME_TRAFFIC",
        {"bid_strategy": "COST_CAP", "bid_amount": 100, "pacing_type": ["day_parting"]},
    ),
    (
        "OUTCOME_AWARENESS",
        {
            "optimization_goal": "REACH",
            **OF_PAGE,
            "frequency_control_specs": [
                {"event": "IMPRESSIONS", "interval_days": 90, "max_frequency": 1}
            ],
        },
    ),
    (
        "OUTCOME_AWARENESS",
        {"optimization_goal": "REACH", **OF_PAGE, "targeting.locales": list(range(90))},
    ),
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
            "targeting.user_os": ["Android_ver_8.0_and_above"],
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


@pytest.mark.parametrize(
    "amount", ["5000.0", "5e3", "fifty", 5000.0, True, [5000], "\uff15000"], ids=str
)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("ad_set", "bid_amount"), ("campaign", "spend_cap"), ("update_ad_set", "daily_budget")],
)
def test_amounts_of_money_are_whole_numbers(kind, name, amount):
    (rule,) = (rule for rule in RULES if rule.name == "whole_amounts")

    assert rule.refusal(changed(kind, {name: amount}), World()) is not None
    assert rule.refusal(changed(kind, {name: "5000"}), World()) is None


def test_numbers_and_booleans_may_come_as_text():
    params = changed(
        "ad_set", {"daily_budget": "5000", "targeting.targeting_automation.advantage_audience": "0"}
    )

    assert refuse("ad_set", params, World()) is None

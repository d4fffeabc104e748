"""Rules where two things meet, and the words in which some refusals are told."""

import copy
from typing import get_args

import pytest

from models.meta_rules import RuleContext, inspect
from models.meta_rules.countries import countries
from models.meta_rules.table import Place
from models.meta_words import BillingEvent, OptimizationGoal
from tests.models.meta_requests import (
    ABSENT,
    APP,
    CAMPAIGN,
    CONTEXT,
    CREATIVE,
    EXAMPLE,
    NOW,
    PROMOTED,
    SET,
    TARGETING,
    VIDEO,
    request,
    told,
)

ADDRESS = "https://example.com/offer"
LINK = EXAMPLE["ad_sets"][0]["ads"][0]["creative"]
FILM = {**VIDEO, "link": ADDRESS}


def test_two_ad_sets_that_share_their_budgets_bid_alike():
    second = copy.deepcopy(EXAMPLE["ad_sets"][0])
    changes = {f"{CAMPAIGN}/is_adset_budget_sharing_enabled": True, "/ad_sets/1": second}
    another = {"/ad_sets/1/bid_strategy": "COST_CAP", "/ad_sets/1/bid_amount": 100}
    refused = (f"{CAMPAIGN}/is_adset_budget_sharing_enabled", "budget_sharing_strategies_differ")

    assert told(changes) == set()
    assert told(changes, another) == {refused}


@pytest.mark.parametrize(
    ("known", "unit"),
    [
        ({}, ""),
        ({"currency": "USD"}, " of the smallest unit of USD"),
        ({"currency": "HUF"}, " whole HUF"),
    ],
)
def test_a_budget_that_is_too_small_is_told_in_the_currency_where_it_is_known(known, unit):
    context = RuleContext(NOW, min_daily_budget=100, **known)

    (violation,) = inspect(request({f"{SET}/daily_budget": 1}), context)

    least = f"The least that this account takes for a day is 100{unit}."
    assert violation["message"] == least


def test_a_key_tells_its_country_before_its_first_colon():
    places = {"zips": [{"key": "US:10001:2"}]}

    assert countries(Place({"geo_locations": places}, frozenset())) == {"US"}


def test_a_video_with_an_address_may_have_a_button_that_leads_there():
    button = {f"{CREATIVE}/call_to_action": "LEARN_MORE", f"{CREATIVE}/link": ADDRESS}

    assert told({CREATIVE: VIDEO}, button) == set()


def test_an_address_that_its_type_requires_is_missed_once():
    assert told({f"{CREATIVE}/link": ABSENT}) == {(f"{CREATIVE}/link", "missing")}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (LINK, FILM, "hero is used as an image elsewhere."),
        (FILM, LINK, "hero is used as a video elsewhere."),
    ],
)
def test_media_that_are_used_twice_are_told_as_what_they_were_first(first, second, words):
    ads = [{"name": "One", "creative": first}, {"name": "Two", "creative": second}]

    (violation,) = inspect(request({f"{SET}/ads": ads}), CONTEXT)

    assert (violation["code"], violation["message"]) == ("media_kind_conflict", words)


@pytest.mark.parametrize(
    ("creative", "words"),
    [
        (LINK, "media has no entry other; name an image there."),
        (FILM, "media has no entry other; name a video there."),
    ],
)
def test_media_that_are_missing_are_told_as_what_they_should_be(creative, words):
    field = "video" if creative is FILM else "image"

    messages = {
        violation["code"]: violation["message"]
        for violation in inspect(request({CREATIVE: {**creative, field: "other"}}), CONTEXT)
    }

    assert messages["media_unknown"] == words


PIXEL = "pixel_id and custom_event_type"
STORE = "application_id and object_store_url"
PRODUCTS = "product_set_id and custom_event_type"


@pytest.mark.parametrize("destination", [ABSENT, "WEBSITE"])
@pytest.mark.parametrize(
    ("objective", "choices"),
    [
        ("OUTCOME_ENGAGEMENT", f"{PIXEL}, or {STORE}"),
        ("OUTCOME_LEADS", f"{PIXEL}, or {STORE}"),
        ("OUTCOME_SALES", f"{PIXEL}, or {STORE}, or {PRODUCTS}"),
    ],
)
def test_whoever_must_promote_something_is_told_all_that_may_be(objective, destination, choices):
    changes = {
        f"{CAMPAIGN}/objective": objective,
        f"{SET}/destination_type": destination,
        f"{SET}/optimization_goal": "OFFSITE_CONVERSIONS",
    }

    messages = [
        violation["message"]
        for violation in inspect(request(changes), CONTEXT)
        if violation["code"] == "promoted_object_missing"
    ]

    assert messages == [f"It is required here, with {choices}."]


@pytest.mark.parametrize(
    ("promoted", "missing"),
    [
        ("product_set_id", "custom_event_type"),
        ("pixel_id", "custom_event_type"),
        ("application_id", "object_store_url"),
        ("object_store_url", "application_id"),
    ],
)
def test_of_what_is_promoted_for_sales_the_other_half_is_asked_for(promoted, missing):
    changes = {f"{CAMPAIGN}/objective": "OUTCOME_SALES", PROMOTED: {promoted: "1"}}

    asked = {at for at, code in told(changes) if code == "promoted_object_incomplete"}

    assert asked == {f"{PROMOTED}/{missing}"}


@pytest.mark.parametrize(
    ("goal", "missing"),
    [
        ("APP_INSTALLS", {"application_id"}),
        ("OFFSITE_CONVERSIONS", {"application_id", "custom_event_type"}),
    ],
)
def test_of_an_app_everything_is_asked_for_that_its_goal_needs(goal, missing):
    store = {PROMOTED: {"object_store_url": "https://play.google.com/x"}}

    broken = told(APP, store, {f"{SET}/optimization_goal": goal})

    asked = {at for at, code in broken if code == "promoted_object_incomplete"}
    assert asked == {f"{PROMOTED}/{field}" for field in missing}


@pytest.mark.parametrize(
    ("goal", "events"),
    [
        ("LINK_CLICKS", {"IMPRESSIONS", "LINK_CLICKS"}),
        ("THRUPLAY", {"IMPRESSIONS", "THRUPLAY"}),
        ("REACH", {"IMPRESSIONS"}),
    ],
)
def test_a_goal_is_billed_by_exactly_these_events(goal, events):
    refused = (f"{SET}/billing_event", "billing_does_not_fit_goal")
    fitting = {
        event
        for event in words(BillingEvent)
        if refused not in told({f"{SET}/optimization_goal": goal, f"{SET}/billing_event": event})
    }

    assert fitting == events


@pytest.mark.parametrize("event", ["LEAD", "PURCHASE"])
@pytest.mark.parametrize(
    ("objective", "refused"),
    [
        ("OUTCOME_SALES", "LEAD"),
        ("OUTCOME_LEADS", "PURCHASE"),
        ("OUTCOME_ENGAGEMENT", None),
        ("OUTCOME_TRAFFIC", None),
    ],
)
def test_a_sale_is_not_a_lead(objective, refused, event):
    pixel = {"pixel_id": "7", "custom_event_type": event}
    changes = {f"{CAMPAIGN}/objective": objective, PROMOTED: pixel}

    is_refused = (f"{PROMOTED}/custom_event_type", "event_does_not_fit_objective") in told(changes)

    assert is_refused is (event == refused)


def test_a_catalogue_is_promoted_for_exactly_these_goals():
    refused = (f"{SET}/optimization_goal", "goal_does_not_fit_promoted_object")
    sales = {f"{CAMPAIGN}/objective": "OUTCOME_SALES", PROMOTED: {"product_set_id": "1"}}

    fitting = {
        goal
        for goal in words(OptimizationGoal)
        if refused not in told(sales, {f"{SET}/optimization_goal": goal})
    }

    assert fitting == {"LINK_CLICKS", "OFFSITE_CONVERSIONS"}


@pytest.mark.parametrize(
    ("platforms", "instagram", "is_refused"),
    [
        (ABSENT, ABSENT, False),
        (ABSENT, ["story"], False),
        (ABSENT, ["stream"], True),
        (["facebook"], ABSENT, True),
        (["facebook", "instagram"], ABSENT, False),
        (["facebook", "instagram"], ["story", "stream"], False),
        (["facebook", "instagram"], ["stream"], True),
    ],
)
def test_stories_of_facebook_without_its_feed_come_with_those_of_instagram(
    platforms, instagram, is_refused
):
    changes = {
        f"{TARGETING}/facebook_positions": ["story"],
        f"{TARGETING}/publisher_platforms": platforms,
        f"{TARGETING}/instagram_positions": instagram,
    }

    refused = (f"{TARGETING}/facebook_positions/0", "position_needs_another") in told(changes)

    assert refused is is_refused


@pytest.mark.parametrize(
    ("category", "prefix"),
    [
        ("THAILAND_UNIVERSAL", "universal"),
        ("BRAZIL_REGULATION", "universal"),
        ("SINGAPORE_UNIVERSAL", "singapore_universal"),
    ],
)
def test_who_benefits_and_who_pays_is_asked_for_under_the_regulations_own_names(category, prefix):
    changes = {f"{SET}/regional_regulated_categories": [category]}

    asked = {at for at, code in told(changes) if code == "regional_identity_missing"}

    identities = f"{SET}/regional_regulation_identities"
    assert asked == {f"{identities}/{prefix}_beneficiary", f"{identities}/{prefix}_payer"}


def words(kind):
    return get_args(getattr(kind, "__value__", kind))

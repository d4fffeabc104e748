"""What fits which objective, and which placements go together, entry by entry."""

from typing import get_args

import pytest

from models.meta_words import DestinationType, OptimizationGoal
from tests.models.meta_requests import CAMPAIGN, PLACES, PROMOTED, SET, TARGETING, told

OBJECTIVE = f"{CAMPAIGN}/objective"
DESTINATION = f"{SET}/destination_type"
GOAL = f"{SET}/optimization_goal"
PLATFORMS = f"{TARGETING}/publisher_platforms"
CLICKS = "LINK_CLICKS REACH IMPRESSIONS"
SITE = "OFFSITE_CONVERSIONS LINK_CLICKS REACH LANDING_PAGE_VIEWS IMPRESSIONS"
APPS = "APP_INSTALLS OFFSITE_CONVERSIONS LINK_CLICKS VALUE APP_INSTALLS_AND_OFFSITE_CONVERSIONS"
TALKS = (
    "MESSENGER",
    "WHATSAPP",
    "INSTAGRAM_DIRECT",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
)
FITS = {
    ("OUTCOME_AWARENESS", None): "REACH IMPRESSIONS AD_RECALL_LIFT THRUPLAY",
    ("OUTCOME_TRAFFIC", None): f"{CLICKS} LANDING_PAGE_VIEWS",
    ("OUTCOME_TRAFFIC", "WEBSITE"): f"{CLICKS} LANDING_PAGE_VIEWS",
    ("OUTCOME_TRAFFIC", "MESSENGER"): CLICKS,
    ("OUTCOME_TRAFFIC", "WHATSAPP"): CLICKS,
    ("OUTCOME_ENGAGEMENT", None): SITE,
    ("OUTCOME_ENGAGEMENT", "WEBSITE"): SITE,
    ("OUTCOME_ENGAGEMENT", "ON_POST"): "POST_ENGAGEMENT REACH",
    ("OUTCOME_ENGAGEMENT", "ON_PAGE"): "PAGE_LIKES",
    ("OUTCOME_ENGAGEMENT", "ON_EVENT"): "EVENT_RESPONSES POST_ENGAGEMENT REACH IMPRESSIONS",
    ("OUTCOME_ENGAGEMENT", "ON_VIDEO"): "THRUPLAY",
    **{("OUTCOME_ENGAGEMENT", talk): "CONVERSATIONS LINK_CLICKS" for talk in TALKS},
    ("OUTCOME_LEADS", None): SITE,
    ("OUTCOME_LEADS", "WEBSITE"): SITE,
    ("OUTCOME_LEADS", "ON_AD"): "LEAD_GENERATION QUALITY_LEAD",
    ("OUTCOME_SALES", None): f"{SITE} VALUE",
    ("OUTCOME_SALES", "WEBSITE"): f"{SITE} VALUE",
    ("OUTCOME_SALES", "MESSENGER"): "CONVERSATIONS",
    ("OUTCOME_APP_PROMOTION", None): APPS,
    ("OUTCOME_APP_PROMOTION", "APP"): APPS,
}
PAGE, PIXEL = ("page_id",), ("pixel_id", "custom_event_type")
APP = ("application_id", "object_store_url")
MUST_PROMOTE = {
    ("OUTCOME_AWARENESS", None): PAGE,
    ("OUTCOME_TRAFFIC", "WHATSAPP"): PAGE,
    ("OUTCOME_ENGAGEMENT", None): PIXEL,
    ("OUTCOME_ENGAGEMENT", "WEBSITE"): PIXEL,
    **{("OUTCOME_ENGAGEMENT", to): PAGE for to in ("ON_POST", "ON_PAGE", *TALKS)},
    ("OUTCOME_LEADS", None): PIXEL,
    ("OUTCOME_LEADS", "WEBSITE"): PIXEL,
    ("OUTCOME_LEADS", "ON_AD"): PAGE,
    ("OUTCOME_SALES", None): PIXEL,
    ("OUTCOME_SALES", "WEBSITE"): PIXEL,
    ("OUTCOME_SALES", "MESSENGER"): ("page_id", "pixel_id", "custom_event_type"),
    ("OUTCOME_APP_PROMOTION", None): APP,
    ("OUTCOME_APP_PROMOTION", "APP"): APP,
}
WITHOUT_PIXEL = {(f"OUTCOME_{word}", None) for word in ("ENGAGEMENT", "LEADS", "SALES")}
UNCOUNTED = {"LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS"}


def of(pair, goal="LINK_CLICKS"):
    return {OBJECTIVE: pair[0], DESTINATION: pair[1], GOAL: goal}


@pytest.mark.parametrize("pair", FITS, ids=str)
def test_an_objective_and_destination_have_exactly_these_goals(pair):
    refused = (GOAL, "goal_does_not_fit_objective")

    fitting = {goal for goal in words(OptimizationGoal) if refused not in told(of(pair, goal))}

    assert fitting == set(FITS[pair].split())


@pytest.mark.parametrize("objective", sorted({objective for objective, _ in FITS}))
def test_an_objective_has_exactly_these_destinations(objective):
    refused = (DESTINATION, "destination_does_not_fit_objective")

    fitting = {to for to in words(DestinationType) if refused not in told(of((objective, to)))}

    assert fitting == {to for of_objective, to in FITS if of_objective == objective and to}


@pytest.mark.parametrize("pair", FITS, ids=str)
def test_what_must_be_promoted_is_missed(pair):
    missing = (PROMOTED, "promoted_object_missing")
    goals = FITS[pair].split()

    asking = [goal for goal in goals if missing in told(of(pair, goal))]

    free = UNCOUNTED if pair in WITHOUT_PIXEL else set()
    assert asking == [goal for goal in goals if pair in MUST_PROMOTE and goal not in free]


@pytest.mark.parametrize("pair", FITS, ids=str)
def test_what_is_promoted_is_asked_for_whole(pair):
    wanted = MUST_PROMOTE.get(pair, ())

    begun = told(of(pair), {PROMOTED: {"unknown_id": "1"}})

    asked = {at for at, code in begun if code == "promoted_object_incomplete"}
    assert asked == {f"{PROMOTED}/{field}" for field in wanted}


@pytest.mark.parametrize(
    ("pair", "promoted"),
    [
        (("OUTCOME_AWARENESS", None), {"place_page_set_id": "1"}),
        (("OUTCOME_ENGAGEMENT", None), {"application_id": "1", "object_store_url": "https://x.y"}),
        (("OUTCOME_LEADS", None), {"application_id": "1", "object_store_url": "https://x.y"}),
        (("OUTCOME_SALES", None), {"application_id": "1", "object_store_url": "https://x.y"}),
        (("OUTCOME_SALES", None), {"product_set_id": "1", "custom_event_type": "PURCHASE"}),
    ],
)
def test_another_thing_may_be_promoted_instead(pair, promoted):
    codes = {code for _, code in told(of(pair), {PROMOTED: promoted})}

    assert not codes & {"promoted_object_missing", "promoted_object_incomplete"}


def windows(*pairs):
    return [{"event_type": event, "window_days": days} for event, days in pairs]


CLICK, WEEK = ("CLICK_THROUGH", 1), ("CLICK_THROUGH", 7)
VIEW, WATCHED = ("VIEW_THROUGH", 1), ("ENGAGED_VIDEO_VIEW", 1)
ALL_WINDOWS = [
    (CLICK,),
    (WEEK,),
    (VIEW,),
    (WATCHED,),
    (CLICK, VIEW),
    (WEEK, VIEW),
    (CLICK, WATCHED),
    (WEEK, WATCHED),
    (VIEW, WATCHED),
    (CLICK, VIEW, WATCHED),
]


@pytest.mark.parametrize(
    ("objective", "goal", "expected"),
    [
        ("OUTCOME_SALES", "OFFSITE_CONVERSIONS", [(CLICK,), (WEEK,), (CLICK, VIEW), (WEEK, VIEW)]),
        ("OUTCOME_SALES", "VALUE", [(CLICK,), (WEEK,), (CLICK, VIEW), (WEEK, VIEW)]),
        ("OUTCOME_SALES", "LINK_CLICKS", [(CLICK,)]),
        ("OUTCOME_APP_PROMOTION", "OFFSITE_CONVERSIONS", [(CLICK,), (WEEK,)]),
        (
            "OUTCOME_APP_PROMOTION",
            "APP_INSTALLS",
            [(CLICK,), (CLICK, VIEW), (CLICK, WATCHED), (CLICK, VIEW, WATCHED)],
        ),
    ],
)
def test_a_goal_looks_back_through_exactly_these_windows(objective, goal, expected):
    at = f"{SET}/attribution_spec"

    fitting = [
        pairs
        for pairs in ALL_WINDOWS
        if (at, "attribution_does_not_fit_goal")
        not in told(of((objective, None), goal), {at: windows(*pairs)})
    ]

    assert fitting == expected


@pytest.mark.parametrize("objective", ["OUTCOME_TRAFFIC", "OUTCOME_ENGAGEMENT"])
@pytest.mark.parametrize("goal", ["LANDING_PAGE_VIEWS", "IMPRESSIONS"])
def test_an_app_is_not_promoted_for_views(objective, goal):
    app = {"application_id": "9", "object_store_url": "https://play.google.com/x"}

    refused = told(of((objective, None), goal), {PROMOTED: app})

    assert (GOAL, "goal_does_not_fit_promoted_object") in refused


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("pixel_id", "product_set_id", True),
        ("pixel_id", "application_id", False),
        ("pixel_id", "place_page_set_id", False),
        ("application_id", "product_set_id", False),
        ("application_id", "place_page_set_id", False),
        ("product_set_id", "place_page_set_id", False),
    ],
)
def test_only_products_are_promoted_beside_a_pixel(one, other, together):
    refused = (PROMOTED, "two_promoted_objects") in told({PROMOTED: {one: "1", other: "2"}})

    assert refused is not together


@pytest.mark.parametrize(
    ("field", "position", "platform"),
    [
        ("facebook_positions", "feed", "facebook"),
        ("instagram_positions", "stream", "instagram"),
        ("threads_positions", "threads_stream", "threads"),
        ("messenger_positions", "sponsored_messages", "messenger"),
        ("audience_network_positions", "classic", "audience_network"),
    ],
)
def test_positions_need_their_platform(field, position, platform):
    refused = (f"{TARGETING}/{field}", "placement_not_chosen")
    others = {"facebook", "instagram", "messenger"} - {platform}
    changes = {f"{TARGETING}/{field}": [position]}

    without = told(changes, {PLATFORMS: sorted(others)})
    beside = told(changes, {PLATFORMS: sorted({*others, platform})})

    assert refused in without
    assert refused not in beside


@pytest.mark.parametrize(
    ("field", "position"),
    [
        ("facebook_positions", "video_feeds"),
        ("instagram_positions", "explore"),
        ("instagram_positions", "explore_home"),
        ("messenger_positions", "story"),
    ],
)
def test_a_position_that_is_gone_is_refused_alone(field, position):
    at = f"{TARGETING}/{field}"

    gone = {where for where, code in told({at: ["feed", position]}) if code == "placement_gone"}

    assert gone == {f"{at}/1"}


@pytest.mark.parametrize("position", ["marketplace", "search", "profile_feed", "notification"])
def test_a_position_that_comes_with_the_feed_needs_it(position):
    at = f"{TARGETING}/facebook_positions"
    refused = (f"{at}/0", "position_needs_another")

    assert refused in told({at: [position]})
    assert refused not in told({at: [position, "feed"]})


def test_threads_by_its_positions_needs_the_stream_too():
    at = f"{TARGETING}/instagram_positions"
    changes = {f"{TARGETING}/threads_positions": ["threads_stream"], at: ["story"]}

    assert (at, "threads_needs_stream") in told(changes)


@pytest.mark.parametrize("name", ["dsa_beneficiary", "dsa_payor"])
def test_in_the_union_both_disclosures_are_asked_for(name):
    both = {"dsa_beneficiary": "Us", "dsa_payor": "Us"}
    changes = {f"{SET}/{field}": value for field, value in both.items() if field != name}

    asked = told(changes, {f"{PLACES}/countries": ["FR"]})

    assert {at for at, code in asked if code == "disclosure_missing"} == {f"{SET}/{name}"}


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("2026-12-02T00:00:00Z", "daily_budget_for_less_than_a_day"),
        ("2026-12-02T00:00:01Z", None),
        ("2026-12-01T00:00:00Z", "end_before_start"),
    ],
)
def test_a_daily_budget_needs_more_than_a_day_and_says_so_once(end, code):
    codes = {code for at, code in told({f"{SET}/end_time": end}) if at == f"{SET}/end_time"}

    assert codes == ({code} if code else set())


def words(kind):
    return get_args(getattr(kind, "__value__", kind))

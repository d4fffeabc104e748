"""Each entry of the lists that rules consult counts, and nothing beside them does."""

import pytest

from models.meta_rules import inspect
from models.meta_rules.countries import EUROPEAN_UNION, countries
from models.meta_rules.media import uses
from models.meta_rules.table import Place
from tests.models.meta_requests import (
    APP,
    CAMPAIGN,
    CAROUSEL,
    CONTEXT,
    CREATIVE,
    PLACES,
    PROMOTED,
    SET,
    TARGETING,
    VIDEO,
    request,
    told,
)

OBJECTIVE = f"{CAMPAIGN}/objective"
DESTINATION = f"{SET}/destination_type"


@pytest.mark.parametrize(
    "button",
    [
        "NO_BUTTON",
        "CALL_NOW",
        "MESSAGE_PAGE",
        "WHATSAPP_MESSAGE",
        "GET_DIRECTIONS",
        "LIKE_PAGE",
        "EVENT_RSVP",
    ],
)
def test_a_button_that_leads_nowhere_needs_no_link(button):
    changes = {CREATIVE: VIDEO, f"{CREATIVE}/call_to_action": button}

    assert (f"{CREATIVE}/link", "call_to_action_needs_link") not in told(changes)


@pytest.mark.parametrize("button", ["LEARN_MORE", "SHOP_NOW", "WATCH_MORE"])
def test_any_other_button_needs_a_link(button):
    changes = {CREATIVE: VIDEO, f"{CREATIVE}/call_to_action": button}

    assert (f"{CREATIVE}/link", "call_to_action_needs_link") in told(changes)


@pytest.mark.parametrize(
    ("objective", "destination", "needs_link"),
    [
        ("OUTCOME_TRAFFIC", None, True),
        ("OUTCOME_TRAFFIC", "WEBSITE", True),
        ("OUTCOME_SALES", None, True),
        ("OUTCOME_SALES", "WEBSITE", True),
        ("OUTCOME_LEADS", None, True),
        ("OUTCOME_LEADS", "WEBSITE", True),
        ("OUTCOME_APP_PROMOTION", None, True),
        ("OUTCOME_APP_PROMOTION", "APP", True),
        ("OUTCOME_TRAFFIC", "MESSENGER", False),
        ("OUTCOME_LEADS", "ON_AD", False),
        ("OUTCOME_APP_PROMOTION", "WEBSITE", False),
        ("OUTCOME_AWARENESS", None, False),
        ("OUTCOME_ENGAGEMENT", None, False),
    ],
)
def test_ads_that_lead_away_need_an_address(objective, destination, needs_link):
    changes = {CREATIVE: VIDEO, OBJECTIVE: objective, DESTINATION: destination}

    missing = (f"{CREATIVE}/link", "link_missing_for_objective") in told(changes)

    assert missing is needs_link


@pytest.mark.parametrize("field", ["application_id", "object_store_url"])
def test_a_campaign_under_apples_attribution_names_its_app_in_both_ways(field):
    app = {"application_id": "9", "object_store_url": "https://apps.apple.com/app/x"}
    promoted = {name: value for name, value in app.items() if name != field}
    changes = {
        f"{CAMPAIGN}/is_skadnetwork_attribution": True,
        f"{CAMPAIGN}/promoted_object": promoted,
    }

    missing = {at for at, code in told(APP, changes) if code == "app_missing_at_campaign"}

    assert missing == {f"{CAMPAIGN}/promoted_object/{field}"}


@pytest.mark.parametrize(
    ("store", "systems", "matches"),
    [
        ("https://apps.apple.com/x", ["iOS"], True),
        ("https://apps.apple.com/x", ["iOS_ver_16.0_and_above"], True),
        ("https://apps.apple.com/x", ["Android"], False),
        ("https://play.google.com/x", ["Android"], True),
        ("https://play.google.com/x", ["Android", "iOS"], False),
        ("https://play.google.com/x", [], False),
        ("https://example.com/x", ["iOS"], True),
    ],
)
def test_an_app_is_promoted_on_the_system_of_its_store(store, systems, matches):
    changes = {f"{PROMOTED}/object_store_url": store, f"{TARGETING}/user_os": systems}

    refused = (f"{TARGETING}/user_os", "app_system_does_not_match") in told(APP, changes)

    assert refused is not matches


def reached(**places):
    return countries(Place({"geo_locations": places}, frozenset()))


@pytest.mark.parametrize("kind", ["regions", "cities", "zips", "geo_markets", "custom_locations"])
def test_every_kind_of_place_reaches_its_country(kind):
    assert reached(countries=["FR"], **{kind: [{"key": "1", "country": "US"}]}) == {"FR", "US"}


@pytest.mark.parametrize(
    ("key", "expected"),
    [("US:10001", {"US"}), ("US", set()), ("USA:1", set()), ("1", set()), (None, set())],
)
def test_a_key_tells_its_country_by_its_two_letters_before_a_colon(key, expected):
    assert reached(zips=[{"key": key}]) == expected


@pytest.mark.parametrize("group", ["worldwide", "europe", "eea"])
def test_a_group_reaches_the_union_beside_what_else_is_named(group):
    found = reached(countries=["US"], country_groups=[group])

    assert found - {"SG"} == EUROPEAN_UNION | {"US"}
    assert ("SG" in found) == (group == "worldwide")
    assert len(EUROPEAN_UNION) == 27


def test_any_other_group_reaches_no_country_that_is_known_here():
    assert reached(country_groups=["oceania"]) == set()


@pytest.mark.parametrize(
    ("creative", "expected"),
    [
        ({"type": "link", "image": "a"}, [("image", "image")]),
        ({**VIDEO, "thumbnail": "b"}, [("video", "video"), ("thumbnail", "image")]),
        (CAROUSEL, [("image", "image"), ("image", "image")]),
        ({"type": "carousel", "cards": [{"video": "v"}]}, [("video", "video")]),
        ({"type": "existing_post", "image": "a"}, []),
    ],
)
def test_a_creative_shows_its_media_as_what_they_are(creative, expected):
    shown = uses(Place(creative, frozenset()))

    assert [(field, kind) for _, field, kind in shown] == expected


MINT = [{"id": "6003", "name": "Mint"}]


@pytest.mark.parametrize(("country", "least"), [("TH", 20), ("ID", 21)])
@pytest.mark.parametrize(
    ("field", "chosen"),
    [
        ("interests", MINT),
        ("flexible_spec", [{"interests": MINT}]),
        ("exclusions", {"interests": MINT}),
    ],
)
def test_who_is_chosen_by_interests_is_old_enough_for_the_country(country, least, field, chosen):
    refused = (f"{TARGETING}/age_min", "age_too_low_for_country")
    changes = {f"{TARGETING}/{field}": chosen, f"{PLACES}/countries": [country]}

    assert refused not in told(changes, {f"{TARGETING}/age_min": least})
    assert refused in told(changes, {f"{TARGETING}/age_min": least - 1})


@pytest.mark.parametrize("kind", ["regions", "cities", "custom_locations"])
def test_a_place_in_a_country_that_is_named_whole_is_named_twice(kind):
    changes = {f"{PLACES}/{kind}": [{"key": "1", "country": "US"}]}

    assert (f"{PLACES}/{kind}/0", "places_overlap") in told(changes)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("cities", 250),
        ("regions", 200),
        ("custom_locations", 200),
        ("geo_markets", 210),
        ("zips", 50_000),
    ],
)
def test_lists_of_places_end(kind, most):
    refused = (f"{PLACES}/{kind}", "too_many_places")
    place = {"key": "1"}

    assert refused not in told({f"{PLACES}/{kind}": [place] * most})
    assert refused in told({f"{PLACES}/{kind}": [place] * (most + 1)})


def test_the_youngest_is_not_older_than_the_oldest():
    refused = (f"{TARGETING}/age_max", "ages_reversed")

    assert refused in told({f"{TARGETING}/age_min": 46})
    assert refused not in told({f"{TARGETING}/age_min": 45})


@pytest.mark.parametrize(
    ("youngest", "is_refused"), [(None, False), (17, True), (18, False), (25, False), (26, True)]
)
def test_with_advantage_audience_the_lowest_age_lies_from_18_to_25(youngest, is_refused):
    changes = {f"{TARGETING}/advantage_audience": True, f"{TARGETING}/age_min": youngest}
    refused = (f"{TARGETING}/age_min", "age_min_does_not_fit_advantage")

    assert (refused in told(changes, {f"{TARGETING}/age_max": 65})) is is_refused


@pytest.mark.parametrize("youngest", [13, None])
def test_who_is_chosen_by_interests_may_be_thirteen_where_no_country_asks_for_more(youngest):
    changes = {f"{TARGETING}/interests": MINT, f"{TARGETING}/age_min": youngest}

    assert (f"{TARGETING}/age_min", "age_too_low_for_country") not in told(changes)


def test_a_place_that_is_named_twice_is_told_with_its_country():
    changes = {f"{PLACES}/cities": [{"key": "1", "country": "US"}]}

    (violation,) = inspect(request(changes), CONTEXT)

    assert violation["message"] == "US is included as a whole already."

"""Figures of delivery are honestly empty, a few targets can be found, and the rest says it is not here."""

from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.targetingsearch import TargetingSearch
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.sandbox.running import (
    AD_SET,
    CAMPAIGN,
    CREATIVE,
    READY_MADE,
    Running,
    error_of,
)

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false
# the SDK has no types

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_nothing_was_delivered_on_any_level(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    account = sandbox.sdk()
    api = account.get_api()
    asked: dict[str, Any] = {
        "fields": ["impressions", "spend", "actions"],
        "params": {"date_preset": "last_7d", "level": "ad", "time_increment": 1},
    }

    owners: list[Any] = [
        account,
        Campaign(tree["campaign"], api=api),
        AdSet(tree["ad_set"], api=api),
        Ad(tree["ad"], api=api),
    ]

    assert [list(owner.get_insights(**asked)) for owner in owners] == [[], [], [], []]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"fields": "impressions,colour"}, 100),
        ({"level": "page"}, 100),
        ({"level": ["ad"], "date_preset": {}}, 100),
        ({"date_preset": ["today"]}, 100),
        ({"time_increment": []}, 100),
        ({"date_preset": "last_fortnight"}, 100),
        ({"time_increment": 91}, 100),
        ({"time_increment": "weekly"}, 100),
        ({"breakdowns": "age,shoe_size"}, 100),
        ({"time_range": {"since": "2026-11-02", "until": "2026-11-01"}}, 100),
        ({"time_range": {"since": "yesterday"}}, 100),
        ({"time_range": [1]}, 100),
        ({"time_range": {"since": "2019-01-01", "until": "2026-11-01"}}, 3018),
    ],
)
def test_a_wrong_question_is_refused_though_there_is_nothing_to_tell(
    sandbox: Running, params: dict[str, Any], code: int
) -> None:
    answer = sandbox.graph("GET", f"{READY_MADE}/insights", params)

    assert (answer.status_code, error_of(answer)["code"]) == (400, code)


def test_an_ad_does_not_tell_of_what_lies_above_it(sandbox: Running) -> None:
    ad = sandbox.make_tree()["ad"]

    above = sandbox.graph("GET", f"{ad}/insights", {"level": "campaign"})
    own = sandbox.graph("GET", f"{ad}/insights", {"level": "ad", "time_increment": "monthly"})

    assert error_of(above)["code"] == 100
    assert own.json() == {"data": []}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"type": "adgeolocation", "q": "united"}, ["GB", "US"]),
        ({"type": "adgeolocation", "q": "new", "location_types": ["city"]}, ["910002"]),
        ({"type": "adinterest", "q": "MOVIES"}, ["920001"]),
        ({"type": "adlocale", "q": "english"}, ["930001", "930002"]),
        ({"type": "adlocale", "limit": 1}, ["930001"]),
        ({"type": "adinterest", "q": "nothing of the kind"}, []),
    ],
)
def test_targets_are_found_by_a_part_of_their_name(
    sandbox: Running, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], found: list[str]
) -> None:
    # its search does not ask the session for its address
    monkeypatch.setattr(FacebookSession, "GRAPH", f"{sandbox.base}/meta")

    rows = TargetingSearch.search(params=params, api=sandbox.sdk().get_api())

    assert [str(row.get("key") or row["id"]) for row in rows] == found


def test_a_city_says_where_it_lies(sandbox: Running) -> None:
    asked = {"type": "adgeolocation", "q": "munich"}

    row = sandbox.graph("GET", "search", asked).json()["data"][0]

    assert (row["type"], row["region"], row["country_code"]) == ("city", "Bavaria", "DE")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"type": "adinterestvalid", "interest_list": ["Movies"]}, 501),
        ({"type": "adzipcode", "q": "94"}, 501),
        ({"type": "adshoes", "q": "red"}, 400),
        ({"type": ["adlocale"]}, 400),
        ({}, 400),
        ({"type": "adinterest"}, 400),
        ({"type": "adlocale", "limit": 0}, 400),
    ],
)
def test_other_searches_are_refused(sandbox: Running, params: dict[str, Any], status: int) -> None:
    answer = sandbox.graph("GET", "search", params)

    assert answer.status_code == status
    assert error_of(answer)["code"] == (3 if status == 501 else 100)


def test_what_is_not_here_raises_in_the_sdk_and_makes_nothing(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    account = sandbox.sdk()
    api = account.get_api()
    before = len(sandbox.control("GET", "objects").json()["data"])
    params = {"ad_format": "DESKTOP_FEED_STANDARD"}

    refused = []
    for call in (
        lambda: Ad(tree["ad"], api=api).get_previews(params=params),
        lambda: AdCreative(tree["creative"], api=api).get_previews(params=params),
        lambda: account.get_generate_previews(params={**params, "creative": CREATIVE}),
        lambda: Campaign(tree["campaign"], api=api).create_copy(params={"deep_copy": True}),
        lambda: AdSet(tree["ad_set"], api=api).create_copy(),
        lambda: account.get_insights_async(params={"date_preset": "today"}),
        lambda: account.create_async_batch_request(params={"name": "x", "adbatch": []}),
    ):
        with pytest.raises(FacebookRequestError) as caught:
            call()
        refused.append(caught.value.http_status())

    assert refused == [501] * 7
    assert len(sandbox.control("GET", "objects").json()["data"]) == before


def test_trials_of_every_create_run_the_rules_and_make_nothing(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    before = len(sandbox.control("GET", "objects").json()["data"])
    ad = {"name": "Ad", "adset_id": tree["ad_set"], "creative": {"creative_id": tree["creative"]}}
    orders: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "campaigns": (CAMPAIGN, {"objective": "OUTCOME_LUCK"}),
        "adsets": ({**AD_SET, "campaign_id": tree["campaign"]}, {"daily_budget": 1}),
        "adcreatives": ({**CREATIVE, "name": "Other"}, {"object_story_spec": {}}),
        "ads": ({**ad, "status": "PAUSED"}, {"adset_id": "404"}),
    }

    for edge, (good, bad) in orders.items():
        trial = {**good, "execution_options": ["validate_only"]}
        fine = sandbox.graph("POST", f"{READY_MADE}/{edge}", trial)
        refused = sandbox.graph("POST", f"{READY_MADE}/{edge}", {**trial, **bad})

        assert fine.json() == {"success": True}, edge
        assert refused.status_code == 400, edge

    assert len(sandbox.control("GET", "objects").json()["data"]) == before

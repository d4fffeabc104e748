"""Fields, filters, pages and statuses of what is read."""

from typing import Any

import httpx
import pytest

from tests.sandbox.running import AD_SET, CAMPAIGN, CREATIVE, READY_MADE, Running, error_of

CAMPAIGNS = f"{READY_MADE}/campaigns"


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["data"]]


def make_named(sandbox: Running, *wanted: str) -> list[str]:
    return [sandbox.make("campaigns", {**CAMPAIGN, "name": name}) for name in wanted]


def test_without_fields_only_the_id_is_told(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("GET", tree["campaign"])

    assert answer.json() == {"id": tree["campaign"]}


def test_fields_follow_links_in_braces(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    ad = sandbox.graph("GET", tree["ad"], {"fields": "name,creative{name},adset{campaign{name}}"})
    campaign = sandbox.graph("GET", tree["campaign"], {"fields": "adsets.limit(1){name,ads{name}}"})

    assert ad.json() == {
        "name": "Ad",
        "creative": {"name": "Hero", "id": tree["creative"]},
        "adset": {
            "campaign": {"name": "Spring sale", "id": tree["campaign"]},
            "id": tree["ad_set"],
        },
        "id": tree["ad"],
    }
    ad_set = campaign.json()["adsets"]["data"][0]
    assert (ad_set["name"], ad_set["ads"]["data"][0]["id"]) == ("US", tree["ad"])


def test_fields_may_be_a_json_list(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("GET", tree["campaign"], {"fields": ["name", "objective"]})

    assert answer.json()["objective"] == "OUTCOME_TRAFFIC"


@pytest.mark.parametrize("fields", ["name,nonsense", "adset{nonsense}", "name{", "{", "na me("])
def test_a_field_that_no_object_has_is_an_error(sandbox: Running, fields: str) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("GET", tree["ad"], {"fields": fields})

    assert error_of(answer)["code"] == 100


def test_a_field_that_the_object_does_not_have_is_left_out(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("GET", tree["campaign"], {"fields": "stop_time,daily_budget"})

    assert answer.json() == {"id": tree["campaign"]}


def test_money_is_text_and_times_are_the_accounts(sandbox: Running) -> None:
    made = sandbox.account(timezone="America/New_York")
    token = made["access_token"]
    campaign = sandbox.graph("POST", f"{made['id']}/campaigns", CAMPAIGN, token=token).json()["id"]
    body = {**AD_SET, "campaign_id": campaign, "start_time": "2030-07-01T12:00:00+0000"}
    ad_set = sandbox.graph("POST", f"{made['id']}/adsets", body, token=token).json()["id"]

    read = sandbox.graph("GET", ad_set, {"fields": "daily_budget,start_time"}, token=token)

    assert read.json() == {
        "daily_budget": "5000",
        "start_time": "2030-07-01T08:00:00-0400",
        "id": ad_set,
    }


def test_names_stay_text_even_when_they_look_like_json(sandbox: Running) -> None:
    wanted = ["12", "true", "[m:x]", '{"a": 1}', "null", "1e3"]

    make_named(sandbox, *wanted)

    found = sandbox.graph("GET", CAMPAIGNS, {"fields": "name"})
    assert names(found) == wanted[::-1]


def test_lists_are_cut_into_pages_of_25(sandbox: Running) -> None:
    make_named(sandbox, *(f"c{i}" for i in range(27)))

    first = sandbox.graph("GET", CAMPAIGNS, {"fields": "name"})
    second = sandbox.client.get(
        first.json()["paging"]["next"], headers={"Authorization": f"Bearer {sandbox.token()}"}
    )
    back = sandbox.graph(
        "GET",
        CAMPAIGNS,
        {"fields": "name", "before": second.json()["paging"]["cursors"]["before"], "limit": 2},
    )

    assert names(first) == [f"c{i}" for i in range(26, 1, -1)]
    assert names(second) == ["c1", "c0"]
    assert "next" not in second.json()["paging"]
    assert "previous" in second.json()["paging"]
    assert names(back) == ["c3", "c2"]


def test_the_next_page_is_told_without_the_token(sandbox: Running) -> None:
    make_named(sandbox, "a", "b")
    token = sandbox.token()

    answer = sandbox.client.get(
        f"/meta/v26.0/{CAMPAIGNS}?limit=1&fields=name&access_token={token}&appsecret_proof=abc"
    )

    following = answer.json()["paging"]["next"]
    assert token not in following
    assert "appsecret_proof" not in following
    assert "fields=name" in following


def test_a_page_stays_in_place_while_more_is_made(sandbox: Running) -> None:
    make_named(sandbox, "a", "b", "c")
    first = sandbox.graph("GET", CAMPAIGNS, {"fields": "name", "limit": 2})
    make_named(sandbox, "d")

    cursor = first.json()["paging"]["cursors"]["after"]
    second = sandbox.graph("GET", CAMPAIGNS, {"fields": "name", "after": cursor})

    assert names(second) == ["a"]


def test_an_empty_list_has_no_paging(sandbox: Running) -> None:
    answer = sandbox.graph("GET", CAMPAIGNS, {"summary": "true"})

    assert answer.json() == {"data": [], "summary": {"total_count": 0}}


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": "many"}, {"after": "nowhere"}, {"filtering": "nonsense"}]
)
def test_paging_that_means_nothing_is_an_error(sandbox: Running, params: dict[str, Any]) -> None:
    answer = sandbox.graph("GET", CAMPAIGNS, params)

    assert error_of(answer)["code"] == 100


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("name", "EQUAL", "apple pie", ["apple pie"]),
        ("name", "NOT_EQUAL", "apple pie", ["Apple", "plum"]),
        ("name", "CONTAIN", "apple", ["Apple", "apple pie"]),
        ("name", "NOT_CONTAIN", "apple", ["plum"]),
        ("name", "STARTS_WITH", "pl", ["plum"]),
        ("name", "IN", ["plum", "Apple"], ["Apple", "plum"]),
        ("name", "NOT_IN", ["plum", "Apple"], ["apple pie"]),
        ("objective", "EQUAL", "OUTCOME_TRAFFIC", ["Apple", "plum", "apple pie"]),
        ("campaign.name", "EQUAL", "plum", ["plum"]),
        ("created_time", "GREATER_THAN", 0, ["Apple", "plum", "apple pie"]),
        ("created_time", "LESS_THAN", 1000, []),
        ("created_time", "IN_RANGE", [0, 9e9], ["Apple", "plum", "apple pie"]),
    ],
)
def test_lists_are_filtered(
    sandbox: Running, field: str, operator: str, value: Any, expected: list[str]
) -> None:
    make_named(sandbox, "apple pie", "plum", "Apple")
    rule = {"field": field, "operator": operator, "value": value}

    answer = sandbox.graph("GET", CAMPAIGNS, {"fields": "name", "filtering": [rule]})

    assert names(answer) == expected


def test_all_filters_must_fit(sandbox: Running) -> None:
    first, second = make_named(sandbox, "sale", "sale")
    rules = [
        {"field": "name", "operator": "EQUAL", "value": "sale"},
        {"field": "id", "operator": "IN", "value": [second]},
    ]

    answer = sandbox.graph("GET", CAMPAIGNS, {"filtering": rules})

    assert [one["id"] for one in answer.json()["data"]] == [second]
    assert first != second


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "name", "operator": "SOUNDS_LIKE", "value": "x"},
        {"field": "nonsense", "operator": "EQUAL", "value": "x"},
        {"field": "page.id", "operator": "EQUAL", "value": "x"},
        {"field": "created_time", "operator": "LESS_THAN", "value": "soon"},
        {"operator": "EQUAL"},
    ],
)
def test_a_filter_that_means_nothing_is_an_error(sandbox: Running, rule: dict[str, Any]) -> None:
    make_named(sandbox, "a")

    answer = sandbox.graph("GET", CAMPAIGNS, {"filtering": [rule]})

    assert error_of(answer)["code"] == 100


def test_what_is_deleted_or_archived_shows_to_those_who_ask(sandbox: Running) -> None:
    kept, archived, deleted = make_named(sandbox, "kept", "archived", "deleted")
    sandbox.graph("POST", archived, {"status": "ARCHIVED"})
    sandbox.graph("DELETE", deleted)
    every = ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]
    rule = {"field": "effective_status", "operator": "IN", "value": ["DELETED"]}

    by_default = sandbox.graph("GET", CAMPAIGNS, {"fields": "name"})
    by_status = sandbox.graph("GET", CAMPAIGNS, {"fields": "name", "effective_status": every})
    by_filter = sandbox.graph("GET", CAMPAIGNS, {"fields": "name", "filtering": [rule]})
    by_id = sandbox.graph("GET", deleted, {"fields": "status"})

    assert names(by_default) == ["kept"]
    assert names(by_status) == ["deleted", "archived", "kept"]
    assert names(by_filter) == ["deleted"]
    assert by_id.json() == {"status": "DELETED", "id": deleted}
    assert kept != archived


@pytest.mark.parametrize(
    ("edge", "status"),
    [
        ("campaigns", "CAMPAIGN_PAUSED"),
        ("adsets", "ADSET_PAUSED"),
        ("ads", "PAUSE"),
        ("ads", "active"),
    ],
)
def test_a_status_that_nothing_of_the_kind_has_is_an_error(
    sandbox: Running, edge: str, status: str
) -> None:
    """Else who asks with one that is written wrongly sees nothing, and believes that nothing is there."""
    asked = {"effective_status": ["ACTIVE", status]}

    answer = sandbox.graph("GET", CAMPAIGNS.replace("campaigns", edge), asked)

    assert error_of(answer)["code"] == 100
    assert "effective_status[1]" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("campaign", "ad_set", "ad", "expected"),
    [
        ("ACTIVE", "ACTIVE", "ACTIVE", ["ACTIVE", "ACTIVE", "ACTIVE"]),
        ("PAUSED", "ACTIVE", "ACTIVE", ["PAUSED", "CAMPAIGN_PAUSED", "CAMPAIGN_PAUSED"]),
        ("ACTIVE", "PAUSED", "ACTIVE", ["ACTIVE", "PAUSED", "ADSET_PAUSED"]),
        ("PAUSED", "PAUSED", "PAUSED", ["PAUSED", "PAUSED", "PAUSED"]),
        ("ARCHIVED", "ACTIVE", "PAUSED", ["ARCHIVED", "ARCHIVED", "ARCHIVED"]),
        ("DELETED", "ACTIVE", "ACTIVE", ["DELETED", "DELETED", "DELETED"]),
        ("ACTIVE", "DELETED", "ACTIVE", ["ACTIVE", "DELETED", "DELETED"]),
    ],
)
def test_the_effective_status_comes_from_above(
    sandbox: Running, campaign: str, ad_set: str, ad: str, expected: list[str]
) -> None:
    tree = sandbox.make_tree()
    for kind, status in (("ad", ad), ("ad_set", ad_set), ("campaign", campaign)):
        assert sandbox.graph("POST", tree[kind], {"status": status}).status_code == 200

    read = [
        sandbox.graph("GET", tree[kind], {"fields": "effective_status"}).json()["effective_status"]
        for kind in ("campaign", "ad_set", "ad")
    ]

    assert read == expected


def test_equal_creatives_are_one(sandbox: Running) -> None:
    first = sandbox.make("adcreatives", CREATIVE)
    second = sandbox.make("adcreatives", CREATIVE)
    effect = sandbox.calls()[-1]["effect"]
    other = sandbox.make("adcreatives", {**CREATIVE, "name": "Other"})

    assert first == second
    assert effect == "none"
    assert other != first
    assert len(sandbox.objects("creative")) == 2


def test_a_deleted_creative_is_not_given_back(sandbox: Running) -> None:
    first = sandbox.make("adcreatives", CREATIVE)
    sandbox.graph("DELETE", first)

    second = sandbox.make("adcreatives", CREATIVE)

    assert second != first

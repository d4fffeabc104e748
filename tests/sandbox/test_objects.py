"""Campaigns, ad sets, creatives and ads: made, changed, and at their end."""

from typing import Any

import pytest

from tests.sandbox.running import AD_SET, CAMPAIGN, CREATIVE, READY_MADE, Running, error_of


def test_ids_are_text(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    assert all(isinstance(one, str) and one.isdigit() for one in tree.values())


def test_names_need_not_be_unique(sandbox: Running) -> None:
    first = sandbox.make("campaigns", CAMPAIGN)
    second = sandbox.make("campaigns", CAMPAIGN)

    assert first != second


@pytest.mark.parametrize(
    ("edge", "params"),
    [
        ("adsets", {**AD_SET, "campaign_id": "123"}),
        ("ads", {"name": "Ad", "adset_id": "123", "creative": {"creative_id": "1"}}),
    ],
)
def test_nothing_hangs_below_what_is_not_there(
    sandbox: Running, edge: str, params: dict[str, Any]
) -> None:
    answer = sandbox.graph("POST", f"{READY_MADE}/{edge}", {**params, "status": "PAUSED"})

    assert error_of(answer)["code"] == 100
    assert sandbox.objects("ad_set") == sandbox.objects("ad") == []


def test_an_ad_set_hangs_below_a_campaign_only(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph(
        "POST", f"{READY_MADE}/adsets", {**AD_SET, "campaign_id": tree["ad_set"]}
    )

    assert error_of(answer)["code"] == 100


def test_a_creative_may_be_written_into_the_ad(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    body = {"name": "Second", "adset_id": tree["ad_set"], "status": "PAUSED"}

    same = sandbox.make("ads", {**body, "creative": CREATIVE})
    new = sandbox.make("ads", {**body, "creative": {**CREATIVE, "name": "Other"}})

    def creative(ad: str) -> str:
        return sandbox.graph("GET", ad, {"fields": "creative"}).json()["creative"]["id"]

    assert creative(same) == tree["creative"]
    assert creative(new) != tree["creative"]
    assert len(sandbox.objects("creative")) == 2


def test_a_change_answers_with_the_asked_fields(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    plain = sandbox.graph("POST", f"{tree['campaign']}/", {"name": "New"})
    asked = sandbox.graph("POST", tree["campaign"], {"status": "ACTIVE", "fields": "name,status"})

    assert plain.json() == {"success": True}
    assert asked.json() == {
        "success": True,
        "id": tree["campaign"],
        "name": "New",
        "status": "ACTIVE",
    }


def test_a_trial_of_a_change_changes_nothing(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph(
        "POST", tree["campaign"], {"status": "ACTIVE", "execution_options": ["validate_only"]}
    )

    assert answer.json() == {"success": True}
    assert sandbox.objects("campaign")[0]["status"] == "PAUSED"
    assert sandbox.calls()[-1]["effect"] == "none"


@pytest.mark.parametrize(
    ("kind", "subcode"), [("campaign", 1487566), ("ad_set", 1487056), ("ad", 1885088)]
)
def test_what_is_deleted_can_only_be_renamed(sandbox: Running, kind: str, subcode: int) -> None:
    tree = sandbox.make_tree()
    sandbox.graph("POST", tree[kind], {"status": "DELETED"})

    revived = sandbox.graph("POST", tree[kind], {"status": "ACTIVE"})
    renamed = sandbox.graph("POST", tree[kind], {"name": "Late"})

    assert error_of(revived)["error_subcode"] == subcode
    assert renamed.json() == {"success": True}
    assert sandbox.objects(kind)[0]["status"] == "DELETED"


def test_what_is_archived_can_be_renamed_and_deleted(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    sandbox.graph("POST", tree["campaign"], {"status": "ARCHIVED"})

    revived = sandbox.graph("POST", tree["campaign"], {"status": "ACTIVE"})
    deleted = sandbox.graph("POST", tree["campaign"], {"status": "DELETED"})

    assert error_of(revived)["code"] == 100
    assert deleted.json() == {"success": True}


def test_deleting_twice_is_no_second_effect(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answers = [sandbox.graph("DELETE", tree["ad"]).json() for _ in range(2)]

    assert answers == [{"success": True}] * 2
    assert [call["effect"] for call in sandbox.calls()[-2:]] == ["changed", "none"]


def test_a_creatives_content_cannot_be_changed(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    refused = sandbox.graph("POST", tree["creative"], {"url_tags": "a=b"})
    renamed = sandbox.graph("POST", tree["creative"], {"name": "New name"})

    assert error_of(refused)["code"] == 100
    assert renamed.json() == {"success": True}


def test_a_wish_for_a_status_that_does_not_exist_is_refused(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("POST", tree["ad"], {"status": "LOUD"})

    assert error_of(answer)["code"] == 100

"""Accounts in the states that somebody has to notice before a campaign is built on them."""

from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.user import User
from facebook_business.exceptions import FacebookRequestError

from tests.sandbox.running import AD_SET, CAMPAIGN, Running, error_of

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false
# the SDK has no types

# the SDK warns about fields that the platform documents
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FIELDS = [
    "account_status", "currency", "disable_reason", "funding_source", "funding_source_details",
    "min_daily_budget", "timezone_name", "timezone_offset_hours_utc", "user_tasks", "age", "owner",
]  # fmt: skip


def opened(sandbox: Running, **options: Any) -> AdAccount:
    made = sandbox.account(**options)
    return sandbox.sdk(made["id"], made["app_secret"])


def test_an_account_in_order_says_so(sandbox: Running) -> None:
    account = opened(sandbox, timezone="Asia/Tokyo", currency="JPY")

    read = account.api_get(fields=FIELDS)

    assert (read["account_status"], read["disable_reason"]) == (1, 0)
    assert (read["currency"], read["timezone_offset_hours_utc"]) == ("JPY", 9.0)
    assert read["funding_source_details"]["id"] == read["funding_source"]
    assert "ADVERTISE" in read["user_tasks"]


def test_a_disabled_account_is_read_and_takes_nothing(sandbox: Running) -> None:
    account = opened(sandbox, account_status=2, disable_reason=1, is_funded=False)

    read: Any = account.api_get(fields=FIELDS)
    with pytest.raises(FacebookRequestError) as refused:
        account.create_campaign(params=CAMPAIGN)

    assert (read["account_status"], read["disable_reason"]) == (2, 1)
    assert "funding_source" not in read
    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (368, 1404163)
    assert sandbox.objects("campaign") == []


def test_roles_on_account_and_page_are_told(sandbox: Running) -> None:
    account = opened(sandbox, tasks=["ANALYZE"], page_tasks=["MODERATE"])

    user = User("me", api=account.get_api())
    read = account.api_get(fields=["user_tasks"])

    assert read["user_tasks"] == ["ANALYZE"]
    assert user.get_accounts(fields=["tasks"])[0]["tasks"] == ["MODERATE"]


def test_a_token_knows_when_it_and_its_access_to_data_end(sandbox: Running) -> None:
    made = sandbox.account(token_expires_in_seconds=3600, data_access_expires_in_seconds=7200)
    asked = {"input_token": made["access_token"]}

    told = sandbox.graph("GET", "debug_token", asked, token=made["access_token"]).json()["data"]

    assert told["data_access_expires_at"] - told["expires_at"] == pytest.approx(3600, abs=2)
    assert told["app_id"]
    assert told["issued_at"] < told["expires_at"]


def test_a_token_looks_only_at_tokens_of_its_own_account(sandbox: Running) -> None:
    asked = {"input_token": sandbox.account()["access_token"]}

    told = sandbox.graph("GET", "debug_token", asked).json()["data"]
    nothing = sandbox.graph("GET", "debug_token")

    assert (told["is_valid"], told["scopes"]) == (False, [])
    assert error_of(nothing)["code"] == 100


def test_pages_are_listed_to_those_alone_who_may_see_them(sandbox: Running) -> None:
    account = opened(sandbox, missing_permissions=["pages_show_list"])

    with pytest.raises(FacebookRequestError) as refused:
        User("me", api=account.get_api()).get_accounts()

    assert refused.value.api_error_code() == 200
    assert User("me", api=account.get_api()).get_ad_accounts()[0]["id"] == account["id"]


@pytest.mark.parametrize(
    ("billing_event", "budget", "code"),
    [("IMPRESSIONS", 700, None), ("LINK_CLICKS", 3499, 1885272), ("LINK_CLICKS", 3500, None)],
)
def test_who_pays_for_clicks_must_spend_more(
    sandbox: Running, billing_event: str, budget: int, code: int | None
) -> None:
    made = sandbox.account(min_daily_budget=700)
    token = made["access_token"]
    parent = sandbox.graph("POST", f"{made['id']}/campaigns", CAMPAIGN, token=token).json()["id"]
    wanted = {**AD_SET, "campaign_id": parent, "billing_event": billing_event}

    answer = sandbox.graph(
        "POST", f"{made['id']}/adsets", {**wanted, "daily_budget": budget}, token=token
    )
    least = sandbox.graph("GET", f"{made['id']}/minimum_budgets", token=token).json()["data"][0]

    assert (error_of(answer)["error_subcode"] if code else None) == code
    assert (least["min_daily_budget_imp"], least["min_daily_budget_high_freq"]) == (700, 3500)


@pytest.mark.parametrize(
    ("ordered", "cap", "is_taken"),
    [(None, 9_999, False), (None, 10_000, True), (15_000, 14_999, False), (15_000, 15_000, True)],
)
def test_a_cap_on_spending_is_at_least_what_the_account_tells(
    sandbox: Running, ordered: int | None, cap: int, is_taken: bool
) -> None:
    made = sandbox.account(currency="JPY", min_campaign_group_spend_cap=ordered)
    token, field = made["access_token"], "min_campaign_group_spend_cap"

    told = sandbox.graph("GET", made["id"], {"fields": field}, token=token).json()
    answer = sandbox.graph(
        "POST", f"{made['id']}/campaigns", {**CAMPAIGN, "spend_cap": cap}, token=token
    )

    assert told[field] == str(ordered or 10_000)
    assert ("id" in answer.json()) is is_taken


@pytest.mark.parametrize("body", [{"account_status": 5}, {"disable_reason": -1}, {"tasks": "all"}])
def test_states_that_there_are_none_of_are_refused(sandbox: Running, body: dict[str, Any]) -> None:
    assert sandbox.control("POST", "accounts", {"platform": "META", **body}).status_code == 400

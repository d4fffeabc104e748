"""Limits by score and by the hour, told in headers and counted on the sandbox's clock."""

import time
from collections.abc import Generator
from typing import Any

import httpx
import msgspec
import pytest

from tests.sandbox.running import AD_SET, CAMPAIGN, READY_MADE, Running, error_of


@pytest.fixture
def sandbox(sandbox: Running) -> Generator[Running]:
    """Time passes when a test moves it, and at no other: scores fade while a busy machine makes calls."""
    clock = sandbox.state.clock
    stands_at = clock.now()
    clock.real = lambda: stands_at
    yield sandbox
    clock.real = time.time


def usage(answer: httpx.Response, header: str) -> dict[str, Any]:
    told = msgspec.json.decode(answer.headers[header])
    return next(iter(told.values()))[0] if header.startswith("x-business") else told


def use_up(sandbox: Running, account: dict[str, Any], points: int) -> list[httpx.Response]:
    path, token = f"{account['id']}/campaigns", account["access_token"]
    writes = [sandbox.graph("POST", path, CAMPAIGN, token=token) for _ in range(points // 3)]
    return writes + [sandbox.graph("GET", path, token=token) for _ in range(points % 3)]


def test_a_development_account_is_stopped_after_sixty_points(sandbox: Running) -> None:
    account = sandbox.account(tier="development")

    answers = use_up(sandbox, account, 60)
    stopped = sandbox.graph("GET", account["id"], token=account["access_token"])

    assert {answer.status_code for answer in answers} == {200}
    assert error_of(stopped)["code"] == 17
    assert error_of(stopped)["error_subcode"] == 2446079
    told = usage(stopped, "x-ad-account-usage")
    assert told["acc_id_util_pct"] == 100
    assert told["reset_time_duration"] == 300
    assert told["ads_api_access_tier"] == "development_access"
    assert usage(stopped, "x-business-use-case-usage")["estimated_time_to_regain_access"] == 5


def test_a_stopped_account_goes_on_after_five_minutes(sandbox: Running) -> None:
    account = sandbox.account(tier="development")
    use_up(sandbox, account, 63)
    path, token = account["id"], account["access_token"]

    sandbox.advance(298)
    early = sandbox.graph("GET", path, token=token)
    sandbox.advance(3)
    late = sandbox.graph("GET", path, token=token)

    assert error_of(early)["code"] == 17
    assert late.status_code == 200


def test_the_score_fades(sandbox: Running) -> None:
    account = sandbox.account(tier="development")
    before = use_up(sandbox, account, 30)[-1]

    sandbox.advance(150)
    after = sandbox.graph("GET", account["id"], token=account["access_token"])

    assert usage(before, "x-ad-account-usage")["acc_id_util_pct"] == 50
    assert usage(after, "x-ad-account-usage")["acc_id_util_pct"] == 1.67


def test_an_account_of_the_full_tier_has_room(sandbox: Running) -> None:
    answers = [sandbox.graph("GET", READY_MADE) for _ in range(70)]

    assert {answer.status_code for answer in answers} == {200}
    told = usage(answers[-1], "x-ad-account-usage")
    assert told["acc_id_util_pct"] < 1
    assert told["ads_api_access_tier"] == "standard_access"


def test_the_calls_of_an_hour_are_limited(sandbox: Running) -> None:
    account = sandbox.account(tier="development")
    token = account["access_token"]
    for _ in range(6):
        for _ in range(50):
            sandbox.graph("GET", account["id"], token=token)
        sandbox.advance(300)

    stopped = sandbox.graph("GET", account["id"], token=token)
    sandbox.advance(3600 - 6 * 300)
    later = sandbox.graph("GET", account["id"], token=token)

    assert (error_of(stopped)["code"], error_of(stopped)["error_subcode"]) == (80004, 2446079)
    told = usage(stopped, "x-business-use-case-usage")
    assert told["call_count"] == 100
    assert told["estimated_time_to_regain_access"] == 30
    assert later.status_code == 200


def test_a_refused_call_counts_too(sandbox: Running) -> None:
    account = sandbox.account(tier="development")

    answers = [
        sandbox.graph("POST", "12345", {"name": "x"}, token=account["access_token"])
        for _ in range(21)
    ]

    assert [error_of(answer)["code"] for answer in answers] == [100] * 20 + [17]


def test_one_accounts_use_is_not_another_ones(sandbox: Running) -> None:
    account = sandbox.account(tier="development")
    use_up(sandbox, account, 63)

    assert sandbox.graph("GET", READY_MADE).status_code == 200


def test_an_account_without_limits_is_for_load_tests(sandbox: Running) -> None:
    account = sandbox.account(tier="unlimited")

    answer = use_up(sandbox, account, 90)[-1]

    assert usage(answer, "x-ad-account-usage")["acc_id_util_pct"] == 0


def test_a_budget_may_change_four_times_an_hour(sandbox: Running) -> None:
    campaign = sandbox.make("campaigns", CAMPAIGN)
    ad_set = sandbox.make("adsets", {**AD_SET, "campaign_id": campaign})

    answers = [
        sandbox.graph("POST", ad_set, {"daily_budget": 5000 + change}) for change in range(6)
    ]
    sandbox.advance(3601)
    later = sandbox.graph("POST", ad_set, {"daily_budget": 9000})

    assert [answer.status_code for answer in answers] == [200] * 5 + [400]
    assert error_of(answers[-1])["error_subcode"] == 1487632
    assert later.status_code == 200

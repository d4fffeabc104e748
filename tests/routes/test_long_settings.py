"""Settings of accounts are short: lists show many of them, and processes remember thousands."""

import pytest

from models.account import LONGEST_CONFIGURATION
from tests.routes.conftest import account_body, add_account

LONG = {"note": "x" * LONGEST_CONFIGURATION}
LONGEST = {"note": "x" * (LONGEST_CONFIGURATION - len('{"note":""}'))}


def told(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize("settings", [LONG, {"a": LONG}, ["x" * LONGEST_CONFIGURATION]])
async def test_a_new_account_with_long_settings_is_refused(caller, settings):
    answer = await caller.post("/api/v1/ad_accounts", json=account_body(additional_config=settings))

    assert ("/additional_config", "too_long") in told(answer)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_long_settings_are_refused_in_a_change(caller, method):
    account = await add_account(caller)

    answer = await caller.request(
        method,
        f"/api/v1/ad_accounts/{account['id']}",
        json={"additional_config": LONG},
        headers={"If-Match": "*"},
    )

    assert told(answer) == [("/additional_config", "too_long")]


async def test_settings_do_not_grow_beyond_the_limit_by_patches(caller):
    account = await add_account(caller, additional_config=LONGEST)

    answer = await caller.patch(
        f"/api/v1/ad_accounts/{account['id']}",
        json={"additional_config": {"more": 1}},
        headers={"If-Match": "*"},
    )

    assert told(answer) == [("/additional_config", "too_long")]


async def test_settings_that_are_no_text_are_refused_as_that(caller):
    body = b'{"additional_config": {"a": "\\ud800"}, "platform_type": "META"}'

    answer = await caller.post(
        "/api/v1/ad_accounts", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code in (400, 422)

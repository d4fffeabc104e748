"""Settings of an account: those that are read can be read, and no secret stands among them."""

import pytest

from tests.routes.conftest import TOKEN, account_body, add_account

URL = "/api/v1/ad_accounts"
UNREADABLE = [
    ({"currency": "usd"}, "/currency", "wrong_format"),
    ({"currency": 978}, "/currency", "wrong_type"),
    ({"min_daily_budget": "100"}, "/min_daily_budget", "wrong_type"),
    ({"min_daily_budget": -1}, "/min_daily_budget", "too_small"),
]
SECRETS = [
    ({"access_token": TOKEN}, "/access_token", "secret_in_settings"),
    ({"App_Secret": "x"}, "/App_Secret", "secret_in_settings"),
    ({"login": [{"refresh_token": {"a": 1}}]}, "/login/0/refresh_token", "secret_in_settings"),
]


def told(answer) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    assert TOKEN not in answer.text
    return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]


@pytest.mark.parametrize(("settings", "pointer", "code"), [*UNREADABLE, *SECRETS])
async def test_what_cannot_be_read_or_shown_is_refused(caller, settings, pointer, code):
    account = await add_account(caller, additional_config={"note": "kept"})
    address = f"{URL}/{account['id']}"

    body = account_body(platform_account_id="act_2", additional_config=settings)
    answers = [
        await caller.post(URL, json=body),
        await caller.put(address, json={"additional_config": settings}),
        await caller.patch(
            address, json={"additional_config": settings}, headers={"If-Match": "*"}
        ),
    ]

    assert [told(answer) for answer in answers] == [[(f"/additional_config{pointer}", code)]] * 3
    shown = (await caller.get(URL)).json()["data"]
    assert [one["additional_config"] for one in shown] == [{"note": "kept"}]


async def test_everything_else_is_kept_as_it_is(caller):
    settings = {"currency": "EUR", "min_daily_budget": 0, "token_owner": "Ann", "tags": ["a", None]}

    account = await add_account(caller, additional_config=settings)

    assert account["additional_config"] == settings


async def test_null_removes_a_setting_whatever_its_name(api, caller):
    account = await add_account(caller, additional_config={"currency": "EUR"})
    await api.pool.execute(
        """update ad_accounts set additional_config = '{"currency": "EUR", "password": "old"}'"""
    )

    answer = await caller.patch(
        f"{URL}/{account['id']}",
        json={"additional_config": {"currency": None, "password": None}},
        headers={"If-Match": "*"},
    )

    assert (answer.status_code, answer.json()["additional_config"]) == (200, {})

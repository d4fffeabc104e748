"""Lists of accounts: every one once, filtered, and wrong parameters refused by name."""

from uuid import uuid4

import pytest

from tests.routes.conftest import add_account

URL = "/api/v1/ad_accounts"


async def test_pages_hold_every_account_once_newest_first(caller):
    made = [
        (await add_account(caller, platform_account_id=f"act_{number}"))["id"]
        for number in range(5)
    ]

    seen, cursor, sizes = [], None, []
    while True:
        parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await caller.get(URL, params=parameters)).json()
        sizes.append(len(page["data"]))
        seen += [account["id"] for account in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == list(reversed(made))
    assert sizes == [2, 2, 1]


async def test_lists_filter_by_status_and_platform(caller):
    active = await add_account(caller)
    idle = await add_account(caller, platform_account_id="act_2")
    await caller.put(f"{URL}/{idle['id']}", json={"status": "INACTIVE"})

    found = (await caller.get(URL, params={"status": "ACTIVE", "platform_type": "META"})).json()
    none = (await caller.get(URL, params={"platform_type": "GOOGLE_ADS"})).json()

    assert [account["id"] for account in found["data"]] == [active["id"]]
    assert none["data"] == []


async def test_lists_filter_by_owner(caller):
    owner, other = str(uuid4()), str(uuid4())
    first = await add_account(caller, owner_user_id=owner)
    await add_account(caller, platform_account_id="act_2", owner_user_id=other)
    second = await add_account(caller, platform_account_id="act_3", owner_user_id=owner)
    await add_account(caller, platform_account_id="act_4")

    page = (await caller.get(URL, params={"owner_user_id": owner, "limit": "1"})).json()
    rest = await caller.get(
        URL, params={"owner_user_id": owner.upper(), "cursor": page["next_cursor"]}
    )
    none = (await caller.get(URL, params={"owner_user_id": str(uuid4())})).json()

    assert [account["id"] for account in page["data"]] == [second["id"]]
    assert [account["id"] for account in rest.json()["data"]] == [first["id"]]
    assert none["data"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_parameter"),
        ("limit=201", "invalid_parameter"),
        ("limit=many", "invalid_parameter"),
        ("limit=1e2", "invalid_parameter"),
        ("limit=100.0", "invalid_parameter"),
        ("status=null", "invalid_parameter"),
        ("status=active", "invalid_parameter"),
        ("owner_user_id=me", "invalid_parameter"),
        ("color=red", "unknown_parameter"),
        ("limit=1&limit=2", "repeated_parameter"),
        ("cursor=%21", "invalid_cursor"),
        ("cursor=abc", "invalid_cursor"),
        ("cursor=%C3%A9", "invalid_cursor"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(caller, query, code):
    answer = await caller.get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{URL}?limit=201", "Expected at most 200."),
        (f"{URL}?limit=0", "Expected at least 1."),
        (f"{URL}?owner_user_id=me", "Expected an id (UUID)."),
        ("/api/v1/ads/meta?validate_only=yes", "Expected true or false."),
    ],
)
async def test_what_a_parameter_may_be_is_told_in_plain_words(caller, url, told):
    answer = await caller.request("GET" if url.startswith(URL) else "POST", url, json={})

    assert answer.json()["errors"][0]["message"] == told

"""The platform is asked what an account's credentials are worth, and what it tells is kept and used."""

import asyncio

import pytest

from tests.routes.conftest import TOKEN, account_body, add_account
from tests.routes.meta_requests import meta_request
from tests.sandbox.running import Running

URL = "/api/v1/ad_accounts"


@pytest.fixture
def meta_address(sandbox: Running) -> str:
    return f"{sandbox.base}/meta"


async def held(caller, sandbox, *, page=True, **options):
    """An account of ours, and what the sandbox tells of its own."""
    theirs = await asyncio.to_thread(sandbox.account, **options)
    credentials = {"access_token": theirs["access_token"], "app_secret": theirs["app_secret"]}
    if page:
        credentials["page_id"] = theirs["page_id"]
    known = {name: value for name, value in credentials.items() if value is not None}
    ours = await add_account(caller, platform_account_id=theirs["id"], credentials=known)
    return ours, theirs


async def verified(caller, account, status=200):
    answer = await caller.post(f"{URL}/{account['id']}/verify")
    assert answer.status_code == status, answer.text
    return answer.json()


def codes(told):
    return [(found["code"], found["severity"]) for found in told["findings"]]


async def test_an_account_in_order_has_no_findings_and_tells_its_facts(caller, sandbox):
    ours, theirs = await held(
        caller, sandbox, currency="EUR", timezone="Europe/Berlin", min_daily_budget=250
    )

    told = await verified(caller, ours)
    shown = (await caller.get(f"{URL}/{ours['id']}")).json()

    assert (told["ok"], told["status"], told["findings"]) == (True, "ACTIVE", [])
    assert (told["token"]["works"], told["token"]["expires"]) == (True, "never")
    assert "ads_management" in told["token"]["permissions"]
    assert told["account"]["status"] == "ACTIVE"
    assert told["pages"][0]["id"] == theirs["page_id"]
    assert told["pages"][0]["may_advertise"] is True
    budgets = {"impressions": 250, "frequent_actions": 1250, "video_views": 250}
    least = {"rare_actions": 10_000, "campaign_spend_cap": 10_000}
    assert shown["minimum_budgets"] == {**budgets, **least}
    assert (shown["currency"], shown["timezone_name"]) == ("EUR", "Europe/Berlin")
    assert shown["verified_at"] == told["verified_at"]
    assert shown["token_expires_at"] is None


@pytest.mark.parametrize(
    ("options", "code", "severity", "ok"),
    [
        ({"missing_permissions": ["ads_management"]}, "permission_missing", "error", False),
        ({"missing_permissions": ["pages_manage_ads"]}, "permission_missing", "error", False),
        ({"missing_permissions": ["ads_read"]}, "ad_account_not_permitted", "error", False),
        ({"missing_permissions": ["pages_show_list"]}, "pages_unknown", "warning", True),
        ({"token_expires_in_seconds": 3600}, "token_expires_soon", "warning", True),
        ({"data_access_expires_in_seconds": 3600}, "data_access_expires_soon", "warning", True),
        ({"data_access_expires_in_seconds": -1}, "data_access_expired", "warning", True),
        ({"account_status": 2, "disable_reason": 1}, "ad_account_disabled", "error", False),
        ({"account_status": 3}, "ad_account_unsettled", "error", False),
        ({"account_status": 9}, "ad_account_in_grace_period", "warning", True),
        ({"account_status": 101}, "ad_account_closed", "error", False),
        ({"is_funded": False}, "payment_method_missing", "warning", True),
        ({"tasks": ["ANALYZE"]}, "ad_account_role_missing", "error", False),
        ({"page_tasks": ["ANALYZE"]}, "page_role_missing", "error", False),
    ],
)
async def test_what_stands_in_the_way_is_found(caller, sandbox, options, code, severity, ok):
    ours, _ = await held(caller, sandbox, **options)

    told = await verified(caller, ours)

    assert (code, severity) in codes(told)
    assert told["ok"] is ok
    assert told["status"] == "ACTIVE"
    assert all(found["message"] and found["remedy"] for found in told["findings"])
    order = [severity for _, severity in codes(told)]
    assert order == sorted(order, key=["error", "warning", "info"].index)


async def test_a_page_that_the_token_does_not_open_is_found(caller, sandbox):
    theirs = await asyncio.to_thread(sandbox.account)
    credentials = {"access_token": theirs["access_token"], "page_id": "55"}
    ours = await add_account(caller, platform_account_id=theirs["id"], credentials=credentials)

    told = await verified(caller, ours)

    assert codes(told) == [("page_not_accessible", "error")]


async def test_a_token_without_any_page_is_warned_of(caller, sandbox):
    ours, _ = await held(caller, sandbox, page=False, pages=0)

    told = await verified(caller, ours)

    assert (told["ok"], codes(told)) == (True, [("page_missing", "warning")])


async def test_all_pages_of_a_long_list_are_seen(caller, sandbox):
    ours, theirs = await held(caller, sandbox, pages=50)

    told = await verified(caller, ours)

    assert [page["id"] for page in told["pages"]] == theirs["page_ids"]


async def test_another_account_than_the_tokens_is_not_shown(caller, sandbox):
    ours, _ = await held(caller, sandbox)
    _, other = await held(caller, sandbox)
    wrong = {"credentials": {"access_token": other["access_token"]}}
    await caller.put(f"{URL}/{ours['id']}", json=wrong)

    told = await verified(caller, ours)

    assert codes(told) == [("ad_account_not_permitted", "error")]
    assert told["account"] is None


async def test_an_account_that_the_platform_does_not_know_is_found(caller, sandbox):
    credentials = {"access_token": await asyncio.to_thread(sandbox.token)}
    ours = await add_account(caller, platform_account_id="act_404", credentials=credentials)

    told = await verified(caller, ours)

    assert codes(told) == [("ad_account_not_found", "error")]


async def test_a_secret_of_another_app_is_found(caller, sandbox):
    theirs = await asyncio.to_thread(sandbox.account, app_secret=True)
    credentials = {"access_token": theirs["access_token"], "app_secret": "0" * 32}
    ours = await add_account(caller, platform_account_id=theirs["id"], credentials=credentials)

    told = await verified(caller, ours)

    assert codes(told) == [("proof_rejected", "error")]
    assert (told["ok"], told["status"]) == (False, "ACTIVE")


async def test_a_right_secret_proves_itself(caller, sandbox):
    ours, _ = await held(caller, sandbox, app_secret=True)

    assert (await verified(caller, ours))["ok"] is True


@pytest.mark.parametrize(
    ("options", "code"),
    [({"token_expires_in_seconds": -1}, "token_expired"), (None, "token_rejected")],
)
async def test_a_dead_token_makes_the_account_wait_for_another(caller, sandbox, options, code):
    ours = (await held(caller, sandbox, **options))[0] if options else await add_account(caller)

    told = await verified(caller, ours)
    shown = (await caller.get(f"{URL}/{ours['id']}")).json()

    assert codes(told) == [(code, "error")]
    assert "the jobs that wait then go on" in told["findings"][0]["remedy"]
    assert (told["ok"], told["token"]["works"], told["account"]) == (False, False, None)
    assert told["status"] == shown["status"] == "REQUIRES_REAUTH"
    assert TOKEN not in str(told)


async def test_what_was_learnt_before_the_token_died_stays_known(caller, sandbox):
    ours, theirs = await held(caller, sandbox, currency="EUR")
    await verified(caller, ours)
    await asyncio.to_thread(
        sandbox.control, "POST", f"accounts/{theirs['id']}/token", {"revoke_old": True}
    )

    told = await verified(caller, ours)
    shown = (await caller.get(f"{URL}/{ours['id']}")).json()

    assert told["status"] == "REQUIRES_REAUTH"
    assert (shown["currency"], shown["minimum_budgets"]["impressions"]) == ("EUR", 100)


async def test_an_inactive_account_stays_inactive(caller, sandbox):
    ours, theirs = await held(caller, sandbox)
    await caller.put(f"{URL}/{ours['id']}", json={"status": "INACTIVE"})

    well = await verified(caller, ours)
    await asyncio.to_thread(
        sandbox.control, "POST", f"accounts/{theirs['id']}/token", {"revoke_old": True}
    )
    dead = await verified(caller, ours)

    assert (well["ok"], well["status"]) == (True, "INACTIVE")
    assert (dead["ok"], dead["status"]) == (False, "INACTIVE")


async def test_another_teams_account_and_no_account_are_not_found(api, caller, sandbox):
    ours, _ = await held(caller, sandbox)
    stranger = await api.caller(team="Strangers")

    answers = [
        await stranger.post(f"{URL}/{ours['id']}/verify"),
        await caller.post(f"{URL}/nonsense/verify"),
    ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [
        (404, "ad_account_not_found")
    ] * 2
    opened = "select count(*) from audit_log where action = 'ad_account.credentials_opened'"
    assert await api.pool.fetchval(opened) == 0


async def test_it_needs_the_right_to_change_accounts_and_for_live_ones_a_live_key(api, caller):
    live = await api.caller(live=True)
    ours = (await live.post(URL, json=account_body(mode="live"))).json()
    reader = await api.caller(scopes=["accounts:read"])

    by_reader = await reader.post(f"{URL}/{ours['id']}/verify")
    by_test_key = await caller.post(f"{URL}/{ours['id']}/verify")
    with_parameter = await live.post(f"{URL}/{ours['id']}/verify?deep=1")

    assert (by_reader.status_code, by_test_key.status_code) == (403, 403)
    assert by_test_key.json()["code"] == "test_key_live_account"
    assert with_parameter.status_code == 400


async def test_credentials_are_opened_and_looked_at_by_somebody_known(api, caller, sandbox):
    ours, theirs = await held(caller, sandbox)

    await caller.post(f"{URL}/{ours['id']}/verify", headers={"X-Request-Id": "a-look"})

    rows = await api.pool.fetch(
        "select * from audit_log where action like 'ad_account.%' order by id"
    )
    assert [row["action"] for row in rows] == [
        "ad_account.created",
        "ad_account.credentials_opened",
        "ad_account.verified",
    ]
    assert {row["request_id"] for row in rows[1:]} == {"a-look"}
    assert rows[2]["before_hash"] != rows[2]["after_hash"]
    assert theirs["access_token"] not in str([dict(row) for row in rows])


async def test_a_cap_on_spending_is_checked_against_what_was_learnt(caller, sandbox):
    ours, theirs = await held(caller, sandbox, currency="JPY", min_campaign_group_spend_cap=15_000)
    body = meta_request(platform_account_id=theirs["id"])
    body["campaign"]["spend_cap"] = 14_999
    before = await caller.post("/api/v1/ads/meta", json=body)
    await verified(caller, ours)

    after = await caller.post("/api/v1/ads/meta", json=body)
    body["campaign"]["spend_cap"] = 15_000
    enough = await caller.post("/api/v1/ads/meta", json=body)

    found = [(e["pointer"], e["code"]) for e in after.json()["errors"]]
    assert [answer.status_code for answer in (before, after, enough)] == [202, 422, 202]
    assert found == [("/campaign/spend_cap", "spend_cap_too_small")]


async def test_requests_are_checked_against_what_was_learnt(api, caller, sandbox):
    ours, theirs = await held(caller, sandbox, currency="JPY", min_daily_budget=6000)
    body = meta_request(platform_account_id=theirs["id"])
    before = await caller.post("/api/v1/ads/meta", json=body)
    await verified(caller, ours)

    built = await caller.post("/api/v1/ads/meta", json=body)
    planned = await caller.post("/api/v1/ads/meta?validate_only=true", json=body)
    body["ad_sets"][0]["daily_budget"] = 6000
    enough = await caller.post("/api/v1/ads/meta", json=body)

    assert before.status_code == 202
    assert enough.status_code == 202
    for answer in (built, planned):
        found = answer.json()["errors"]
        assert answer.status_code == 422
        assert [(e["pointer"], e["code"]) for e in found] == [
            ("/ad_sets/0/daily_budget", "budget_too_small")
        ]
        assert "6000 whole JPY" in found[0]["message"]
    assert await api.pool.fetchval("select count(*) from campaign_jobs") == 2

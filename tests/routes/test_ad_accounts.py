"""Accounts are added, shown, listed, changed and removed, and their credentials never come back."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from common.uuid7 import uuid7
from models.credentials import MetaCredentials
from models.gen import ad_accounts, campaign_jobs
from tests.routes.conftest import TOKEN, account_body, add_account

URL = "/api/v1/ad_accounts"


async def add_job(pool, account, **changes):
    job = {
        "id": uuid7(),
        "kind": "BUILD_CAMPAIGN",
        "ad_account_id": account["id"],
        "account_updated_at": await pool.fetchval(
            "select updated_at from ad_accounts where id = $1", account["id"]
        ),
        "team_id": await pool.fetchval(
            "select team_id from ad_accounts where id = $1", account["id"]
        ),
        "platform_type": "META",
        "mode": "sandbox",
        "payload": "{}",
        "steps_total": 1,
        "lane": 2,
    }
    made = await campaign_jobs.create_campaign_job(pool, **{**job, **changes})
    assert made is not None
    return made


async def test_an_account_is_added_active_and_without_its_credentials(caller):
    answer = await caller.post(URL, json=account_body(additional_config={"currency": "USD"}))

    shown = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{URL}/{shown['id']}"
    assert answer.headers["etag"]
    assert shown["status"] == "ACTIVE"
    assert shown["mode"] == "sandbox"
    assert shown["livemode"] is False
    assert shown["max_running"] == 4
    assert shown["has_credentials"] is True
    assert shown["additional_config"] == {"currency": "USD"}
    assert "credentials" not in shown
    assert TOKEN not in answer.text


async def test_what_is_stored_opens_only_with_the_key(api, caller):
    account = await add_account(caller)

    row = await api.pool.fetchrow("select * from ad_accounts")

    assert TOKEN.encode() not in row["credentials"]
    plain = api.keyring.open(row["credentials"], "ad_accounts", row["id"], "credentials")
    opened = msgspec.json.decode(plain, type=MetaCredentials)
    assert opened.access_token == TOKEN
    assert opened.page_id == "1000000002"
    assert account["id"] == str(row["id"])


async def test_equal_credentials_have_equal_fingerprints_whatever_the_order_of_fields(caller):
    turned = {"page_id": "1000000002", "access_token": TOKEN}

    first = await add_account(caller)
    second = await add_account(caller, platform_account_id="act_2", credentials=turned)
    third = await add_account(
        caller, platform_account_id="act_3", credentials={"access_token": TOKEN + "x"}
    )

    assert first["credentials_fingerprint"] == second["credentials_fingerprint"]
    assert first["credentials_fingerprint"] != third["credentials_fingerprint"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": 7}, "/name"),
        ({"surprise": 1}, "/surprise"),
        ({"platform_type": "MYSPACE"}, "/platform_type"),
        ({"platform_account_id": "1000000001"}, "/platform_account_id"),
        ({"platform_account_id": "act_12x"}, "/platform_account_id"),
        ({"platform_account_id": "act_1\n"}, "/platform_account_id"),
        ({"mode": "test"}, "/mode"),
        ({"max_running": 0}, "/max_running"),
        ({"max_running": "4"}, "/max_running"),
        ({"max_running": 4.0}, "/max_running"),
        ({"owner_user_id": "me"}, "/owner_user_id"),
        ({"credentials": None}, "/credentials"),
        ({"credentials": {}}, "/credentials/access_token"),
        ({"credentials": {"access_token": ""}}, "/credentials/access_token"),
        ({"credentials": {"access_token": TOKEN, "type": "META"}}, "/credentials/type"),
        ({"credentials": {"access_token": TOKEN, "page_id": "x"}}, "/credentials/page_id"),
        ({"additional_config": {"note": ["a\x00"]}}, "/additional_config/note/0"),
    ],
)
async def test_each_unacceptable_field_is_named_and_nothing_is_stored(
    api, caller, changes, pointer
):
    answer = await caller.post(URL, json=account_body(**changes))

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert TOKEN not in answer.text
    assert await api.pool.fetchval("select count(*) from ad_accounts") == 0


async def test_an_account_id_that_does_not_do_is_told_one_that_would(caller):
    answer = await caller.post(URL, json=account_body(platform_account_id="1"))
    example = answer.json()["errors"][0]["message"].rstrip(".").split()[-1]
    again = await caller.post(URL, json=account_body(platform_account_id=example))

    assert (example, again.status_code) == ("act_1234567890", 201)


async def test_all_violations_are_told_at_once(caller):
    body = account_body(name="", platform_account_id="1", credentials={"page_id": 1}, surprise=1)

    answer = await caller.post(URL, json=body)

    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/name",
        "/surprise",
        "/platform_account_id",
        "/credentials/page_id",
        "/credentials/access_token",
    }


@pytest.mark.parametrize("platform", ["GOOGLE_ADS", "TIKTOK_ADS"])
async def test_platforms_that_are_not_there_yet_are_refused_with_their_own_code(caller, platform):
    answer = await caller.post(URL, json=account_body(platform_type=platform))

    assert answer.status_code == 422
    assert answer.json()["code"] == "platform_not_available"


async def test_a_team_holds_an_account_once_and_another_team_may_hold_it_too(api, caller):
    await add_account(caller)

    again = await caller.post(URL, json=account_body(name="Twin"))
    other = await (await api.caller(team="Other")).post(URL, json=account_body())

    assert again.status_code == 409
    assert again.json()["code"] == "ad_account_exists"
    assert other.status_code == 201


async def test_two_that_add_the_same_account_at_once_make_one(caller):
    answers = await asyncio.gather(*(caller.post(URL, json=account_body()) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_an_account_of_another_team_does_not_exist(api, caller):
    account = await add_account(caller)
    stranger = await api.caller(team="Other")

    answers = [
        await stranger.get(f"{URL}/{account['id']}"),
        await stranger.put(f"{URL}/{account['id']}", json={"name": "Mine"}),
        await stranger.delete(f"{URL}/{account['id']}"),
        await stranger.get(f"{URL}/{uuid4()}"),
        await stranger.get(f"{URL}/nonsense"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"ad_account_not_found"}
    assert (await stranger.get(URL)).json() == {"data": [], "next_cursor": None, "livemode": False}


async def test_a_change_leaves_what_it_does_not_name(api, caller):
    before = await add_account(caller, additional_config={"currency": "USD"})

    answer = await caller.put(f"{URL}/{before['id']}", json={"name": "New", "max_running": 9})

    after = answer.json()
    assert answer.status_code == 200
    assert (after["name"], after["max_running"]) == ("New", 9)
    assert after["updated_at"] > before["updated_at"]
    for field in (
        "credentials_fingerprint",
        "credentials_updated_at",
        "additional_config",
        "status",
    ):
        assert after[field] == before[field]
    assert await api.pool.fetchval("select credentials_version from ad_accounts") == 1


async def test_a_read_account_can_be_sent_back_with_a_change(caller):
    account = await add_account(caller)
    repeated = {
        field: account[field]
        for field in ("name", "platform_type", "platform_account_id", "mode", "additional_config")
    }

    answer = await caller.put(f"{URL}/{account['id']}", json={**repeated, "name": "New"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "change", [{"platform_account_id": "act_9"}, {"mode": "live"}, {"platform_type": "GOOGLE_ADS"}]
)
async def test_platform_id_and_mode_never_change(caller, change):
    account = await add_account(caller)

    answer = await caller.put(f"{URL}/{account['id']}", json=change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "unchangeable"


@pytest.mark.parametrize("status", ["SUSPENDED", "REQUIRES_REAUTH", "DELETED", None])
async def test_callers_set_accounts_active_or_inactive_only(caller, status):
    account = await add_account(caller)

    answer = await caller.put(f"{URL}/{account['id']}", json={"status": status})

    assert answer.status_code == 422


async def test_new_credentials_bring_an_account_back_and_wake_what_waited_for_them(api, caller):
    account = await add_account(caller)
    job = await add_job(api.pool, account)
    await ad_accounts.require_reauthorisation(api.pool, id=account["id"], credentials_version=1)
    await api.pool.execute(
        "update campaign_jobs set waiting_reason = 'reauth_required', waiting_since = now(), "
        "due_at = now() + interval '7 days'"
    )

    answer = await caller.put(
        f"{URL}/{account['id']}", json={"credentials": {"access_token": TOKEN + "new"}}
    )

    woken = await api.pool.fetchrow("select due_at <= now() as due, * from campaign_jobs")
    assert answer.json()["status"] == "ACTIVE"
    assert answer.json()["credentials_fingerprint"] != account["credentials_fingerprint"]
    assert await api.pool.fetchval("select credentials_version from ad_accounts") == 2
    assert woken["id"] == job.id
    assert woken["due"] is True
    assert woken["waiting_reason"] is None


async def test_replaced_credentials_wake_the_workers(api, caller, listener):
    account = await add_account(caller)
    heard = asyncio.Event()
    await listener.add_listener("campaign_jobs", lambda *_: heard.set())

    await caller.put(f"{URL}/{account['id']}", json={"credentials": {"access_token": TOKEN}})

    await asyncio.wait_for(heard.wait(), 30)


async def test_a_dead_token_is_not_brought_back_by_a_word(api, caller):
    account = await add_account(caller)
    await ad_accounts.require_reauthorisation(api.pool, id=account["id"], credentials_version=1)

    answer = await caller.put(f"{URL}/{account['id']}", json={"status": "ACTIVE"})

    assert answer.status_code == 409
    assert answer.json()["code"] == "ad_account_requires_reauth"


@pytest.mark.parametrize("form", ["*", "{tag}", 'W/{tag}, "x"'])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_version_that_if_none_match_names_is_not_changed(caller, method, form):
    url = f"{URL}/{(await add_account(caller))['id']}"
    tag = (await caller.get(url)).headers["etag"]
    headers = {"If-Match": "*", "If-None-Match": form.format(tag=tag)}
    body = None if method == "DELETE" else {"name": "New"}

    refused = await caller.request(method, url, json=body, headers=headers)
    other = await caller.request(
        method, url, json=body, headers={**headers, "If-None-Match": '"x"'}
    )

    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert refused.headers["etag"] == tag
    assert other.status_code in (200, 204)


async def test_only_the_version_that_was_read_is_changed(caller):
    account = await add_account(caller)
    url = f"{URL}/{account['id']}"
    tag = (await caller.get(url)).headers["etag"]

    first = await caller.put(url, json={"name": "A"}, headers={"If-Match": tag})
    second = await caller.put(url, json={"name": "B"}, headers={"If-Match": tag})
    gone = await caller.delete(url, headers={"If-Match": '"x", "y"'})
    any_version = await caller.put(url, json={"name": "C"}, headers={"If-Match": "*"})
    listed = await caller.delete(url, headers={"If-Match": f'"x", {any_version.headers["etag"]}'})

    assert first.status_code == 200
    assert first.headers["etag"] != tag
    assert second.status_code == 412
    assert second.headers["etag"] == first.headers["etag"]
    assert gone.status_code == 412
    assert any_version.status_code == 200
    assert listed.status_code == 204


async def test_a_removed_account_is_gone_for_callers_and_kept_for_its_jobs(api, caller):
    account = await add_account(caller)

    answer = await caller.delete(f"{URL}/{account['id']}")

    assert answer.status_code == 204
    assert answer.content == b""
    assert (await caller.get(f"{URL}/{account['id']}")).status_code == 404
    assert (await caller.delete(f"{URL}/{account['id']}")).status_code == 404
    assert (await caller.get(URL)).json()["data"] == []
    assert await api.pool.fetchval("select deleted_at is not null from ad_accounts") is True
    assert (await caller.post(URL, json=account_body())).status_code == 201


async def test_an_account_with_open_jobs_is_not_removed(api, caller):
    account = await add_account(caller)
    job = await add_job(api.pool, account)

    refused = await caller.delete(f"{URL}/{account['id']}")
    await api.pool.execute("update campaign_jobs set status = 'CANCELLED' where id = $1", job.id)
    removed = await caller.delete(f"{URL}/{account['id']}")

    assert refused.status_code == 409
    assert refused.json()["code"] == "ad_account_has_open_jobs"
    assert removed.status_code == 204


async def test_a_test_key_cannot_touch_a_live_account(api, caller):
    live = await api.caller(live=True)
    account = await add_account(live, mode="live", platform_account_id="act_7")
    url = f"{URL}/{account['id']}"

    answers = [
        await caller.post(URL, json=account_body(mode="live")),
        await caller.get(url),
        await caller.put(url, json={"name": "X"}),
        await caller.delete(url),
        await caller.get(URL, params={"mode": "live"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["code"] for answer in answers} == {"test_key_live_account"}
    assert (await caller.get(URL)).json()["data"] == []
    assert (await live.get(url)).json()["livemode"] is True


async def test_a_live_key_works_with_sandbox_accounts_too(api, caller):
    account = await add_account(caller)
    live = await api.caller(live=True)

    answer = await live.get(f"{URL}/{account['id']}")

    assert answer.status_code == 200


async def test_every_change_is_written_down_without_secrets(api, caller):
    account = await add_account(caller)
    url = f"{URL}/{account['id']}"
    await caller.put(url, json={"credentials": {"access_token": TOKEN + "2"}})
    await caller.delete(url, headers={"X-Request-Id": "the-last"})

    rows = await api.pool.fetch(
        "select * from audit_log where object_type = 'ad_account' order by id"
    )

    assert [row["action"] for row in rows] == [
        "ad_account.created",
        "ad_account.updated",
        "ad_account.deleted",
    ]
    assert {str(row["object_id"]) for row in rows} == {account["id"]}
    assert all(row["actor"].startswith("api_key:") for row in rows)
    assert [row["before_hash"] is None for row in rows] == [True, False, False]
    assert rows[0]["after_hash"] == rows[1]["before_hash"] != rows[1]["after_hash"]
    assert rows[2]["request_id"] == "the-last"
    assert TOKEN not in str([dict(row) for row in rows])


async def test_a_refused_change_leaves_no_trace(api, caller):
    account = await add_account(caller)

    await caller.put(f"{URL}/{account['id']}", json={"max_running": -1})

    assert (
        await api.pool.fetchval("select count(*) from audit_log where object_type = 'ad_account'")
        == 1
    )

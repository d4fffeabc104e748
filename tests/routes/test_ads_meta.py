"""A request is checked wholly, becomes one job, and says so before anybody works on it."""

import asyncio
import hashlib
from uuid import uuid4

import msgspec
import pytest

from common.uuid7 import uuid7
from models.gen import media_assets
from tests.routes.conftest import add_account, count_jobs
from tests.routes.meta_requests import STEPS, meta_request

URL = "/api/v1/ads/meta"


async def add_asset(pool, team: str = "Team", kind: str = "image", **changes):
    asset_id = uuid7()
    given = {"content_type": "image/png", "size_bytes": 1, **changes}
    await media_assets.create_media_asset(
        pool,
        id=asset_id,
        team_id=await pool.fetchval("select id from teams where name = $1", team),
        kind=kind,
        sha256=hashlib.sha256(b"1").digest(),
        origin="upload",
        storage_key="1",
        **given,
    )
    return str(asset_id)


async def test_a_request_becomes_a_pending_job(api, caller):
    account = await add_account(caller)

    answer = await caller.post(URL, json=meta_request())

    view = answer.json()
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/campaign_jobs/{view['campaign_job_id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert view["id"] == view["campaign_job_id"]
    assert view["status"] == "PENDING"
    assert view["ad_account_id"] == account["id"]
    assert view["livemode"] is False
    assert view["progress"] == {"done": 0, "total": 5}
    assert [step["name"] for step in view["steps"]] == STEPS
    assert view["platform_ids"] == {
        "campaign": None,
        "ad_sets": [{"id": None, "ads": [{"id": None, "creative": None}]}],
        "media": {"hero": None},
    }
    assert (await caller.get(answer.headers["location"])).json() == view


async def test_the_job_keeps_the_body_as_it_was_sent(api, caller):
    await add_account(caller)
    body = meta_request(activate=False, priority="high")

    answer = await caller.post(URL, json=body, headers={"X-Request-Id": "r-1"})

    (row,) = await api.pool.fetch(
        "select * from campaign_jobs join campaign_requests on campaign_job_id = id"
    )
    assert msgspec.json.decode(row["payload"]) == body
    assert str(row["id"]) == answer.json()["id"]
    assert row["request_id"] == "r-1"
    assert row["lane"] == 1
    assert row["mode"] == "sandbox"
    assert row["steps_total"] == 5
    assert row["requested_by"] == await api.pool.fetchval("select id from api_keys")


async def test_the_account_may_be_named_by_our_id_or_by_the_platforms(caller):
    account = await add_account(caller)

    ours = await caller.post(
        URL, json=meta_request(platform_account_id=None, ad_account_id=account["id"])
    )
    theirs = await caller.post(URL, json=meta_request())

    assert ours.json()["ad_account_id"] == theirs.json()["ad_account_id"] == account["id"]


async def test_workers_are_woken_after_the_job_is_there(api, caller, listener):
    await add_account(caller)
    heard = asyncio.Event()
    await listener.add_listener("campaign_jobs", lambda *_: heard.set())

    await caller.post(URL, json=meta_request())

    await asyncio.wait_for(heard.wait(), 30)
    assert await count_jobs(api) == 1


@pytest.mark.parametrize(
    "named", [{}, {"ad_account_id": str(uuid4()), "platform_account_id": "act_1000000001"}]
)
async def test_exactly_one_of_the_two_names_is_asked_for(api, caller, named):
    await add_account(caller)
    body = meta_request(platform_account_id=None)

    answer = await caller.post(URL, json={**body, **named})

    assert answer.status_code == 422
    assert "ad_account_id" in answer.text
    assert await count_jobs(api) == 0


@pytest.mark.parametrize(
    "named",
    [
        {"platform_account_id": "act_404"},
        {"platform_account_id": None, "ad_account_id": str(uuid4())},
    ],
)
async def test_an_unknown_account_is_a_404(api, caller, named):
    await add_account(caller)

    answer = await caller.post(URL, json=meta_request(**named))

    assert answer.status_code == 404
    assert answer.json()["code"] == "ad_account_not_found"
    assert await count_jobs(api) == 0


async def test_a_malformed_account_id_is_a_422(caller):
    answer = await caller.post(
        URL, json=meta_request(platform_account_id=None, ad_account_id="act_1000000001")
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/ad_account_id"


async def test_the_account_of_another_team_is_a_404(api, caller):
    account = await add_account(caller)
    stranger = await api.caller(team="Other")

    answers = [
        await stranger.post(URL, json=meta_request()),
        await stranger.post(
            URL, json=meta_request(platform_account_id=None, ad_account_id=account["id"])
        ),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_removed_account_is_a_404(caller):
    account = await add_account(caller)
    await caller.delete(f"/api/v1/ad_accounts/{account['id']}")

    answer = await caller.post(URL, json=meta_request())

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("INACTIVE", "ad_account_not_active"),
        ("SUSPENDED", "ad_account_not_active"),
        ("REQUIRES_REAUTH", "ad_account_requires_reauth"),
    ],
)
async def test_an_account_that_cannot_work_is_a_409(api, caller, status, code):
    await add_account(caller)
    await api.pool.execute("update ad_accounts set status = $1", status)

    answer = await caller.post(URL, json=meta_request())

    assert answer.status_code == 409
    assert answer.json()["code"] == code
    assert await count_jobs(api) == 0


async def test_a_test_key_never_spends_money(api, caller):
    live = await api.caller(live=True)
    await add_account(live, mode="live")

    refused = await caller.post(URL, json=meta_request())
    accepted = await live.post(URL, json=meta_request())

    assert refused.status_code == 403
    assert refused.json()["code"] == "test_key_live_account"
    assert accepted.status_code == 202
    assert accepted.json()["livemode"] is True


async def test_an_account_of_another_platform_is_a_422(api, caller):
    account = await add_account(caller)
    await api.pool.execute("update ad_accounts set platform_type = 'GOOGLE_ADS'")

    answer = await caller.post(
        URL, json=meta_request(platform_account_id=None, ad_account_id=account["id"])
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/ad_account_id"


async def test_everything_wrong_is_told_at_once(api, caller):
    await add_account(caller)
    body = meta_request(surprise=True, priority="asap")
    body["campaign"]["objective"] = "OUTCOME_FAME"
    body["ad_sets"][0]["targeting"]["age_min"] = 12
    body["ad_sets"][0]["daily_budget"] = "5000"

    answer = await caller.post(URL, json=body)

    assert answer.status_code == 422
    assert {
        "/surprise",
        "/priority",
        "/campaign/objective",
        "/ad_sets/0/targeting/age_min",
        "/ad_sets/0/daily_budget",
    } <= {error["pointer"] for error in answer.json()["errors"]}
    assert all(error["code"] and error["message"] for error in answer.json()["errors"])
    assert await count_jobs(api) == 0


async def test_a_rule_of_the_platform_is_checked_before_anything_is_written(api, caller):
    await add_account(caller)
    body = meta_request()
    body["ad_sets"][0]["lifetime_budget"] = 100_000

    answer = await caller.post(URL, json=body)

    assert answer.status_code == 422
    assert await count_jobs(api) == 0


async def test_text_that_the_database_cannot_hold_is_a_422(caller):
    await add_account(caller)
    body = meta_request()
    body["campaign"]["name"] = "a\x00b"

    answer = await caller.post(URL, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/campaign/name"


async def test_text_that_only_looks_like_it_is_taken(caller):
    await add_account(caller)
    body = meta_request()
    body["campaign"]["name"] = r"a\u0000b"

    answer = await caller.post(URL, json=body)

    assert answer.status_code == 202


async def test_a_named_asset_must_be_there(api, caller):
    await add_account(caller)
    missing = str(uuid4())

    answer = await caller.post(URL, json=meta_request(media={"hero": {"asset_id": missing}}))

    assert answer.status_code == 422
    assert answer.json()["code"] == "asset_not_found"
    assert answer.json()["errors"][0]["pointer"] == "/media/hero/asset_id"


async def test_a_named_asset_must_be_of_the_team(api, caller):
    await add_account(caller)
    await api.caller(team="Other")
    theirs = await add_asset(api.pool, team="Other")

    answer = await caller.post(URL, json=meta_request(media={"hero": {"asset_id": theirs}}))

    assert answer.json()["code"] == "asset_not_found"


async def test_a_named_asset_must_be_what_it_is_used_as(api, caller):
    await add_account(caller)
    image = await add_asset(api.pool)
    video = await add_asset(api.pool, kind="video")

    taken = await caller.post(URL, json=meta_request(media={"hero": {"asset_id": image}}))
    refused = await caller.post(URL, json=meta_request(media={"hero": {"asset_id": video}}))

    assert taken.status_code == 202
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "/media/hero/asset_id",
            "code": "wrong_asset_kind",
            "message": "The asset is a video; an image is needed here.",
        }
    ]


@pytest.mark.parametrize(
    ("asset", "is_taken"),
    [
        ({"content_type": "image/jpeg"}, True),
        ({"content_type": "image/gif", "size_bytes": 30 * 1024**2}, True),
        ({"content_type": "image/webp"}, False),
        ({"content_type": "image/png", "size_bytes": 30 * 1024**2 + 1}, False),
    ],
    ids=["jpeg", "30 MB", "webp", "larger"],
)
async def test_a_named_asset_must_be_a_file_that_meta_takes(api, caller, asset, is_taken):
    await add_account(caller)
    body = meta_request(media={"hero": {"asset_id": await add_asset(api.pool, **asset)}})

    built = await caller.post(URL, json=body)
    planned = await caller.post(URL, params={"validate_only": "true"}, json=body)

    told = [error for one in (built, planned) for error in one.json().get("errors", [])]
    place = ("/media/hero/asset_id", "asset_not_taken")
    assert [one.status_code for one in (built, planned)] == ([202, 200] if is_taken else [422, 422])
    assert [(e["pointer"], e["code"]) for e in told] == ([] if is_taken else [place, place])


async def test_validate_only_shows_the_steps_and_writes_nothing(api, caller):
    account = await add_account(caller)

    answer = await caller.post(
        URL,
        params={"validate_only": "true"},
        json=meta_request(activate=True),
        headers={"Idempotency-Key": "k"},
    )

    view = answer.json()
    assert answer.status_code == 200
    assert view["valid"] is True
    assert view["ad_account_id"] == account["id"]
    assert [step["name"] for step in view["steps"]] == [*STEPS, "activate"]
    assert "location" not in answer.headers
    assert await count_jobs(api) == 0
    assert (
        await caller.post(URL, json=meta_request(), headers={"Idempotency-Key": "k"})
    ).status_code == 202


async def test_validate_only_refuses_what_would_be_refused(caller):
    await add_account(caller)

    body = await caller.post(f"{URL}?validate_only=true", json={})
    account = await caller.post(
        f"{URL}?validate_only=true", json=meta_request(platform_account_id="act_404")
    )

    assert body.status_code == 422
    assert account.status_code == 404


@pytest.mark.parametrize("query", ["validate_only=yes", "validate_only=", "dry_run=true"])
async def test_wrong_parameters_are_refused_and_nothing_is_made(api, caller, query):
    await add_account(caller)

    answer = await caller.post(f"{URL}?{query}", json=meta_request())

    assert answer.status_code == 400
    assert await count_jobs(api) == 0

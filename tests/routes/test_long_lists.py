"""Filters that leave few of many: each page looks at so many rows at most, and all together find all."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from common.uuid7 import key_at
from routes.paging import MOST_LOOKED_AT
from tests.routes.conftest import Api, add_account
from tests.routes.test_assets import send as send_asset
from tests.routes.test_campaign_jobs import end

JOBS = "/api/v1/campaign_jobs"
ENDPOINTS = "/api/v1/webhook_endpoints"
ASSETS = "/api/v1/assets"
ACCOUNTS = "/api/v1/ad_accounts"
OWNER = "0192f4e1-2e33-7abc-8abc-0123456789ab"
REQUESTS = """
insert into campaign_requests (campaign_job_id, team_id, payload)
select one.id, r.team_id, r.payload from campaign_requests as r, unnest($2::uuid[]) as one (id)
where r.campaign_job_id = $1"""
COPIES = """
insert into campaign_jobs (id, kind, ad_account_id, team_id, platform_type, mode, steps_total, lane,
    status, created_at)
select one.id, j.kind, j.ad_account_id, j.team_id, j.platform_type, j.mode, j.steps_total, j.lane,
    'CANCELLED', $3
from campaign_jobs as j, unnest($2::uuid[]) as one (id) where j.id = $1"""
DELIVERIES = """
insert into webhook_deliveries (id, webhook_endpoint_id, type, job_id, happened_at, status, body)
select new_key(), $1, 'job.finished', new_key(), now(), 'DELIVERED', repeat('x', $3)
from generate_series(1, $2)"""

COPIES_OF_ASSETS = """
insert into media_assets (id, team_id, kind, content_type, size_bytes, sha256, origin, storage_key)
select new_key(), a.team_id, a.kind, a.content_type, a.size_bytes, a.sha256, a.origin, a.storage_key
from media_assets as a, generate_series(1, $1)"""


async def add_old(api: Api, job: dict, count: int, made_at: datetime) -> list[UUID]:
    """Jobs that have ended, made one millisecond after the other."""
    # added up as whole numbers: two fractions of seconds may be of one millisecond
    first = key_at(made_at.timestamp()).int + 1
    ids = [UUID(int=first + (nth << 80)) for nth in range(count)]
    await api.pool.execute(REQUESTS, UUID(job["id"]), ids)
    await api.pool.execute(COPIES, UUID(job["id"]), ids, made_at)
    return ids


async def pages(caller: httpx.AsyncClient, url: str, **filters: str) -> list[list[str]]:
    """The ids on each page, through all of them."""
    answer = await caller.get(url, params=filters)
    found = []
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.append([row["id"] for row in page["data"]])
        assert ("next" in answer.links) == (page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            return found
        answer = await caller.get(answer.links["next"]["url"])


async def test_a_page_reads_no_whole_history_for_a_filter_that_leaves_few(api, caller, job):
    await end(api, job, "FAILED")
    first = await add_old(api, job, MOST_LOOKED_AT + 7, datetime.now(UTC) - timedelta(days=2))
    await api.pool.execute("update campaign_jobs set status = 'PENDING' where id = $1", first[3])

    failed = await pages(caller, JOBS, status="FAILED")
    pending = await pages(caller, JOBS, status="PENDING")
    of_nobody = await pages(caller, JOBS, ad_account_id=str(first[0]))

    assert failed == [[job["id"]], []]
    assert pending == [[], [str(first[3])]]
    assert of_nobody == [[], []]


async def test_pages_of_filtered_lists_show_every_job_once(api, caller, job, monkeypatch):
    monkeypatch.setattr("routes.job_lists.MOST_LOOKED_AT", 5)
    ids = await add_old(api, job, 23, datetime.now(UTC) - timedelta(days=2))
    wanted = [*ids[:2], ids[9], ids[10], *ids[16:]]
    await api.pool.execute("update campaign_jobs set mode = 'live'")
    await api.pool.execute("update campaign_jobs set mode = 'sandbox' where id = any ($1)", wanted)

    found = await pages(caller, JOBS, limit="3")

    assert [one for page in found for one in page] == [str(one) for one in reversed(wanted)]
    assert [] in found
    assert max(map(len, found)) == 3


async def test_moments_lead_to_the_place_at_once(api, caller, job):
    before = datetime(2026, 1, 1, tzinfo=UTC)
    old = await add_old(api, job, 3, before)
    new = await add_old(api, job, MOST_LOOKED_AT + 7, before + timedelta(days=9))
    middle = (before + timedelta(days=5)).isoformat()

    early = await pages(caller, JOBS, created_before=middle)
    late = await caller.get(JOBS, params={"created_after": middle, "limit": "2"})
    none = await pages(caller, JOBS, created_after="2100-01-01T00:00:00Z")

    assert early == [[str(one) for one in reversed(old)]]
    assert [row["id"] for row in late.json()["data"]] == [job["id"], str(new[-1])]
    assert none == [[]]


async def test_lists_without_filters_need_one_question(api, job, monkeypatch):
    monkeypatch.setattr("routes.job_lists.MOST_LOOKED_AT", 1)
    live = await api.caller(live=True)
    ids = await add_old(api, job, 4, datetime.now(UTC) - timedelta(days=2))

    found = await pages(live, JOBS, limit="3")

    assert [len(page) for page in found] == [3, 2]
    assert found[1][-1] == str(ids[0])


async def test_deliveries_in_a_rare_status_are_found_page_by_page(api, caller, monkeypatch):
    monkeypatch.setattr("routes.webhook_deliveries.MOST_LOOKED_AT", 5)
    url, endpoint = await add_endpoint(caller)
    await api.pool.execute(DELIVERIES, endpoint, 12, 2)
    failed = await api.pool.fetchval(
        "update webhook_deliveries set status = 'FAILED' "
        "where id = (select id from webhook_deliveries order by id limit 1) returning id"
    )

    found = await pages(caller, url, status="FAILED")
    whole = await pages(caller, url)

    assert found == [[], [], [str(failed)]]
    assert [len(page) for page in whole] == [12]


async def test_pages_of_large_messages_are_shorter(api, caller):
    url, endpoint = await add_endpoint(caller)
    await api.pool.execute(DELIVERIES, endpoint, 5, 1_200_000)

    found = await pages(caller, url)
    one = await caller.get(f"{url}/{found[0][0]}")

    assert [len(page) for page in found] == [2, 2, 1]
    assert len({row for page in found for row in page}) == 5
    assert one.json()["payload"] == "x" * 1_200_000


async def test_assets_of_a_rare_kind_are_found_page_by_page(api, caller, monkeypatch):
    monkeypatch.setattr("routes.assets.MOST_LOOKED_AT", 5)
    await send_asset(caller)
    await api.pool.execute(COPIES_OF_ASSETS, 11)
    video = await api.pool.fetchval(
        "update media_assets set kind = 'video', sha256 = $1 "
        "where id = (select id from media_assets order by id limit 1) returning id",
        b"\x07" * 32,
    )

    by_kind = await pages(caller, ASSETS, kind="video")
    by_hash = await pages(caller, ASSETS, sha256="07" * 32, limit="2")
    of_nobody = await pages(caller, ASSETS, sha256="08" * 32)
    images = await pages(caller, ASSETS, kind="image", limit="3")
    whole = await pages(caller, ASSETS)

    assert by_kind == by_hash == [[], [], [str(video)]]
    assert of_nobody == [[], [], []]
    assert sum(map(len, images)) == len({one for page in images for one in page}) == 11
    assert [len(page) for page in whole] == [12]


async def test_accounts_that_few_filters_leave_are_found_page_by_page(api, caller, monkeypatch):
    monkeypatch.setattr("routes.account_lists.MOST_LOOKED_AT", 5)
    first = await add_account(caller, owner_user_id=OWNER)
    for number in range(11):
        await add_account(caller, platform_account_id=f"act_{number}")
    live = await api.caller(live=True)
    await api.pool.execute("update ad_accounts set mode = 'live' where id <> $1", UUID(first["id"]))

    by_owner = await pages(live, ACCOUNTS, owner_user_id=OWNER)
    of_sandbox = await pages(caller, ACCOUNTS)
    active = await pages(live, ACCOUNTS, status="ACTIVE", limit="3")
    whole = await pages(live, ACCOUNTS)

    assert by_owner == of_sandbox == [[], [], [first["id"]]]
    assert sum(map(len, active)) == len({one for page in active for one in page}) == 12
    assert [len(page) for page in whole] == [12]


async def add_endpoint(caller: httpx.AsyncClient) -> tuple[str, UUID]:
    body = {"url": "http://127.0.0.1:9/hook", "events": ["job.*"]}
    made = (await caller.post(ENDPOINTS, json=body)).json()
    return f"{ENDPOINTS}/{made['id']}/deliveries", UUID(made["id"])

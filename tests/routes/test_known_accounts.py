"""Requests are judged by what is remembered of an account, and never accepted by what is not so any more."""

import asyncio

import msgspec
import pytest

from common.uuid7 import uuid7
from models.gen.rows import AdAccount
from routes.known_accounts import MOST_REMEMBERED, KnownAccounts
from tests.routes.conftest import add_account, count_jobs
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ("status = 'SUSPENDED'", 409, "ad_account_not_active"),
        ("deleted_at = now()", 404, "ad_account_not_found"),
        ("mode = 'live'", 403, "test_key_live_account"),
    ],
)
async def test_a_change_is_seen_by_the_next_request(api, caller, change, status, code):
    await add_account(caller)
    assert (await caller.post(URL, json=meta_request())).status_code == 202
    await api.pool.execute(f"update ad_accounts set {change}, updated_at = now()")  # noqa: S608 - of this file

    answer = await caller.post(URL, json=meta_request())

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await count_jobs(api) == 1


async def test_a_harmless_change_costs_nobody_a_request(api, caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())
    await api.pool.execute("update ad_accounts set name = 'renamed', updated_at = now()")

    answers = [await caller.post(URL, json=meta_request()) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert await count_jobs(api) == 3


async def test_a_job_and_the_end_of_its_account_exclude_each_other(api, caller):
    for _ in range(8):
        account = await add_account(caller)
        await caller.post(URL, json=meta_request())
        await api.pool.execute("delete from campaign_jobs")

        accepted, deleted = await asyncio.gather(
            caller.post(URL, json=meta_request()),
            caller.delete(f"/api/v1/ad_accounts/{account['id']}"),
        )

        outcome = (accepted.status_code, deleted.status_code)
        assert outcome in {(202, 409), (404, 204)}
        assert await count_jobs(api) == (1 if outcome[0] == 202 else 0)
        await api.pool.execute("delete from campaign_jobs")
        await api.pool.execute("update ad_accounts set deleted_at = now(), updated_at = now()")


@pytest.mark.usefixtures("patient")
async def test_a_job_waits_for_a_deletion_that_is_on_its_way_and_is_not_made(api, caller):
    account = await add_account(caller)
    await caller.post(URL, json=meta_request())
    async with api.pool.acquire() as connection:
        deletion = connection.transaction()
        await deletion.start()
        await connection.execute(
            "select * from ad_accounts where id = $1 for update", account["id"]
        )
        await connection.execute("update ad_accounts set deleted_at = now(), updated_at = now()")
        request = asyncio.create_task(caller.post(URL, json=meta_request()))
        while not await connection.fetchval(
            "select exists (select 1 from pg_locks where not granted)"
        ):
            assert not request.done()

        await deletion.commit()
        answer = await request

    assert (answer.status_code, answer.json()["code"]) == (404, "ad_account_not_found")
    assert await count_jobs(api) == 1


async def test_not_more_is_remembered_than_there_is_room_for(api, caller):
    await add_account(caller)
    columns = await api.pool.fetchrow("select * from ad_accounts")
    account = AdAccount(*columns)
    accounts = KnownAccounts()
    ids = [uuid7() for _ in range(MOST_REMEMBERED)]

    for account_id in ids:
        accounts.remember(msgspec.structs.replace(account, id=account_id))

    assert accounts.find(account.team_id, ids[-1], "META", None) is not None
    assert accounts.find(account.team_id, ids[0], "META", None) is None

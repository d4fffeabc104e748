"""Requests that come together are written together, and none of them suffers for another."""

import asyncio

import pytest

from tests.routes.conftest import account_body, add_account
from tests.routes.meta_requests import meta_request

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/ads/meta"


async def transactions_of_jobs(api):
    """How many transactions wrote the jobs that are there."""
    return await api.pool.fetchval("select count(distinct xmin::text) from campaign_jobs")


async def test_requests_that_come_together_share_a_transaction(api, caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())

    answers = await asyncio.gather(*(caller.post(URL, json=meta_request()) for _ in range(20)))

    ids = {answer.json()["campaign_job_id"] for answer in answers}
    assert {answer.status_code for answer in answers} == {202}
    assert len(ids) == 20
    assert await api.pool.fetchval("select count(*) from campaign_jobs") == 21
    assert await transactions_of_jobs(api) < 15


async def test_the_answer_to_a_request_is_the_job_as_it_is_read(caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())

    made = await caller.post(URL, json=meta_request())
    read = await caller.get(made.headers["location"])

    assert made.status_code == 202
    assert {**read.json(), "campaign_job_id": made.json()["id"]} == made.json()


async def test_one_key_counts_once_among_requests_that_come_together(api, caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())
    headers = {"Idempotency-Key": "once"}

    answers = await asyncio.gather(
        *(caller.post(URL, json=meta_request(), headers=headers) for _ in range(8))
    )

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["campaign_job_id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 7
    assert await api.pool.fetchval("select count(*) from campaign_jobs") == 2


async def test_an_account_that_somebody_holds_delays_no_request_of_another(api, caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())
    other = account_body(platform_account_id="act_2")
    other_id = (await caller.post("/api/v1/ad_accounts", json=other)).json()["id"]
    free = {**meta_request(), "ad_account_id": other_id}
    free.pop("platform_account_id", None)
    await caller.post(URL, json=free)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "select 1 from ad_accounts where platform_account_id <> 'act_2' for update"
        )
        held = asyncio.create_task(caller.post(URL, json=meta_request()))

        answers = await asyncio.gather(*(caller.post(URL, json=free) for _ in range(5)))

        assert {answer.status_code for answer in answers} == {202}
        assert not held.done()
    assert (await held).status_code == 202


async def test_a_request_that_the_database_refuses_fails_alone(api, caller):
    await add_account(caller)
    await caller.post(URL, json=meta_request())
    too_large = meta_request()
    too_large["ad_sets"][0]["ads"][0]["tracking_specs"] = [{"conversion_id": "NUMBER"}]
    bad = str(too_large).replace("'", '"').replace("True", "true").replace("False", "false")
    bad = bad.replace('"NUMBER"', f"0.{'0' * 20_000}1")
    headers = {"Content-Type": "application/json"}

    refused, *answers = await asyncio.gather(
        caller.post(URL, content=bad, headers=headers),
        *(caller.post(URL, json=meta_request()) for _ in range(6)),
    )

    assert refused.status_code == 422, refused.text
    assert {answer.status_code for answer in answers} == {202}


async def test_a_server_that_only_reads_is_left_for_one_that_writes(api, caller, admin):
    """As after a failover: the address still leads to the old server for a moment."""
    await add_account(caller)
    await caller.post(URL, json=meta_request())
    await caller.post(
        URL, json=meta_request()
    )  # of an account that is known: over their connection
    name = await api.pool.fetchval("select current_database()")
    await admin.execute(f"alter database {name} set default_transaction_read_only = on")
    await admin.execute(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity where application_name = $1",
        "mojito requests",
    )
    await caller.post(URL, json=meta_request())
    refused = await caller.post(URL, json=meta_request())
    await admin.execute(f"alter database {name} reset default_transaction_read_only")

    answer = await caller.post(URL, json=meta_request())

    assert refused.status_code == 503
    assert refused.json()["code"] == "database_unavailable"
    assert answer.status_code == 202

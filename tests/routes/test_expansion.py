"""A job shows its account where that is asked for, in one query however many jobs there are."""

from uuid import UUID

import pytest

from tests.routes.conftest import add_account, add_job
from tests.routes.meta_requests import meta_request

JOBS = "/api/v1/campaign_jobs"
ACCOUNTS = "/api/v1/ad_accounts"


async def test_a_job_shows_its_account_when_asked(caller):
    account = await add_account(caller)
    job = await add_job(caller)

    plain = (await caller.get(f"{JOBS}/{job['id']}")).json()
    shown = (await caller.get(f"{JOBS}/{job['id']}", params={"expand": "ad_account"})).json()

    assert "ad_account" not in plain
    assert shown == {**plain, "ad_account": account}


@pytest.mark.parametrize("expand", ["steps", "steps,ad_account", "ad_account,steps,steps"])
async def test_words_may_be_combined_and_steps_are_always_there(caller, expand):
    await add_account(caller)
    job = await add_job(caller)

    one = (await caller.get(f"{JOBS}/{job['id']}", params={"expand": expand})).json()
    (listed,) = (await caller.get(JOBS, params={"expand": expand})).json()["data"]

    assert one["steps"] == job["steps"]
    assert listed == one
    assert ("ad_account" in one) == ("ad_account" in expand)


async def test_words_may_be_repeated_parameters_too(caller):
    await add_account(caller)
    await add_job(caller)

    answer = await caller.get(f"{JOBS}?expand=steps&expand=ad_account")

    assert answer.json()["data"][0]["ad_account"]["platform_account_id"] == "act_1000000001"


async def test_each_listed_job_shows_its_own_account(caller):
    for number in (1, 2):
        await add_account(caller, platform_account_id=f"act_{number}")
        await add_job(caller, platform_account_id=f"act_{number}")

    page = (await caller.get(JOBS, params={"expand": "ad_account"})).json()

    assert [job["ad_account"]["platform_account_id"] for job in page["data"]] == ["act_2", "act_1"]
    assert all(job["ad_account"]["id"] == job["ad_account_id"] for job in page["data"])


async def test_a_removed_account_is_null(api, caller):
    account = await add_account(caller)
    job = await add_job(caller)
    await api.pool.execute(
        "update campaign_jobs set status = 'CANCELLED' where id = $1", UUID(job["id"])
    )
    assert (await caller.delete(f"{ACCOUNTS}/{account['id']}")).status_code == 204

    shown = (await caller.get(f"{JOBS}/{job['id']}", params={"expand": "ad_account"})).json()

    assert shown["ad_account"] is None


@pytest.mark.parametrize(
    "expand", ["assets", "ad_account,team", "", "steps,", "STEPS", "steps, ad_account"]
)
async def test_an_unknown_word_is_refused_with_those_that_are_allowed(caller, expand):
    await add_account(caller)
    job = await add_job(caller)

    answers = [
        await caller.get(JOBS, params={"expand": expand}),
        await caller.get(f"{JOBS}/{job['id']}", params={"expand": expand}),
    ]

    for answer in answers:
        assert answer.status_code == 400
        assert answer.json()["code"] == "unknown_value"
        (error,) = answer.json()["errors"]
        assert error["parameter"] == "expand"
        assert "steps, ad_account" in error["message"]


async def test_accounts_are_shown_only_to_keys_that_may_read_them(api, caller):
    await add_account(caller)
    job = await add_job(caller)
    reader = await api.caller(scopes=["jobs:read"])

    refused = [
        await reader.get(JOBS, params={"expand": "ad_account"}),
        await reader.get(f"{JOBS}/{job['id']}", params={"expand": "ad_account"}),
    ]
    allowed = await reader.get(JOBS, params={"expand": "steps"})

    assert {answer.status_code for answer in refused} == {403}
    assert {answer.json()["code"] for answer in refused} == {"missing_scope"}
    assert allowed.status_code == 200


async def test_a_longer_list_asks_the_database_no_more_often(api, caller):
    asked: list[str] = []
    await add_account(caller)
    counts = []
    for _ in range(2):
        for _ in range(4):
            assert (await caller.post("/api/v1/ads/meta", json=meta_request())).status_code == 202
        for holder in api.pool._holders:
            if holder._con is not None:
                holder._con.add_query_logger(lambda record: asked.append(record.query))
        asked.clear()
        page = (await caller.get(JOBS, params={"expand": "steps,ad_account"})).json()
        counts.append((len(page["data"]), len(set(asked)), len(asked)))
        for holder in api.pool._holders:
            if holder._con is not None:
                holder._con._query_loggers.clear()

    (few, _, few_queries), (many, _, many_queries) = counts
    assert (few, many) == (4, 8)
    assert 0 < many_queries <= few_queries

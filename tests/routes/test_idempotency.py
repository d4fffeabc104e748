"""One key is one request: sent twice it makes one job, and the first answer comes again."""

import asyncio

import pytest

from models.gen import campaign_jobs, retention
from routes.idempotency import canonical, fingerprint
from tests.routes.conftest import add_account, count_jobs
from tests.routes.meta_requests import meta_request

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/ads/meta"


async def send(caller, key="k-1", **changes):
    return await caller.post(URL, json=meta_request(**changes), headers={"Idempotency-Key": key})


async def test_the_same_request_again_gets_the_first_answer(api, caller):
    await add_account(caller)

    first = await send(caller)
    again = await send(caller)

    assert first.status_code == again.status_code == 202
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert await count_jobs(api) == 1


async def test_the_first_answer_comes_again_even_when_the_job_has_moved_on(api, caller):
    await add_account(caller)
    first = await send(caller)
    await caller.post(f"/api/v1/campaign_jobs/{first.json()['id']}/cancel")

    again = await send(caller)

    assert again.json() == first.json()


async def test_spaces_and_the_order_of_fields_make_no_other_request(api, caller):
    await add_account(caller)
    body = meta_request()
    turned = dict(reversed(body.items()))

    first = await caller.post(URL, json=body, headers={"Idempotency-Key": "k"})
    again = await caller.post(URL, json=turned, headers={"Idempotency-Key": '"k"'})

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]


async def test_a_quoted_key_is_the_one_that_it_quotes(api, caller):
    await add_account(caller)

    first = await send(caller, r'a "b" \ c')
    again = await send(caller, r'"a \"b\" \\ c"')

    assert first.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert await count_jobs(api) == 1


def test_a_request_is_known_again_by_every_version_of_the_program():
    """It is kept with the key: one that read otherwise would refuse what its predecessor accepted."""
    body = canonical('{"b": [1, 2.50], "a": {"d": "ä", "c": null}}'.encode())

    assert body == '{"a":{"c":null,"d":"ä"},"b":[1,2.5]}'.encode()
    assert fingerprint("META", body).hex() == (
        "ee35ab6ffe855ed5315bcf71456c2b96961228495f701e8cbd9a3bcf26c5f1d2"
    )


async def test_the_same_key_with_another_body_is_refused(api, caller):
    await add_account(caller)
    await send(caller)

    other = await send(caller, activate=True)

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert "use a new key" in other.json()["detail"]
    assert await count_jobs(api) == 1


async def test_many_at_once_make_one_job(api, caller):
    await add_account(caller)

    answers = await asyncio.gather(*(send(caller) for _ in range(12)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert await count_jobs(api) == 1


async def test_two_bodies_at_once_under_one_key_make_one_job(api, caller):
    await add_account(caller)

    answers = await asyncio.gather(*(send(caller, activate=number % 2 == 0) for number in range(8)))

    assert sorted({answer.status_code for answer in answers}) == [202, 422]
    assert await count_jobs(api) == 1


async def test_a_refused_request_does_not_use_the_key_up(api, caller):
    refused = await send(caller)
    await add_account(caller)
    invalid = await send(caller, priority="asap")

    accepted = await send(caller)

    assert refused.status_code == 404
    assert invalid.status_code == 422
    assert accepted.status_code == 202
    assert "idempotent-replayed" not in accepted.headers


async def test_the_first_answer_comes_again_when_the_account_has_gone_since(api, caller):
    account = await add_account(caller)
    first = await send(caller)
    await caller.put(f"/api/v1/ad_accounts/{account['id']}", json={"status": "INACTIVE"})

    again = await send(caller)

    assert again.status_code == 202
    assert again.json() == first.json()


async def test_a_test_key_is_not_shown_the_live_job_of_a_key_of_before(api, caller):
    live = await api.caller(live=True)
    await add_account(live, mode="live")
    first = await send(live)

    again = await send(caller)

    assert first.status_code == 202
    assert again.status_code == 403
    assert again.json()["code"] == "test_key_live_account"


async def test_teams_do_not_share_keys(api, caller):
    other = await api.caller(team="Other")
    await add_account(caller)
    await add_account(other)

    mine, theirs = await send(caller), await send(other)

    assert mine.json()["id"] != theirs.json()["id"]
    assert await count_jobs(api) == 2


async def test_without_a_key_every_request_is_a_new_one(api, caller):
    await add_account(caller)

    for _ in range(2):
        await caller.post(URL, json=meta_request())

    assert await count_jobs(api) == 2


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "\x7f", "é"])
async def test_a_key_that_is_none_is_a_400(api, caller, key):
    await add_account(caller)

    answer = await caller.post(
        URL, json=meta_request(), headers={"Idempotency-Key": key.encode("latin-1")}
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_idempotency_key"
    assert await count_jobs(api) == 0


@pytest.mark.parametrize(
    "key", ["k" * 255, "8e03978e-40d5-43e8-bc93-6894a57f9324", "a b", "!", '"']
)
async def test_keys_of_any_usual_form_are_taken(caller, key):
    await add_account(caller)

    assert (await send(caller, key)).status_code == 202


async def test_a_key_whose_job_is_taken_by_retention_in_that_moment_is_free_again(
    api, caller, monkeypatch
):
    await add_account(caller)
    first = await send(caller)
    await caller.post(f"/api/v1/campaign_jobs/{first.json()['id']}/cancel")
    look = campaign_jobs.get_request_by_idempotency_key

    async def look_a_moment_before(*where, **named):
        found = await look(*where, **named)
        await retention.delete_old_jobs(api.pool, older_than_days=0, most=10, most_steps=1000)
        return found

    monkeypatch.setattr(campaign_jobs, "get_request_by_idempotency_key", look_a_moment_before)
    again = await send(caller)

    assert again.status_code == 202
    assert "idempotent-replayed" not in again.headers
    assert again.json()["id"] != first.json()["id"]
    assert await count_jobs(api) == 1


@pytest.mark.parametrize("other", ["k-2", "k-1"])
async def test_two_keys_of_one_request_are_refused(api, caller, other):
    await add_account(caller)

    answer = await caller.post(
        URL,
        json=meta_request(),
        headers=[("Idempotency-Key", "k-1"), ("Idempotency-Key", other)],
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_idempotency_key"
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == ("Idempotency-Key", "invalid_header")
    assert answer.json()["detail"] == error["message"]
    assert await count_jobs(api) == 0

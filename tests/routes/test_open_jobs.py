"""An account and a team may have so many jobs open, over all processes; the next one is told to wait."""

import asyncio
import contextlib
from collections import Counter

import httpx
import pytest

from models.notifier import Notifier
from routes.app import create_app
from routes.health import ServerReadiness
from routes.job_writes import JobWrites
from routes.open_jobs import Caps
from routes.watch import Watch
from tests.routes.conftest import add_account
from tests.routes.meta_requests import meta_request

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/ads/meta"


@pytest.fixture
async def capped(api, keyring, assets, verifier, database):
    """Makes further applications on the same database, as other processes have them."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(caller: httpx.AsyncClient, caps: Caps) -> httpx.AsyncClient:
            app = create_app(
                pool=api.pool,
                keyring=keyring,
                notifier=await stack.enter_async_context(Notifier(database)),
                job_writes=await stack.enter_async_context(JobWrites(database)),
                readiness=ServerReadiness(api.pool),
                assets=assets,
                verifier=verifier,
                watch=Watch(database, api.pool, asyncio.Event()),
                caps=caps,
            )
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app),
                base_url="http://api",
                headers=caller.headers,
            )
            return await stack.enter_async_context(client)

        yield make


def retry_of(job_id: str) -> str:
    return f"/api/v1/campaign_jobs/{job_id}/retry"


def for_account(number: int):
    return meta_request(platform_account_id=f"act_{number}")


async def end_jobs(api, count: int):
    await api.pool.execute(
        """update campaign_jobs set status = 'CANCELLED', finished_at = now() where id in (
               select id from campaign_jobs where status = 'PENDING' limit $1)""",
        count,
    )


async def statuses(client, bodies):
    return [(await client.post(URL, json=body)).status_code for body in bodies]


async def open_jobs(api):
    return await api.pool.fetchval("select count(*) from campaign_jobs where status = 'PENDING'")


async def test_an_account_takes_as_many_jobs_as_it_may_and_no_more(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=3))

    first = await statuses(client, [for_account(1)] * 3)
    refused = await client.post(URL, json=for_account(1))

    assert first == [202, 202, 202]
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["code"] == "too_many_open_jobs_account"
    assert refused.json()["detail"].startswith("The account has 3 open jobs or more.")
    assert await open_jobs(api) == 3


async def test_jobs_that_a_worker_has_count_and_ended_ones_do_not(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    await statuses(await capped(caller, Caps()), [for_account(1)] * 4)
    await end_jobs(api, 2)
    await api.pool.execute(
        """update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(),
               worker_id = gen_random_uuid()
           where id = (select min(id::text)::uuid from campaign_jobs where status = 'PENDING')"""
    )

    found = await statuses(await capped(caller, Caps(per_account=3)), [for_account(1)] * 2)

    assert found == [202, 429]


async def test_accounts_of_a_team_share_the_teams_cap_and_other_teams_do_not(api, caller, capped):
    other = await api.caller(team="Other")
    for number in (1, 2):
        await add_account(caller, platform_account_id=f"act_{number}")
    await add_account(other, platform_account_id="act_1")
    caps = Caps(per_account=2, per_team=3)
    client, others = await capped(caller, caps), await capped(other, caps)

    found = await statuses(client, [for_account(1), for_account(2), for_account(1)])
    refused = await client.post(URL, json=for_account(2))

    assert found == [202, 202, 202]
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_open_jobs_team"
    assert await statuses(others, [for_account(1)]) == [202]


async def test_another_process_sees_the_jobs_of_the_first(caller, capped):
    await add_account(caller, platform_account_id="act_1")
    one, other = [await capped(caller, Caps(per_account=4)) for _ in range(2)]

    found = [
        *await statuses(one, [for_account(1)] * 2),
        *await statuses(other, [for_account(1)] * 3),
        *await statuses(one, [for_account(1)]),
    ]

    assert found == [202, 202, 202, 202, 429, 429]


async def test_requests_at_once_never_pass_the_cap_of_one_process(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=20))

    answers = await asyncio.gather(*(client.post(URL, json=for_account(1)) for _ in range(60)))

    counted = Counter(answer.status_code for answer in answers)
    assert counted[202] == await open_jobs(api) <= 20
    assert counted[202] + counted[429] == 60


async def test_further_processes_exceed_the_cap_by_a_sixteenth_at_most(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    clients = [await capped(caller, Caps(per_account=48)) for _ in range(3)]

    answers = await asyncio.gather(
        *(client.post(URL, json=for_account(1)) for _ in range(40) for client in clients)
    )

    assert {answer.status_code for answer in answers} == {202, 429}
    assert await open_jobs(api) <= 48 + 2 * 3


async def test_a_repeated_request_is_answered_though_the_cap_is_reached(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=1))
    headers = {"Idempotency-Key": "once"}

    first = await client.post(URL, json=for_account(1), headers=headers)
    again = await client.post(URL, json=for_account(1), headers=headers)

    assert first.status_code == again.status_code == 202
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]


async def test_a_refused_request_does_not_use_up_its_key(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=1))
    await client.post(URL, json=for_account(1))
    headers = {"Idempotency-Key": "later"}

    refused = await client.post(URL, json=for_account(1), headers=headers)
    await end_jobs(api, 1)
    accepted = await (await capped(caller, Caps(per_account=1))).post(
        URL, json=for_account(1), headers=headers
    )

    assert (refused.status_code, accepted.status_code) == (429, 202)
    assert "idempotent-replayed" not in accepted.headers


async def test_a_retried_job_counts_as_one_more(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=2))
    ended = [(await client.post(URL, json=for_account(1))).json()["id"] for _ in range(2)]
    await end_jobs(api, 2)
    await statuses(client, [for_account(1)])

    taken, refused = [await client.post(retry_of(one)) for one in ended]
    more = await client.post(URL, json=for_account(1))
    await end_jobs(api, 1)
    recounted = await capped(caller, Caps(per_account=2))
    again = await recounted.post(retry_of(ended[1]))

    assert (taken.status_code, again.status_code) == (202, 202)
    for answer in (refused, more):
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_open_jobs_account")
        assert answer.headers["retry-after"] == "5"


async def test_retries_at_once_never_pass_the_cap_of_one_process(api, caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_team=3))
    ended = []
    for _ in range(3):
        ended += [(await client.post(URL, json=for_account(1))).json()["id"] for _ in range(3)]
        await end_jobs(api, 3)
        client = await capped(caller, Caps(per_team=3))

    answers = await asyncio.gather(*[client.post(retry_of(one)) for one in ended])

    assert Counter(answer.status_code for answer in answers) == {202: 3, 429: 6}
    assert await open_jobs(api) == 3


async def test_what_keeps_a_job_from_a_retry_is_told_before_the_cap(caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=1))
    job = (await client.post(URL, json=for_account(1))).json()["id"]

    answer = await client.post(retry_of(job))

    assert (answer.status_code, answer.json()["code"]) == (409, "job_already_processing")


async def test_what_is_wrong_with_a_request_is_told_before_the_cap(caller, capped):
    await add_account(caller, platform_account_id="act_1")
    client = await capped(caller, Caps(per_account=1))
    await client.post(URL, json=for_account(1))

    answer = await client.post(URL, json=meta_request(platform_account_id="act_1", ad_sets=[]))
    planned = await client.post(f"{URL}?validate_only=true", json=for_account(1))

    assert answer.status_code == 422
    assert planned.status_code == 200

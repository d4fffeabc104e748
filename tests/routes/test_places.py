"""A team has so many streams and held answers at a time; the next one is refused until a place is free."""

import asyncio
import contextlib

import pytest

from routes.places import Places
from tests.routes.conftest import Api, add_account, add_job
from tests.routes.streaming import served, until


@pytest.fixture
def most(api: Api) -> int:
    api.watch.places = Places(2)
    return 2


async def test_one_stream_too_many_is_refused_until_another_is_closed(api, caller, most):
    await add_account(caller)
    job = await add_job(caller)
    stranger = await api.caller(team="Others")

    async with served(api) as live, contextlib.AsyncExitStack() as stack:
        async with live.stream(caller, f"/campaign_jobs/{job['id']}/events") as one:
            await stack.enter_async_context(live.stream(caller, "/events"))
            refused = await caller.get("/api/v1/events")
            other = await stack.enter_async_context(live.stream(stranger, "/events"))
        # its place is free a moment after nobody listens there any more
        await until(lambda: api.watch.places._taken.total() == most)
        again = await stack.enter_async_context(live.stream(caller, "/events"))

    assert one.answer.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
    assert refused.headers["retry-after"] == "5"
    assert refused.headers["content-type"] == "application/problem+json"
    assert other.answer.status_code == again.answer.status_code == 200


async def test_one_held_answer_too_many_is_refused_until_another_is_given(api, caller, most):
    await add_account(caller)
    jobs = [await add_job(caller) for _ in range(most)]
    urls = [f"/api/v1/campaign_jobs/{job['id']}" for job in jobs]

    tasks = [asyncio.create_task(caller.get(url, headers={"Prefer": "wait=30"})) for url in urls]
    await until(lambda: len(api.watch.holds) == most)
    refused = await caller.get(urls[0], headers={"Prefer": "wait=30"})
    plain = await caller.get(urls[0])
    for url in urls:
        await caller.post(f"{url}/cancel")
    answers = await asyncio.gather(*tasks)
    again = await caller.get(urls[0], headers={"Prefer": "wait=30"})

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_held_answers")
    assert refused.headers["retry-after"] == "5"
    assert plain.status_code == 200
    assert {answer.status_code for answer in answers} == {200}
    assert again.status_code == 200

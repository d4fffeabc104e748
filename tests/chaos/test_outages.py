"""PostgreSQL is slow, away, or has nothing left to give: callers get an answer, jobs end once."""

import asyncio
import contextlib

import asyncpg
import pytest

from tests.chaos.programs import api, both, worker
from tests.house.conftest import until

pytestmark = pytest.mark.alone


async def test_a_database_that_refuses_for_a_while_costs_answers_but_no_job(house, proxy, proxied):
    async with both(house, proxied) as (caller, program):
        await house.sandbox.fault("slow", "*/adsets", seconds=0.5, times=4)
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(8)]
        await until(lambda: sent(house, 2))

        proxy.refuse()
        refused = [await caller.submit(house.request()) for _ in range(5)]
        read = await caller.get(f"/api/v1/campaign_jobs/{jobs[0]}")
        health = [await caller.readiness(), (await caller.get("/livez")).status_code]
        await until(lambda: is_let_go(house))
        before = await claimed_since(house)
        await until(lambda: is_logged(program, "claim.failed", 3))
        after = await claimed_since(house)
        await proxy.open()
        again = await caller.submit(house.request(name="Again"))
        jobs.append(again.json()["campaign_job_id"])
        ended = [await house.finished(job) for job in jobs]

    for answer in [*refused, read]:
        assert_unavailable(answer)
    assert health == [503, 200]
    assert after == before
    assert {job["status"] for job in ended} == {"SUCCESS"}
    await assert_made_once(house, jobs)


async def test_a_slow_database_slows_answers_and_jobs_and_loses_none(house, proxy, proxied):
    async with both(house, proxied) as (caller, program):
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(4)]
        await until(lambda: sent(house, 1))

        proxy.delay_seconds = 1.5
        answers = await asyncio.gather(
            *(caller.submit(house.request(name=f"Slow {n}"), **key(n)) for n in range(15))
        )
        await until(lambda: is_logged(program, '"event":"step.done"', 8))
        proxy.delay_seconds = 0.0
        repeated = [
            await caller.submit(house.request(name=f"Slow {n}"), **key(n)) for n in range(15)
        ]
        jobs += [answer.json()["campaign_job_id"] for answer in repeated]
        ended = [await house.finished(job) for job in jobs]

    for answer in answers:
        if answer.status_code != 202:
            assert_unavailable(answer)
    accepted = {a.json()["campaign_job_id"] for a in answers if a.status_code == 202}
    assert accepted <= set(jobs)
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await rescues(house) == 0
    await assert_made_once(house, jobs)


async def test_a_database_that_falls_silent_holds_no_caller_and_no_job(house, proxy, proxied):
    async with both(house, proxied, database_pool_size="3") as (caller, _):
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(4)]
        await until(lambda: sent(house, 1))

        proxy.swallow()
        answers = await asyncio.gather(*(caller.submit(house.request()) for _ in range(12)))
        health = [await caller.readiness(), (await caller.get("/livez")).status_code]
        proxy.refuse()
        proxy.delay_seconds = 0.0
        await proxy.open()
        await until(lambda: is_ready(caller))
        ended = [await house.finished(job) for job in jobs]

    for answer in answers:
        assert_unavailable(answer)
    assert health == [503, 200]
    assert {job["status"] for job in ended} == {"SUCCESS"}
    await assert_made_once(house, jobs)


async def test_a_pool_whose_connections_are_all_held_answers_in_time(house):
    async with api(house, database_pool_size="1") as caller, locked_accounts(house):
        renaming = {"name": "x", "credentials": {"access_token": "x", "page_id": "1"}}
        path = f"/api/v1/ad_accounts/{house.account_id}"

        answers = await asyncio.gather(
            *(caller.put(path, json=renaming) for _ in range(4)),
            *(caller.get(path) for _ in range(4)),
            *(caller.submit(house.request()) for _ in range(4)),
        )
        alive = await caller.get("/livez")

    assert {answer.status_code for answer in answers[:4]} == {503}
    for answer in answers:
        if answer.status_code not in (200, 202):
            assert_unavailable(answer)
    assert alive.status_code == 200


async def test_a_worker_whose_listening_connection_died_silently_works_on_and_listens_again(
    house, proxy, proxied
):
    async with worker(house, proxied, poll_seconds="0.5"):
        await until(lambda: has_listener(proxy))
        (dead,) = proxy.named("mojito listener")
        dead.swallow()
        proxy.unheard.add("mojito listener")  # nor may another one, however long the job takes
        job = await house.finished(await house.submit(house.request()))
        proxy.unheard.clear()
        await until(lambda: has_another_listener(proxy))
    async with worker(house, proxied, poll_seconds="3600"):
        await until(lambda: has_another_listener(proxy))
        woken = await house.finished(await house.submit(house.request(name="Woken")))

    assert [job["status"], woken["status"]] == ["SUCCESS", "SUCCESS"]


def assert_unavailable(answer):
    """503 in our own form, with a time to come back."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["code"] in ("database_unavailable", "database_busy")


async def assert_made_once(house, jobs):
    """Each job's objects exist, and no other."""
    for kind in ("campaign", "ad_set", "ad"):
        names = [o["id"] for o in await house.sandbox.objects(house.account["id"], kind)]
        assert len(names) == len(jobs), kind


async def sent(house, campaigns):
    return len(await house.sandbox.objects(house.account["id"], "campaign")) >= campaigns


async def is_logged(program, event, times=1):
    assert program.is_running, program.log()
    return program.log().count(event) >= times


async def claimed_since(house):
    return await house.pool.fetch(
        "select id, claim_token from campaign_jobs where claim_token is not null order by id"
    )


async def is_let_go(house):
    """The server has ended what workers had begun over connections that were reset."""
    return await house.pool.fetchval(
        "select count(*) = 0 from pg_stat_activity where datname = current_database() "
        "and application_name in ('mojito claim', 'mojito intents', 'mojito records', 'mojito moves', "
        "'mojito worker', 'mojito presence')"
    )


def key(number):
    return {"Idempotency-Key": f"request-{number}"}


async def rescues(house):
    return await house.pool.fetchval("select sum(rescues) from campaign_jobs")


async def is_ready(caller):
    return await caller.readiness() == 200


@contextlib.asynccontextmanager
async def locked_accounts(house):
    """Another session holds every account's row as long as the block lasts."""
    connection = await asyncpg.connect(str(house.settings.database_url))
    try:
        async with connection.transaction():
            await connection.execute("select * from ad_accounts for update")
            yield
    finally:
        await connection.close()


async def has_listener(proxy):
    return bool(proxy.named("mojito listener"))


async def has_another_listener(proxy):
    return any(not passage.is_swallowed for passage in proxy.named("mojito listener"))

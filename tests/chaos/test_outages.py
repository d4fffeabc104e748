"""PostgreSQL is slow, away, or has nothing left to give: callers get an answer, jobs end once."""

from tests.chaos.programs import api, worker
from tests.house.conftest import until


async def test_a_database_that_refuses_for_a_while_costs_answers_but_no_job(house, proxy, proxied):
    async with api(house, proxied) as caller, worker(house, proxied) as program:
        await house.sandbox.fault("slow", "*/adsets", seconds=0.5, times=4)
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(8)]
        await until(lambda: sent(house, 2))

        proxy.refuse()
        refused = [await caller.submit(house.request()) for _ in range(5)]
        read = await caller.get(f"/api/v1/campaign_jobs/{jobs[0]}")
        health = [await caller.readiness(), (await caller.get("/livez")).status_code]
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

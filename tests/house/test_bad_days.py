"""What goes wrong on the way to the platform, and how each job ends all the same."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from tests.house.conftest import until

LONG_ENOUGH_TO_BE_SEEN = 8.0
"""On a busy machine two seconds may pass between two looks."""


async def run(house, body, **changes):
    job_id = await house.submit(body)
    async with house.working(**changes):
        return await house.finished(job_id)


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80000, 80003, 80004, 80014])
async def test_a_throttle_of_any_family_is_waited_out_and_costs_no_attempt(house, code):
    await house.sandbox.fault("throttle", "*/campaigns", code=code)

    # a call that a busy machine cuts off would cost one
    job = await run(house, house.request(), sandbox_call_deadline_seconds=60.0)

    assert job["status"] == "SUCCESS"
    campaign = next(step for step in job["steps"] if step["name"] == "campaign")
    assert campaign["attempt"] == 0
    kinds = [
        row["kind"] for row in await house.pool.fetch("select kind from job_events order by id")
    ]
    assert "job.waiting" in kinds


async def test_a_throttled_account_is_left_alone_by_everybody(house):
    await house.sandbox.fault("throttle", "*/campaigns", code=17)
    job_id = await house.submit(house.request())

    async with house.working(sandbox_wait_seconds=LONG_ENOUGH_TO_BE_SEEN):
        waiting = await house.waiting(job_id, "throttled")
        until_when = await house.pool.fetchval("select throttled_until from ad_accounts")
        job = await house.finished(job_id)

    assert waiting["error"] is None
    assert until_when is not None
    assert job["status"] == "SUCCESS"


async def test_an_account_of_the_small_tier_is_paced_and_still_finishes(house):
    small = await house.sandbox.account(tier="development")
    account_id = await house.add(small)
    jobs = []
    for number in range(3):
        body = house.request(name=f"Small {number}", ads=3, ad_account_id=account_id)
        for ad in body["ad_sets"][0]["ads"]:
            ad["creative"]["page_id"] = small["page_id"]
        jobs.append(await house.submit(body))

    async with house.working():

        async def all_done():
            await house.sandbox.advance(30)
            states = [(await house.job(job))["status"] for job in jobs]
            return all(state not in ("PENDING", "PROCESSING") for state in states)

        await until(all_done)

    assert [(await house.job(job))["status"] for job in jobs] == ["SUCCESS"] * 3
    assert len(await house.sandbox.objects(small["id"], "ad")) == 9


async def test_an_expired_token_parks_the_job_until_it_is_replaced(house):
    job_id = await house.submit(house.request())
    await house.sandbox.fault("token_expired", "*/adsets")

    async with house.working():
        waiting = await house.waiting(job_id, "reauth_required")
        account = (await house.client.get(f"/ad_accounts/{house.account_id}")).json()
        refused = await house.client.post("/ads/meta", json=house.request())
        token = await house.sandbox.token(house.account["id"])
        body = {
            "name": "test",
            "credentials": {"access_token": token, "page_id": house.account["page_id"]},
        }
        renewed = await house.client.put(f"/ad_accounts/{house.account_id}", json=body)
        job = await house.finished(job_id)

    assert account["status"] == "REQUIRES_REAUTH"
    assert waiting["error"]["remedy"]
    assert (refused.status_code, refused.json()["code"]) == (409, "ad_account_requires_reauth")
    assert renewed.status_code == 200
    assert renewed.json()["status"] == "ACTIVE"
    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def test_a_token_that_is_not_replaced_in_seven_days_ends_its_jobs(house):
    job_id = await house.submit(house.request())
    await house.sandbox.fault("token_expired", "*/campaigns")

    async with house.working():
        await house.waiting(job_id, "reauth_required")
        await house.pool.execute(
            "update campaign_jobs set waiting_since = now() - interval '8 days', due_at = now()"
        )
        job = await house.finished(job_id)

    assert job["status"] == "FAILED"
    assert job["error"]["code"] == "reauth_timed_out"


async def test_a_missing_permission_fails_with_its_name(house):
    bare = await house.sandbox.account(missing_permissions=["ads_management"])
    account_id = await house.add(bare)
    body = house.request(ad_account_id=account_id)
    body["ad_sets"][0]["ads"][0]["creative"]["page_id"] = bare["page_id"]

    job = await run(house, body)

    assert job["status"] == "FAILED"
    assert job["error"]["code"] == "permission_missing"
    assert job["error"]["upstream"]["code"] in range(200, 300)
    assert job["error"]["retryable"]


async def test_a_refused_ad_ends_in_partial_success_and_a_retry_makes_only_what_is_missing(house):
    body = house.request(ads=2)
    body["ad_sets"][0]["ads"][1]["creative"]["page_id"] = "999999999"
    job_id = await house.submit(body)

    async with house.working():
        job = await house.finished(job_id)
        campaigns = await house.sandbox.objects(house.account["id"], "campaign")
        again = await house.client.post(f"/campaign_jobs/{job_id}/retry")
        retried = await house.finished(job_id)

    assert job["status"] == retried["status"] == "PARTIAL_SUCCESS"
    assert job["error"]["step"] == "creative[0][1]"
    assert job["error"]["pointer"] == "/ad_sets/0/ads/1/creative/page_id"
    assert job["error"]["upstream"]["trace_id"]
    statuses = {step["name"]: step["status"] for step in job["steps"]}
    assert statuses["ad[0][0]"] == "DONE"
    assert statuses["ad[0][1]"] == "SKIPPED"
    assert job["platform_ids"]["ad_sets"][0]["ads"][1] == {"id": None, "creative": None}
    assert again.status_code == 202
    assert await house.sandbox.objects(house.account["id"], "campaign") == campaigns
    assert len(await house.sandbox.objects(house.account["id"], "ad")) == 1


async def test_a_refused_campaign_fails_and_nothing_below_it_is_tried(house):
    await house.sandbox.fault("throttle", "*/campaigns", code=368)

    job = await run(house, house.request())

    assert job["status"] == "FAILED"
    assert job["error"]["code"] == "account_blocked"
    assert await house.sandbox.objects(house.account["id"], "ad_set") == []
    skipped = {s["name"] for s in job["steps"] if s["status"] == "SKIPPED"}
    assert {"ad_set[0]", "ad[0][0]"} <= skipped


async def test_what_is_not_activated_is_said_and_stays_paused(house):
    body = house.request(ads=2, activate=True)
    body["ad_sets"][0]["ads"][1]["creative"]["page_id"] = "999999999"

    job = await run(house, body)

    assert job["status"] == "PARTIAL_SUCCESS"
    assert next(s for s in job["steps"] if s["name"] == "activate")["status"] == "SKIPPED"
    made = await house.sandbox.objects(house.account["id"])
    assert {o["status"] for o in made if o["kind"] in ("campaign", "ad_set", "ad")} == {"PAUSED"}


async def test_a_call_slower_than_its_deadline_is_looked_up_and_not_repeated(house):
    await house.sandbox.fault("slow", "*/campaigns", seconds=3.5)

    job = await run(house, house.request())

    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def test_a_platform_that_is_down_for_good_ends_the_job_with_a_reason(house):
    await house.sandbox.fault("http_500", "*/adimages", times=1000)

    job_id = await house.submit(house.request())
    async with house.working():
        job = await house.finished(job_id)

    assert job["status"] == "PARTIAL_SUCCESS"
    assert job["error"]["step"] == "media[hero]"
    assert job["error"]["retryable"]
    assert "8 attempts" in job["error"]["message"]


async def test_a_sandbox_that_does_not_run_is_waited_for(house):
    await house.submit(house.request())

    async with house.working(sandbox_url="http://127.0.0.1:1"):

        async def has_waited():
            return await house.pool.fetchval("select waiting_reason = 'retry' from campaign_jobs")

        await until(has_waited)
    async with house.working():
        jobs = (await house.client.get("/campaign_jobs")).json()["data"]
        job = await house.finished(jobs[0]["id"])

    assert job["status"] == "SUCCESS"


async def test_a_video_that_is_none_is_refused_before_it_is_sent(house):
    body = house.request(video=True)
    body["media"] = {"clip": {"url": f"{house.sandbox.url}/livez"}}

    job = await run(house, body)

    assert job["error"]["code"] == "media_not_a_video"
    assert job["error"]["pointer"].startswith("/media/clip")
    assert await house.sandbox.objects(house.account["id"], "video") == []


async def test_a_private_address_is_refused(house):
    body = house.request(media={"hero": {"url": "http://10.1.2.3/hero.png"}})

    job = await run(house, body)

    assert job["error"]["code"] == "media_address_refused"


async def test_a_job_that_nobody_has_is_cancelled_at_once(house):
    job_id = await house.submit(house.request())

    answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")

    assert answer.status_code == 202
    assert answer.json()["status"] == "CANCELLED"
    assert (await house.client.post(f"/campaign_jobs/{job_id}/cancel")).status_code == 409


async def test_a_running_job_stops_after_its_running_step_and_goes_on_when_asked(house):
    await house.sandbox.fault("slow", "*/campaigns", seconds=LONG_ENOUGH_TO_BE_SEEN)
    job_id = await house.submit(house.request())

    async with house.working(sandbox_call_deadline_seconds=3 * LONG_ENOUGH_TO_BE_SEEN):

        async def has_sent():
            return not await house.sandbox.faults()

        await until(has_sent)
        answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")
        job = await house.finished(job_id)
        made = await house.sandbox.objects(house.account["id"])
        await house.client.post(f"/campaign_jobs/{job_id}/retry")
        again = await house.finished(job_id)

    assert answer.json()["status"] == "PROCESSING"
    assert answer.json()["cancel_requested"] is True
    assert job["status"] == "CANCELLED"
    assert job["platform_ids"]["campaign"] in {o["id"] for o in made}
    assert "ad_set" not in {o["kind"] for o in made}
    assert again["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def test_an_account_set_inactive_fails_its_jobs_when_their_turn_comes(house):
    job_id = await house.submit(house.request())
    await house.pool.execute("update ad_accounts set status = 'INACTIVE'")

    async with house.working():
        job = await house.finished(job_id)

    assert job["status"] == "FAILED"
    assert job["error"]["code"] == "ad_account_not_active"
    assert job["error"]["retryable"]


async def test_a_job_that_kills_worker_after_worker_ends(house):
    job_id = await house.submit(house.request())
    await house.pool.execute("update campaign_jobs set rescues = 20")

    async with house.working():
        job = await house.finished(job_id)

    assert job["error"]["code"] == "worker_lost"


async def test_a_database_that_drops_every_connection_loses_nothing(house):
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(10)]

    async with house.working():
        for _ in range(5):
            await drop_connections(str(house.settings.database_url))
            async with asyncio.timeout(60):
                await asyncio.gather(*(house.sandbox.calls() for _ in range(20)))

        async def all_done():
            return not await still_open(str(house.settings.database_url))

        await until(all_done)

    assert [(await house.job(job))["status"] for job in jobs] == ["SUCCESS"] * 10
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 10


async def test_a_worker_told_to_stop_gives_back_what_it_has_not_finished(house):
    await house.sandbox.fault("slow", "*/campaigns", seconds=0.5, times=4)
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(4)]

    async with house.working():

        async def some_sent():
            return len(await house.sandbox.faults()) == 0

        await until(some_sent)
    held = await house.pool.fetchval(
        "select count(*) from campaign_jobs where claim_token is not null"
    )
    rescues = await house.pool.fetchval("select sum(rescues) from campaign_jobs")
    async with house.working():
        ended = [await house.finished(job) for job in jobs]

    assert (held, rescues) == (0, 0)
    assert [job["status"] for job in ended] == ["SUCCESS"] * 4
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 4


async def test_a_worker_silent_for_too_long_loses_its_jobs_to_any_other(house):
    worker_id = str(uuid4())
    job_id = await house.submit(house.request())
    await house.pool.execute(
        "insert into workers (id, host, process_id, last_seen_at) "
        "values ($1, 'gone', 1, now() - interval '31 seconds')",
        worker_id,
    )
    await house.pool.execute(
        "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), worker_id = $1",
        worker_id,
    )

    async with house.working():
        job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"


async def test_a_worker_out_of_touch_starts_no_call_and_gives_its_jobs_back_when_it_is_heard_again(
    house,
):
    await house.sandbox.fault("slow", "*/campaigns", seconds=0.5)
    job_id = await house.submit(house.request())

    async with house.working(worker_silence_seconds=6.0) as worker:

        async def has_sent():
            return not await house.sandbox.faults()

        await until(has_sent)
        worker._presence._renewed_at = -1e9
        job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"
    assert len(await house.sandbox.objects(house.account["id"], "campaign")) == 1


async def drop_connections(url):
    connection = await asyncpg.connect(url)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    await connection.close()


async def still_open(url):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(
            "select count(*) from campaign_jobs where finished_at is null"
        )
    finally:
        await connection.close()


async def test_a_throttle_beside_a_shorter_wait_is_told_to_everybody_too(house):
    await house.sandbox.fault("throttle", "*/campaigns", code=17)
    await house.sandbox.fault("http_500", "*/adimages")
    job_id = await house.submit(house.request())

    async with house.working():
        job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"
    assert await house.pool.fetchval("select throttled_until from ad_accounts") is not None

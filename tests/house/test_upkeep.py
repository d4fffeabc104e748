"""A worker of a real installation says whose credentials it opened, and lets go what is old, unasked."""

from common.tasks import beside
from mojito.retention import ages
from tests.house.conftest import until
from workers.retention import keep_house


async def test_a_worker_that_builds_a_campaign_is_in_the_audit_log_once(house):
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]

    async with house.working():
        for job in jobs:
            await house.finished(job)

    found = await house.pool.fetch(
        "select * from audit_log where action = 'ad_account.credentials_read'"
    )
    assert [str(entry["object_id"]) for entry in found] == [house.account_id]
    assert found[0]["actor"].startswith("worker:")


async def test_an_account_whose_token_died_is_in_the_audit_log_once(house):
    await house.sandbox.token(house.account["id"])
    jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]

    async with house.working():
        for job in jobs:
            await house.waiting(job, "reauth_required")

    (entry,) = await house.pool.fetch(
        "select * from audit_log where action = 'ad_account.reauthorisation_required'"
    )
    assert (str(entry["object_id"]), entry["actor"]) == (house.account_id, "worker")
    assert entry["team_id"] is not None
    assert entry["before_hash"] != entry["after_hash"]


async def test_a_finished_job_goes_when_its_time_has_come(house):
    job = await house.submit(house.request())
    async with house.working():
        await house.finished(job)
    await house.pool.execute(
        """with old as (update campaign_jobs set finished_at = now() - interval '366 days',
                   id = overlay(id::text placing '01800000' from 1 for 8)::uuid returning id)
           update campaign_requests set campaign_job_id = old.id from old"""
    )

    async with beside(keep_house(house.pool, ages(house.settings), every_seconds=0.01)):

        async def is_gone():
            return not await house.pool.fetchval("select count(*) from campaign_jobs")

        await until(is_gone)
    answer = await house.client.get(f"/campaign_jobs/{job}")

    assert answer.status_code == 404
    assert await house.pool.fetchval("select count(*) from campaign_requests") == 0

"""A session remembers where the queue begins, and looks behind that place when its trust in it ends."""

from datetime import UTC, datetime

import asyncpg
import pytest

from models.gen import workers
from workers.claimed import claim_jobs


@pytest.fixture
async def session(shop):
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)
    connection = await asyncpg.connect(shop.url)
    yield connection
    await connection.close()


async def claim(shop, session):
    jobs = await claim_jobs(session, worker_id=shop.worker_id, want=10)
    return {job.id for job in jobs}


async def trust_until(session, year):
    head = await session.fetchval("select current_setting('mojito.head')::timestamptz[]")
    await session.execute(
        "select set_config('mojito.head', $1::timestamptz[]::text, false)",
        [*head[:4], datetime(year, 1, 1, tzinfo=UTC)],
    )


async def add_behind(shop, account):
    """A job that became due long before everything that the session has seen."""
    job = await shop.job(account)
    await shop.pool.execute(
        "update campaign_jobs set due_at = now() - interval '1 hour' where id = $1", job
    )
    return job


async def test_what_is_behind_the_place_is_found_when_the_trust_ends(shop, session):
    account = await shop.account(max_running=100)
    first = await shop.job(account)
    assert await claim(shop, session) == {first}
    await trust_until(session, 2100)  # a second of the test's own may be over at once
    behind = await add_behind(shop, account)

    trusting, beside = await claim(shop, session), await shop.job(account)
    in_order = await claim(shop, session)
    await trust_until(session, 2000)
    looking = await claim(shop, session)

    assert trusting == set()
    assert in_order == {beside}
    assert looking == {behind}


@pytest.mark.parametrize("lane", range(4))
async def test_each_lane_is_looked_at_from_a_second_before_its_first_job(shop, session, lane):
    """And one that had none from a moment that is over."""
    account = await shop.account(max_running=100)
    first = await shop.job(account, lane=lane)
    await claim(shop, session)
    await trust_until(session, 2100)
    late, behind = [await shop.job(account, lane=lane) for _ in range(2)]
    for job, seconds in ((late, 0.5), (behind, 1.5)):
        await shop.pool.execute(
            """update campaign_jobs set due_at = before.due_at - make_interval(secs => $3)
               from campaign_jobs as before where before.id = $1 and campaign_jobs.id = $2""",
            first,
            job,
            seconds,
        )
    new = {await shop.job(account, lane=other) for other in range(4)}

    assert await claim(shop, session) == {late, *new}


async def test_another_session_finds_it_at_once(shop, session):
    account = await shop.account(max_running=100)
    await shop.job(account)
    await claim(shop, session)
    behind = await add_behind(shop, account)

    found = {job.id for job in await shop.claim()}

    assert found == {behind}

"""What stands in the row of a job that its worker no longer has, by whichever statement it was freed."""

import contextlib
from uuid import uuid4

import pytest

from models.gen import workers

SILENCE_SECONDS = 30.0


async def release(pool, worker_id):
    return len(await workers.release_worker_jobs(pool, worker_id=worker_id))


async def give_back(pool, worker_id):
    return await workers.give_back_claims(pool, worker_id=worker_id)


async def give_back_unknown(pool, worker_id):
    return await workers.give_back_unknown_claims(
        pool, worker_id=worker_id, known_ids=[], known_tokens=[]
    )


async def rescue(pool, worker_id):
    await silence(pool, worker_id, seconds=SILENCE_SECONDS + 1)
    return len(await workers.release_jobs_of_dead_workers(pool, silence_seconds=SILENCE_SECONDS))


async def silence(pool, worker_id, seconds):
    await pool.execute(
        "update workers set last_seen_at = now() - make_interval(secs => $2) where id = $1",
        worker_id,
        seconds,
    )


@contextlib.asynccontextmanager
async def at_one_moment(shop):
    """A transaction, in which no time passes for the database, however slow the machine is."""
    async with shop.pool.acquire() as own, own.transaction():
        yield own


FREED_BY = [(release, 1), (rescue, 1), (give_back, 0), (give_back_unknown, 0)]
freeing = pytest.mark.parametrize("free", [free for free, _ in FREED_BY])


@pytest.mark.parametrize(("free", "rescues"), FREED_BY)
async def test_a_freed_job_is_nobodys_and_keeps_its_place(shop, free, rescues):
    job = await shop.claimed()
    await shop.pool.execute(
        "update campaign_jobs set due_at = now() - interval '1 hour', updated_at = now() - interval '1 hour'"
    )
    before = await shop.value("select due_at from campaign_jobs")

    assert await free(shop.pool, shop.worker_id) == 1

    row = await shop.pool.fetchrow(
        """select id, claim_token, worker_id, rescues, due_at, status,
               updated_at > now() - interval '1 minute' as is_written from campaign_jobs"""
    )
    assert dict(row) == {
        "id": job.id,
        "claim_token": None,
        "worker_id": None,
        "rescues": rescues,
        "due_at": before,
        "status": "PROCESSING",
        "is_written": True,
    }


@freeing
async def test_a_freed_job_is_due_though_the_clock_was_set_back_since(shop, free):
    await shop.claimed()
    await shop.pool.execute("update campaign_jobs set due_at = now() + interval '1 hour'")

    await free(shop.pool, shop.worker_id)

    assert await shop.value("select due_at <= now() from campaign_jobs")


@freeing
async def test_what_another_worker_has_stays_with_it(shop, free):
    await shop.claimed()
    mine, shop.worker_id = shop.worker_id, uuid4()
    theirs = await shop.claimed()

    assert await free(shop.pool, mine) == 1

    kept = await shop.pool.fetch("select id from campaign_jobs where claim_token is not null")
    assert [row["id"] for row in kept] == [theirs.id]


@pytest.mark.parametrize(("silent", "freed"), [(29, 0), (31, 1)])
async def test_only_who_was_silent_for_long_enough_loses_its_jobs(shop, silent, freed):
    await shop.claimed()

    async with at_one_moment(shop) as own:
        await silence(own, shop.worker_id, silent)
        jobs = await workers.release_jobs_of_dead_workers(own, silence_seconds=SILENCE_SECONDS)

    assert len(jobs) == freed


async def test_a_claim_is_known_by_its_job_and_its_token(shop):
    """Of two jobs of one claim, which share a token, and of two claims of one job."""
    account = await shop.account()
    for _ in range(2):
        await shop.job(account)
    known, unknown = await shop.claim()

    given_back = await workers.give_back_unknown_claims(
        shop.pool,
        worker_id=shop.worker_id,
        known_ids=[known.id, unknown.id],
        known_tokens=[known.claim_token, uuid4()],
    )

    kept = await shop.pool.fetch("select id from campaign_jobs where claim_token is not null")
    assert given_back == 1
    assert [row["id"] for row in kept] == [known.id]


async def test_a_job_that_is_written_just_now_keeps_nobody_from_freeing_the_others(shop):
    account = await shop.account()
    for _ in range(2):
        await shop.job(account)
    held, free = await shop.claim()
    async with shop.pool.acquire() as connection, connection.transaction():
        await connection.execute("select 1 from campaign_jobs where id = $1 for update", held.id)
        await shop.pool.execute("delete from workers")

        freed = await workers.release_jobs_of_dead_workers(shop.pool, silence_seconds=30.0)

    assert freed == [free.id]


async def test_many_jobs_are_freed_in_batches(shop):
    await shop.claimed()
    await shop.pool.execute(
        """insert into campaign_jobs (id, kind, ad_account_id, platform_type, mode, status, steps_total,
               lane, claim_token, worker_id, started_at)
           select gen_random_uuid(), kind, ad_account_id, platform_type, mode, status, steps_total,
               lane, claim_token, worker_id, started_at
           from campaign_jobs, generate_series(1, 500)"""
    )
    await shop.pool.execute("delete from workers")

    freed = [
        len(await workers.release_jobs_of_dead_workers(shop.pool, silence_seconds=30.0))
        for _ in range(2)
    ]

    assert freed == [500, 1]


@pytest.mark.parametrize("say", ["renew", "register"])
async def test_a_sign_of_life_is_written_down_for_whoever_gives_it(shop, say):
    other = uuid4()
    for worker_id in (shop.worker_id, other):
        await workers.register_worker(shop.pool, id=worker_id, host="test", process_id=1)
        await silence(shop.pool, worker_id, 100)

    if say == "renew":
        assert await workers.renew_worker(shop.pool, id=shop.worker_id) == 1
    else:
        await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)

    heard = await shop.pool.fetch(
        "select id from workers where last_seen_at > now() - interval '9 s'"
    )
    assert [row["id"] for row in heard] == [shop.worker_id]


@pytest.mark.parametrize(("ahead", "is_mended"), [(2, False), (60, True)])
async def test_a_sign_of_life_from_later_than_now_is_of_now(shop, ahead, is_mended):
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)

    async with at_one_moment(shop) as own:
        await silence(own, shop.worker_id, -ahead)
        mended = await workers.mend_workers(own)
        since = await own.fetchval(
            "select extract(epoch from now() - last_seen_at)::float8 from workers"
        )

    assert (mended, since) == ((1, 0) if is_mended else (0, -ahead))


@pytest.mark.parametrize(
    ("silent_minutes", "holds_a_job", "is_deleted"),
    [(59, False, False), (61, False, True), (61, True, False)],
)
async def test_a_row_goes_when_its_worker_is_long_dead_and_holds_nothing(
    shop, silent_minutes, holds_a_job, is_deleted
):
    """Whatever others hold."""
    await shop.claimed()
    holder, other = shop.worker_id, uuid4()
    await workers.register_worker(shop.pool, id=other, host="test", process_id=1)
    await silence(shop.pool, holder if holds_a_job else other, 60 * silent_minutes)

    assert await workers.delete_dead_workers(shop.pool) == is_deleted

"""A claim that meets full accounts looks further, and takes there what it would take anywhere else."""

from uuid import uuid4

from models.gen import workers

HEAD = 64
"""So many jobs of a lane are looked at before other accounts are."""
NOT_DUE = "update campaign_jobs set due_at = now() + interval '1 hour' where id = $1"
THROTTLED = "update ad_accounts set throttled_until = now() + interval '1 hour' where id = $1"


async def test_behind_a_full_account_only_what_is_due_is_taken(shop):
    full, other = await shop.account(max_running=1), await shop.account()
    first, _ = [await shop.job(full) for _ in range(2)]
    await shop.pool.execute(NOT_DUE, await shop.job(other))

    claimed = await shop.claim()

    assert [job.id for job in claimed] == [first]


async def test_among_all_accounts_only_what_is_due_and_not_throttled_is_taken(shop):
    full = await shop.account(max_running=1)
    first, *_ = [await shop.job(full) for _ in range(HEAD)]
    early, throttled, ready, last = [await shop.account() for _ in range(4)]
    await shop.pool.execute(NOT_DUE, await shop.job(early))
    await shop.pool.execute(THROTTLED, throttled)
    await shop.job(throttled)
    wanted = await shop.job(ready)
    await shop.job(last)
    await workers.register_worker(shop.pool, id=(idle := uuid4()), host="test", process_id=1)

    claimed = await shop.claim(2)

    assert {job.id for job in claimed} == {first, wanted}
    cursors = await shop.pool.fetch("select id, sweep_cursor from workers")
    assert dict(map(tuple, cursors)) == {shop.worker_id: ready, idle: None}


async def test_among_all_accounts_what_has_waited_is_taken_like_what_is_new(shop):
    """Of the first account that is looked at and of those behind it."""
    full = await shop.account(max_running=1)
    first, *_ = [await shop.job(full, lane=0) for _ in range(HEAD)]
    waited = [await shop.job(await shop.account(), lane=0) for _ in range(3)]
    await shop.pool.execute("update campaign_jobs set status = 'PROCESSING'")
    new = await shop.job(await shop.account(), lane=0)

    claimed = await shop.claim(5)

    assert {job.id for job in claimed} == {first, *waited, new}


async def test_among_all_accounts_each_keeps_its_limit_and_its_order(shop):
    small, busy = await shop.account(max_running=1), await shop.account(max_running=2)
    running = await shop.job(busy)
    assert [job.id for job in await shop.claim()] == [running]
    full = await shop.account(max_running=1)
    first, *_ = [await shop.job(full, lane=lane) for lane in (2, 3) for _ in range(HEAD)]
    older, _ = [await shop.job(busy) for _ in range(2)]
    of_small = {await shop.job(small, lane=lane) for lane in (2, 3)}

    claimed = {job.id for job in await shop.claim(10)}

    assert claimed - of_small == {first, older}
    assert len(claimed & of_small) == 1


async def test_an_account_that_runs_more_than_it_may_by_now_holds_nobody_up(shop):
    """As when its limit was lowered meanwhile: there is room for less than none."""
    lowered = await shop.account(max_running=3)
    running = {await shop.job(lowered) for _ in range(3)}
    assert {job.id for job in await shop.claim()} == running
    await shop.pool.execute("update ad_accounts set max_running = 1")
    full = await shop.account(max_running=1)
    first, *_ = [await shop.job(full) for _ in range(HEAD)]
    await shop.job(lowered)
    wanted = await shop.job(await shop.account())

    claimed = await shop.claim()

    assert {job.id for job in claimed} == {first, wanted}

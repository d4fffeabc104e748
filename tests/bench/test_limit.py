"""What ours is measured against carries out every job and every step, fenced by the claim's token."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from bench import limit
from bench.drains import plain
from bench.ground import Ground, prepare
from bench.pgbench import jobs_per_second
from models.database import open_pool

LEFT = "select count(*) from plain_jobs where status <> 'SUCCESS' or claim_token is not null"
STEPS = "select count(*) from plain_steps where state = 'DONE' and outcome is not null"


@pytest.fixture
async def ground(database) -> AsyncGenerator[Ground]:
    pool = await open_pool(database, size=1, name="bench")
    yield await prepare(database, pool, accounts=1)
    await pool.close()


async def counted(ground: Ground) -> tuple[int, int]:
    return await ground.pool.fetchval(LEFT), await ground.pool.fetchval(STEPS)


async def test_the_plain_loop_ends_every_job_and_every_step(ground, monkeypatch):
    monkeypatch.setattr("bench.drains.WARM_UP", 100)

    rate = await plain(ground, 1100, lanes=2, steps=2)

    assert rate > 0
    assert await counted(ground) == (0, 2 * 1200)


@pytest.mark.parametrize(("jobs", "steps"), [(1000, 0), (100, 2)])
async def test_so_does_pgbench(ground, jobs, steps):
    rate = await jobs_per_second(ground.url, 2, jobs, steps)

    assert rate > 0
    assert await counted(ground) == (0, jobs * steps)


async def test_a_stale_token_writes_nothing(ground):
    await ground.fill_plain(1)
    token, stale = uuid4(), [uuid4()]
    async with ground.connection() as connection:
        (row,) = await connection.fetch(limit.CLAIM, 1, token, uuid4())
        job, key = [row["id"]], (["key"], [b"hash"])
        mine = await connection.fetch(limit.INTEND, job, ["campaign"], [token], *key)

        begun = await connection.fetch(limit.INTEND, job, ["ad_set"], stale, *key)
        done = await connection.fetch(limit.RECORD, job, ["campaign"], stale, ["{}"])
        ended = await connection.fetch(limit.COMPLETE, job, stale, ["SUCCESS"], [None])

    assert [found["must_reconcile"] for found in mine] == [False]
    assert (begun, done, ended) == ([], [], [])
    assert await counted(ground) == (1, 0)

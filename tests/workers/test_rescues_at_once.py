"""Several workers free the jobs of a dead one at the same time, and others claim them meanwhile."""

import asyncio
import contextlib
from uuid import uuid4

import pytest

from models.gen import campaign_jobs, workers
from tests.workers.running import connected, until
from workers.upkeep import rescue

GATE = 4711
READER = "pg_read_all_data"
"""A role that every server has, and that row security holds for."""
GATED = f"""
create function gate() returns boolean language plpgsql volatile as $$
begin perform pg_advisory_lock_shared({GATE}); return true; end $$;
alter table workers enable row level security;
create policy behind_the_gate on workers using (gate());
grant select, update on campaign_jobs, workers to {READER};
"""
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and objid = $1 and not granted"
SILENT = "update workers set last_seen_at = now() - interval '1 minute'"


@pytest.fixture
async def gate(shop):
    """Held: a statement of the reader has its snapshot and gets no further."""
    await shop.pool.execute(GATED)
    async with connected(shop) as own:
        await own.execute("select pg_advisory_lock($1)", GATE)
        yield own


@contextlib.asynccontextmanager
async def late_freeing(shop, gate):
    """Some worker frees the jobs of all that are silent now, and has only seen which these are."""
    await shop.pool.execute(SILENT)
    async with connected(shop) as late:
        await late.execute(f"set role {READER}")
        freeing = asyncio.create_task(
            workers.release_jobs_of_dead_workers(late, silence_seconds=30.0)
        )
        await until(lambda: gate.fetchval(WAITING, GATE))
        yield freeing


async def test_a_job_that_a_living_worker_has_claimed_meanwhile_stays_with_it(shop, gate):
    job = await shop.claimed()
    async with late_freeing(shop, gate) as freeing:
        await rescue(shop.pool, silence_seconds=30.0, freed=lambda: None)
        shop.worker_id = uuid4()
        (claimed,) = await shop.claim()

        await gate.execute("select pg_advisory_unlock($1)", GATE)
        freed = await freeing

    row = await shop.pool.fetchrow("select claim_token, rescues from campaign_jobs")
    assert freed == []
    assert tuple(row) == (claimed.claim_token, 1)
    assert claimed.id == job.id


async def test_what_nobody_has_freed_meanwhile_is_freed(shop, gate):
    job = await shop.claimed()

    async with late_freeing(shop, gate) as freeing:
        await gate.execute("select pg_advisory_unlock($1)", GATE)

        assert await freeing == [job.id]


async def test_a_worker_whose_row_is_gone_holds_nothing(shop):
    job = await shop.claimed()
    await shop.pool.execute("delete from workers")

    assert await rescue(shop.pool, silence_seconds=30.0, freed=lambda: None) == 1

    (again,) = await campaign_jobs.list_campaign_jobs_by_ids(shop.pool, ids=[job.id])
    assert (again.claim_token, again.rescues) == (None, 1)

"""When a worker looks for claims that it never heard of, and what its claims cost the database."""

import pytest

from models.gen import workers
from tests.workers.running import NEVER, connected
from workers.claims import Claims
from workers.metrics import WorkerMetrics

TELL = """
    create table told (disk text, sequences text);
    create function tell() returns trigger language plpgsql as $$ begin
        insert into told values (current_setting('synchronous_commit'),
                                 current_setting('enable_seqscan'));
        return new;
    end $$;
    create trigger tell before update on campaign_jobs for each row execute function tell();
"""
AHEAD = "{" + ",".join(["2100-01-01 00:00:00+00"] * 5) + "}"


class Known:
    """Knows of no job, and how often it was asked."""

    def __init__(self):
        self.times_asked = 0

    def __call__(self):
        self.times_asked += 1
        return []


@pytest.fixture
async def known(shop):
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)
    return Known()


def claims_of(shop, known, look_seconds):
    return Claims(shop.url, shop.worker_id, known, WorkerMetrics(), look_seconds=look_seconds)


async def test_claims_are_looked_through_once_for_each_doubt(shop, known):
    claims = claims_of(shop, known, NEVER)
    asked = []

    for is_in_doubt in (False, True, False, True):
        if is_in_doubt:
            claims.doubt()
        await claims.take(1)
        asked.append(known.times_asked)
    claims.drop_connection()

    assert asked == [0, 1, 1, 2]


async def test_claims_are_looked_through_now_and_then_without_any_doubt(shop, known):
    claims = claims_of(shop, known, 0)

    for _ in range(3):
        await claims.take(1)
    claims.drop_connection()

    assert known.times_asked == 3


async def test_a_clock_that_was_put_back_hides_what_was_given_back_until_the_next_look_only(
    shop, known
):
    job_id = await shop.job(await shop.account())
    await shop.pool.execute("update campaign_jobs set due_at = now() - interval '1 hour'")
    claims = claims_of(shop, known, NEVER)
    async with connected(shop) as session:
        claims._connection = session
        # as a session remembers it that looked while the clock was ahead
        await session.execute("select set_config('mojito.head', $1::text, false)", AHEAD)

        trusting = await claims.take(1), await claims.take(1)
        claims.doubt()
        looking = await claims.take(1)

    assert trusting == ([], [])
    assert [job.id for job in looking] == [job_id]


async def test_claims_wait_for_no_disk_and_read_no_table_through(shop, known):
    """Neither the one that is given back, because nobody knows of it, nor the one that follows."""
    unknown = await shop.claimed()
    database = await shop.value("select current_database()")
    await shop.pool.execute(f"alter database {database} set synchronous_commit = on")
    await shop.pool.execute(TELL)
    claims = claims_of(shop, known, NEVER)

    claims.doubt()
    (job,) = await claims.take(1)
    claims.drop_connection()

    assert job.id == unknown.id
    assert [tuple(row) for row in await shop.pool.fetch("select * from told")] == [
        ("off", "off"),
        ("off", "off"),
    ]


async def test_jobs_of_one_claim_share_the_moment_at_which_they_began(shop, known):
    account = await shop.account()
    for _ in range(2):
        await shop.job(account)
    claims = claims_of(shop, known, NEVER)

    one, other = await claims.take(2)

    claims.drop_connection()
    assert one.started_at is other.started_at

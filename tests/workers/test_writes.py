"""A run that lost its job is told so, even in one statement with the run that has the job now."""

import asyncpg
import pytest

from models.gen import workers
from workers.writes import Intent, Move, Record, write_intents, write_moves, write_records


@pytest.fixture
async def connection(shop):
    connection = await asyncpg.connect(shop.url)
    yield connection
    await connection.close()


@pytest.fixture
async def both(shop):
    """The lost run and the present one: the same process was given the same job again."""
    lost = await shop.claimed()
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    (present,) = await shop.claim()
    return [lost, present]


async def test_only_the_run_that_has_the_job_begins_a_step(connection, both):
    intents = [Intent(j.id, j.claim_token, "campaign", 0, "campaign", 0, b"", None) for j in both]

    answers = await write_intents(connection, intents)

    assert answers == [False, True]


async def test_what_a_neighbour_has_read_opens_no_row_that_a_run_has_not_read(shop, connection):
    await shop.job(await shop.account())
    await shop.job(await shop.account())
    for job in (before := await shop.claim()):
        await begin_campaign(connection, job)
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    reader, other = await shop.claim()
    token = before[0].claim_token
    intents = [
        Intent(job.id, job.claim_token, "campaign", 0, "campaign", 0, b"", read)
        for job, read in ((reader, token), (other, None))
    ]

    answers = await write_intents(connection, intents)

    assert answers == [True, False]


async def test_only_the_run_whose_outcome_was_written_hears_so(shop, connection, both):
    lost, present = both
    await begin_campaign(connection, present)
    records = [
        Record(run.id, run.team_id, run.claim_token, present.claim_token, "campaign", status, 0)
        for run, status in ((lost, "IN_DOUBT"), (present, "DONE"))
    ]

    answers = await write_records(connection, records)

    written = await shop.value("select claim_token from job_steps")
    assert answers == [run.claim_token == written for run in both]


async def test_what_becomes_of_steps_is_written_where_their_intents_stand(shop, connection):
    """So that no index is written for it: an intent's page has room for the outcome."""
    job = await shop.claimed()
    names = [f"step[{n}]" for n in range(200)]
    token, digest, outcome = job.claim_token, b"d" * 32, '{"platform_id":"1200000000000001"}'
    pages = "select array_agg((ctid::text::point)[0] order by name) from job_steps"
    intents = [Intent(job.id, token, name, 0, "campaign", 0, digest, None) for name in names]
    records = [
        Record(job.id, job.team_id, token, token, name, "DONE", 0, outcome=outcome, platform_id="1")
        for name in names
    ]

    await write_intents(connection, intents)
    before = await shop.value(pages)
    await write_records(connection, records)

    after = await shop.value(pages)
    stayed = sum(was == now for was, now in zip(before, after, strict=True))
    assert stayed >= 0.9 * len(names)


async def test_only_the_run_that_has_the_job_ends_it(connection, both):
    moves = [Move(job.id, job.claim_token, "SUCCESS") for job in both]

    answers = await write_moves(connection, moves)

    assert answers == [False, "SUCCESS"]


async def begin_campaign(connection, job):
    intent = Intent(job.id, job.claim_token, "campaign", 0, "campaign", 0, b"", None)
    assert await write_intents(connection, [intent]) == [True]

"""Outcomes are written by the run whose step it is, and what is done stays done."""

import pytest

from models.gen import workers
from workers.writes import Intent, Record, write_intents, write_records


@pytest.fixture
async def runs(shop, connection):
    """An earlier run, which began a step, and the present one of the same job."""
    earlier = await shop.claimed()
    token = earlier.claim_token
    await write_intents(connection, [Intent(earlier.id, token, "ad", 0, "ad", 0, b"", None, 30)])
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    (present,) = await shop.claim()
    return earlier, present


def record(job, status, read=None):
    """`read` is the run whose token was found in the row."""
    return Record(job.id, None, job.claim_token, (read or job).claim_token, "ad", status, 0)


async def test_a_run_that_has_not_read_the_step_of_another_writes_no_outcome(
    shop, connection, runs
):
    earlier, present = runs

    answers = [
        await write_records(connection, [record(present, "FAILED")]),
        await write_records(connection, [record(present, "IN_DOUBT", read=earlier)]),
        await write_records(connection, [record(earlier, "FAILED")]),
    ]

    assert answers == [[False], [True], [False]]
    assert await shop.value("select status from job_steps") == "IN_DOUBT"


async def test_what_is_done_may_be_said_again_by_its_own_run_and_changed_by_none(connection, runs):
    earlier, present = runs
    done = record(earlier, "DONE")
    await write_records(connection, [done])

    answers = [
        await write_records(connection, [told])
        for told in (done, record(earlier, "FAILED"), record(present, "DONE", read=earlier))
    ]

    assert answers == [[True], [False], [False]]

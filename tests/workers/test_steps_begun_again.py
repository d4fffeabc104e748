"""Which steps a run may begin that an earlier run, or its own lost write, has begun before."""

import pytest

from models.gen import workers
from workers.writes import Intent, Record, write_intents, write_records


@pytest.fixture
async def runs(shop, connection):
    """An earlier run, which began two steps, and the present one of the same job."""
    earlier = await shop.claimed()
    await write_intents(connection, [intent(earlier, "campaign"), intent(earlier, "ad_set[0]")])
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    (present,) = await shop.claim()
    return earlier, present


def intent(job, name, read=None):
    """`read` is the run whose token was found in the row."""
    token = None if read is None else read.claim_token
    return Intent(job.id, job.claim_token, name, 0, "campaign", 0, b"", token)


async def test_what_was_read_of_one_step_opens_no_other_of_its_job(connection, runs):
    earlier, present = runs

    answers = await write_intents(
        connection, [intent(present, "campaign", earlier), intent(present, "ad_set[0]")]
    )

    assert answers == [True, False]


async def test_a_step_begins_again_whose_intent_was_written_and_nobody_heard_so(connection, runs):
    earlier, present = runs
    again = [intent(present, "campaign", earlier)]

    answers = [await write_intents(connection, again) for _ in range(2)]

    assert answers == [[True], [True]]


async def test_a_step_that_is_done_never_begins_again(shop, connection, runs):
    earlier, present = runs
    begin = [intent(present, "campaign", earlier)]
    await write_intents(connection, begin)
    token = present.claim_token
    done = Record(present.id, None, token, token, "campaign", "DONE", 0, platform_id="1")
    await write_records(connection, [done])

    answers = await write_intents(connection, begin)

    assert answers == [False]
    assert await shop.value("select status from job_steps where name = 'campaign'") == "DONE"


async def test_a_step_that_a_retry_has_reset_counts_its_hours_from_its_next_try(
    shop, connection, runs
):
    earlier, present = runs
    await shop.pool.execute("update job_steps set started_at = null")

    await write_intents(connection, [intent(present, "campaign", earlier)])

    assert await shop.value("select started_at = intent_at from job_steps where name = 'campaign'")

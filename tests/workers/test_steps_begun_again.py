"""Which steps a run may begin that an earlier run, or its own lost write, has begun before."""

from datetime import timedelta

import msgspec
import pytest

from models.gen import workers
from workers.records import LONGEST_PAUSE
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
    return Intent(job.id, job.claim_token, name, 0, "campaign", 0, b"", token, 30)


async def test_what_was_read_of_one_step_opens_no_other_of_its_job(connection, runs):
    earlier, present = runs

    answers = await write_intents(
        connection, [intent(present, "campaign", earlier), intent(present, "ad_set[0]")]
    )

    assert answers == [True, False]


async def test_a_lost_run_in_the_same_flush_opens_no_step_that_the_present_one_has_not_read(
    shop, connection, runs
):
    earlier, present = runs

    answers = await write_intents(
        connection, [intent(earlier, "campaign", earlier), intent(present, "campaign")]
    )

    token = await shop.value("select claim_token from job_steps where name = 'campaign'")
    assert answers == [False, False]
    assert token == earlier.claim_token


async def test_each_of_a_flush_hears_of_its_own_step_whatever_its_neighbours_may(connection, runs):
    earlier, present = runs

    answers = await write_intents(
        connection,
        [
            intent(present, "media[hero]"),
            intent(present, "ad_set[0]"),
            intent(present, "campaign", earlier),
        ],
    )

    assert answers == [True, False, True]


async def test_a_step_that_begins_again_is_in_doubt_and_bears_nothing_of_its_last_wait(
    shop, connection, runs
):
    """Else a worker that dies now would leave a step behind that nobody looks for."""
    earlier, present = runs
    await shop.pool.execute(
        "update job_steps set status = 'WAITING', attempt = 1, looks = 1, due_at = now(), finished_at = now()"
    )

    await write_intents(
        connection, [msgspec.structs.replace(intent(present, "campaign", earlier), attempt=2)]
    )

    row = await shop.pool.fetchrow(
        "select status, attempt, looks, due_at, finished_at from job_steps where name = 'campaign'"
    )
    assert dict(row) == {
        "status": "RUNNING",
        "attempt": 2,
        "looks": 0,
        "due_at": None,
        "finished_at": None,
    }


@pytest.mark.parametrize(("minutes", "goes_on"), [(29, True), (31, False)])
async def test_the_hours_of_a_step_are_counted_as_the_ledger_counts_them(
    shop, connection, runs, minutes, goes_on
):
    earlier, present = runs
    assert timedelta(minutes=29) < LONGEST_PAUSE < timedelta(minutes=31)
    await shop.pool.execute(
        """update job_steps set started_at = now() - interval '5 hours',
               intent_at = now() - make_interval(mins => $1)""",
        minutes,
    )

    await write_intents(connection, [intent(present, "campaign", earlier)])

    assert goes_on == await shop.value(
        "select started_at < intent_at from job_steps where name = 'campaign'"
    )


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

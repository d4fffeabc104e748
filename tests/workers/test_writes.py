"""A run that lost its job is told so, even in one statement with the run that has the job now."""

from typing import get_args

import msgspec
import pytest

from models.gen import workers
from models.gen.rows import StepStatus
from workers.writes import Intent, Move, Record, write_intents, write_moves, write_records


@pytest.fixture
async def both(shop):
    """The lost run and the present one: the same process was given the same job again."""
    lost = await shop.claimed()
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    (present,) = await shop.claim()
    return [lost, present]


async def test_only_the_run_that_has_the_job_begins_a_step(connection, both):
    intents = [
        Intent(j.id, j.claim_token, "campaign", 0, "campaign", 0, b"", None, 30) for j in both
    ]

    answers = await write_intents(connection, intents)

    assert answers == [False, True]


async def test_a_run_that_lost_its_job_begins_no_new_step(shop, connection, both):
    lost, _ = both

    answers = await write_intents(connection, [intent(lost)])

    assert answers == [False]
    assert await shop.value("select count(*) from job_steps") == 0


async def test_a_new_step_keeps_the_attempts_that_it_is_begun_with(shop, connection):
    (job,) = await more_jobs(shop, 1)

    await write_intents(connection, [msgspec.structs.replace(intent(job), attempt=3)])

    assert await shop.value("select attempt from job_steps") == 3


async def test_new_steps_begin_but_of_jobs_that_were_asked_to_stop(shop, connection):
    job, stopped = await more_jobs(shop, 2)
    await shop.pool.execute(
        "update campaign_jobs set cancel_requested_at = now() where id = $1", stopped.id
    )

    answers = await write_intents(connection, [intent(stopped), intent(job)])

    begun = await shop.pool.fetch("select campaign_job_id from job_steps")
    assert answers == [False, True]
    assert [row["campaign_job_id"] for row in begun] == [job.id]


async def test_a_new_step_begins_beside_one_that_a_run_has_begun_unheard(shop, connection):
    """Its first write was committed, and nobody heard of it."""
    job, other = await more_jobs(shop, 2)
    await write_intents(connection, [intent(job)])

    answers = await write_intents(connection, [intent(job), intent(other)])

    assert answers == [True, True]
    assert await shop.value("select count(*) from job_steps where status = 'RUNNING'") == 2


async def test_a_step_of_an_earlier_run_that_was_not_read_is_left_as_it_is(shop, connection, both):
    lost, present = both
    (other,) = await more_jobs(shop, 1)
    await shop.pool.execute(
        """insert into job_steps (campaign_job_id, name, position, kind, status, claim_token)
           values ($1, 'campaign', 0, 'campaign', 'RUNNING', $2)""",
        lost.id,
        lost.claim_token,
    )

    answers = await write_intents(connection, [intent(present), intent(other)])

    token = await shop.value(
        "select claim_token from job_steps where campaign_job_id = $1", lost.id
    )
    assert answers == [False, True]
    assert token == lost.claim_token


async def test_a_new_step_looks_alike_whoever_its_neighbours_are(shop, connection):
    alone, beside, again = await more_jobs(shop, 3)
    await begin_campaign(connection, again)
    seen = msgspec.structs.replace(intent(again), previous_token=again.claim_token)

    await write_intents(connection, [intent(alone)])
    await write_intents(connection, [intent(beside), seen])

    assert await row_of(shop, alone) == await row_of(shop, beside)


async def test_a_step_that_is_done_looks_alike_whoever_its_neighbours_are(shop, connection):
    jobs = alone, beside, failed = await more_jobs(shop, 3)
    team = await shop.value("select gen_random_uuid()")
    await write_intents(connection, [intent(job) for job in jobs])

    await write_records(connection, [done(alone, team)])
    await write_records(connection, [done(beside, team), done(failed, team, status="FAILED")])

    assert await row_of(shop, alone) == await row_of(shop, beside)
    assert (await row_of(shop, failed))["status"] == "FAILED"
    assert await told_of(shop, alone) == await told_of(shop, beside)
    assert (await told_of(shop, alone))[0]["team_id"] == team


@pytest.mark.parametrize(
    "more",
    [
        {"attempt": 3},
        {"looks": 1},
        {"was_rescued": True},
        {"delay_seconds": 60.0},
        {"platform_id": None},
        {"outcome": None},
        {"error": '{"code": "odd"}'},
        {"status": "FAILED"},
    ],
)
async def test_what_else_is_told_of_a_step_that_is_done_is_written(shop, connection, more):
    (job,) = await more_jobs(shop, 1)
    await begin_campaign(connection, job)
    await shop.pool.execute("update campaign_jobs set rescues = 5")

    answers = await write_records(connection, [done(job, None, **more)])

    written = await shop.pool.fetchrow(
        """select s.attempt, s.looks, s.due_at is not null as delay_seconds, j.rescues = 0 as was_rescued,
               s.platform_id, s.outcome, s.error, s.status::text
           from job_steps as s join campaign_jobs as j on j.id = s.campaign_job_id"""
    )
    assert answers == [True]
    assert dict(written) == {
        "attempt": 0,
        "looks": 0,
        "was_rescued": False,
        "platform_id": "1,2",
        "outcome": '{"detail": {}, "platform_id": "1,2"}',
        "error": None,
        "status": "DONE",
        **more,
        "delay_seconds": "delay_seconds" in more,
    }


async def test_only_the_run_whose_step_it_is_hears_that_it_is_done(shop, connection, both):
    lost, present = both
    await begin_campaign(connection, present)

    answers = [
        await write_records(connection, [done(run, None, platform_id=name)])
        for run, name in ((lost, "1"), (present, "2"), (lost, "3"))
    ]

    events = "select array_agg(data ->> 'platform_id') from job_events where kind = 'job.step.done'"
    assert answers == [[False], [True], [False]]
    assert await shop.value(events) == ["2"]


async def test_each_of_a_flush_hears_whether_its_step_is_done(connection, both):
    lost, present = both
    await begin_campaign(connection, present)

    answers = await write_records(connection, [done(lost, None), done(present, None)])

    assert answers == [False, True]


@pytest.mark.parametrize("attempt", [0, 1])
async def test_a_step_that_is_done_leaves_its_siblings_as_they_are(shop, connection, attempt):
    """By whichever statement that is written."""
    (job,) = await more_jobs(shop, 1)
    sibling = msgspec.structs.replace(intent(job), name="media[hero]")
    await write_intents(connection, [intent(job), sibling])

    await write_records(connection, [done(job, None, attempt=attempt)])

    rows = await shop.pool.fetch("select name, status, platform_id from job_steps order by name")
    assert [tuple(row) for row in rows] == [
        ("campaign", "DONE", "1,2"),
        ("media[hero]", "RUNNING", None),
    ]


@pytest.mark.parametrize("attempt", [0, 1])
async def test_nothing_of_what_a_step_met_before_is_left_when_it_is_done(shop, connection, attempt):
    """By whichever statement that is written."""
    (job,) = await more_jobs(shop, 1)
    await begin_campaign(connection, job)
    await shop.pool.execute(
        "update job_steps set attempt = 3, looks = 1, due_at = now(), error = '{}'"
    )

    await write_records(connection, [done(job, None, attempt=attempt)])

    row = await shop.pool.fetchrow("select attempt, looks, due_at, error from job_steps")
    assert tuple(row) == (attempt, 0, None, None)


@pytest.mark.parametrize("status", get_args(StepStatus.__value__))
async def test_only_what_is_done_or_failed_has_an_end_and_is_told(shop, connection, status):
    (job,) = await more_jobs(shop, 1)
    await begin_campaign(connection, job)

    await write_records(connection, [done(job, None, status=status, attempt=1)])

    ends = {"DONE": ["job.step.done"], "FAILED": ["job.step.failed"]}
    is_over = await shop.value("select finished_at is not null from job_steps")
    assert is_over == (status in ends)
    assert [row["kind"] for row in await told_of(shop, job)] == ends.get(status, [])


@pytest.mark.parametrize("status", ["WAITING", "IN_DOUBT", "RUNNING", "FAILED"])
async def test_only_what_is_done_makes_rescues_count_no_more(shop, connection, status):
    (job,) = await more_jobs(shop, 1)
    await begin_campaign(connection, job)
    await shop.pool.execute("update campaign_jobs set rescues = 5")

    await write_records(connection, [done(job, None, status=status, was_rescued=True)])

    assert await shop.value("select rescues from campaign_jobs") == 5


async def test_what_became_of_a_step_is_written_again_when_nobody_heard_so(shop, connection, both):
    """A step that an earlier run has begun, which this one has found."""
    earlier, present = both
    await shop.pool.execute(
        """insert into job_steps (campaign_job_id, name, position, kind, status, claim_token)
           values ($1, 'campaign', 2, 'campaign', 'RUNNING', $2)""",
        earlier.id,
        earlier.claim_token,
    )
    found = [msgspec.structs.replace(done(present, None), previous_token=earlier.claim_token)]

    answers = [await write_records(connection, found) for _ in range(2)]

    assert answers == [[True], [True]]


async def test_what_a_neighbour_has_read_opens_no_row_that_a_run_has_not_read(shop, connection):
    await shop.job(await shop.account())
    await shop.job(await shop.account())
    for job in (before := await shop.claim()):
        await begin_campaign(connection, job)
    await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
    reader, other = await shop.claim()
    token = before[0].claim_token
    intents = [
        Intent(job.id, job.claim_token, "campaign", 0, "campaign", 0, b"", read, 30)
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
    intents = [Intent(job.id, token, name, 0, "campaign", 0, digest, None, 30) for name in names]
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
    assert await write_intents(connection, [intent(job)]) == [True]


async def more_jobs(shop, count):
    """Claimed by one run each."""
    for _ in range(count):
        await shop.job(await shop.account())
    return await shop.claim()


def intent(job):
    return Intent(job.id, job.claim_token, "campaign", 2, "campaign", 0, b"d" * 32, None, 30)


def done(job, team, status="DONE", **more):
    token = job.claim_token
    return Record(
        job.id,
        team,
        token,
        token,
        "campaign",
        status,
        **{
            "attempt": 0,
            "outcome": '{"platform_id":"1,2","detail":{}}',
            "platform_id": "1,2",
            **more,
        },
    )


async def row_of(shop, job):
    """Without what tells it from the row of any other job."""
    row = await shop.pool.fetchrow(
        """select *, intent_at is not null as is_begun, started_at = intent_at as is_new,
               finished_at is not null as is_finished, claim_token = $2 as is_ours
           from job_steps where campaign_job_id = $1""",
        job.id,
        job.claim_token,
    )
    own = {"campaign_job_id", "claim_token", "intent_at", "started_at", "finished_at"}
    return {name: value for name, value in row.items() if name not in own}


async def told_of(shop, job):
    return await shop.pool.fetch(
        "select team_id, kind, data from job_events where campaign_job_id = $1 and kind <> 'job.started'",
        job.id,
    )

"""What the last write of a run leaves in the row of its job."""

from datetime import datetime

import msgspec
import pytest

from workers.writes import Move, write_moves

STATE = """
    select status, due_at, claim_token, worker_id, waiting_reason, waiting_since, result,
        platform_campaign_id, error_code, error, finished_at is not null as is_over,
        extract(epoch from due_at - updated_at)::float8 as due_in
    from campaign_jobs"""


@pytest.fixture
async def job(shop):
    return await shop.claimed()


async def move(shop, job, status, *rest, **more):
    """Claims the job again where it is free; what was answered, and the row."""
    if await shop.value("select claim_token is null from campaign_jobs"):
        await shop.pool.execute("update campaign_jobs set due_at = now()")
        (job,) = await shop.claim()
    async with shop.pool.acquire() as connection:
        (answer,) = await write_moves(
            connection, [Move(job.id, job.claim_token, status, *rest, **more)]
        )
    return answer, await shop.pool.fetchrow(STATE)


async def ask_to_stop(shop):
    await shop.pool.execute("update campaign_jobs set cancel_requested_at = now()")


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ("PROCESSING", "CANCELLED"),
        ("SUCCESS", "SUCCESS"),
        ("PARTIAL_SUCCESS", "PARTIAL_SUCCESS"),
        ("FAILED", "FAILED"),
    ],
)
async def test_a_job_that_was_asked_to_stop_ends_as_it_came_out_or_goes_on_no_more(
    shop, job, ends, status
):
    await ask_to_stop(shop)

    answer, row = await move(shop, job, ends)

    assert (answer, row["status"], row["is_over"]) == (status, status, True)
    assert row["claim_token"] is row["worker_id"] is None


async def test_what_a_cancelled_job_waited_for_last_is_not_told_as_the_reason_of_its_end(shop, job):
    await ask_to_stop(shop)

    await move(shop, job, "PROCESSING", 60.0, "retry", error_code="busy")

    data = "select data::text from job_events where kind = 'job.finished'"
    assert await shop.value(data) == '{"code": null, "status": "CANCELLED"}'


@pytest.mark.parametrize(
    ("status", "reason", "code", "kind", "data"),
    [
        ("PROCESSING", None, None, None, None),
        ("PROCESSING", "retry", "x", "job.waiting", {"reason": "retry"}),
        ("SUCCESS", None, None, "job.finished", {"status": "SUCCESS", "code": None}),
        ("SUCCESS", None, "x", "job.finished", {"status": "SUCCESS", "code": "x"}),
        ("FAILED", None, None, "job.finished", {"status": "FAILED", "code": None}),
        ("FAILED", None, "x", "job.finished", {"status": "FAILED", "code": "x"}),
    ],
)
async def test_what_becomes_of_a_job_is_told_in_a_word(shop, job, status, reason, code, kind, data):
    _, row = await move(shop, job, status, 60.0, reason, error_code=code)

    told = await shop.pool.fetch("select kind, data from job_events where kind <> 'job.started'")
    facts = [(event["kind"], msgspec.json.decode(event["data"])) for event in told]
    if kind == "job.waiting":
        assert datetime.fromisoformat(facts[0][1].pop("until")) == row["due_at"]
    assert facts == ([] if kind is None else [(kind, data)])


async def test_a_job_waits_since_it_began_to_wait_for_the_same(shop, job):
    _, first = await move(shop, job, "PROCESSING", 60.0, "retry")
    _, again = await move(shop, job, "PROCESSING", 60.0, "retry")
    _, other = await move(shop, job, "PROCESSING", 30.0, "throttled")
    _, none = await move(shop, job, "PROCESSING")

    assert first["waiting_since"] == again["waiting_since"] < other["waiting_since"]
    assert (again["due_in"], other["due_in"], none["due_in"]) == (60, 30, 0)
    assert none["waiting_reason"] is none["waiting_since"] is None


async def test_a_job_that_never_waited_waits_for_nothing(shop, job):
    _, row = await move(shop, job, "PROCESSING")

    assert row["waiting_reason"] is row["waiting_since"] is None
    assert not row["is_over"]


async def test_what_a_job_has_made_is_kept_until_a_run_tells_more(shop, job):
    made = {"result": '{"campaign": "1"}', "platform_campaign_id": "1"}
    more = {"result": '{"campaign": "2"}', "platform_campaign_id": "2"}

    _, first = await move(shop, job, "PROCESSING", error_code="x", error='{"code": "x"}', **made)
    _, kept = await move(shop, job, "PROCESSING")
    _, last = await move(shop, job, "SUCCESS", **more)

    assert {name: first[name] for name in made} == {name: kept[name] for name in made} == made
    assert {name: last[name] for name in more} == more
    assert (first["error_code"], first["error"]) == ("x", '{"code": "x"}')
    assert kept["error_code"] is kept["error"] is None


async def test_one_moves_and_its_neighbour_is_lost(shop, connection):
    """Each by its own token, and each hears of its own."""
    account = await shop.account()
    for _ in range(3):
        await shop.job(account)
    lost, waits, done = await shop.claim()
    await shop.pool.execute(
        "update campaign_jobs set claim_token = gen_random_uuid() where id = $1", lost.id
    )

    answers = await write_moves(
        connection,
        [
            Move(lost.id, lost.claim_token, "FAILED"),
            Move(waits.id, waits.claim_token, "PROCESSING", 9.0, "retry"),
            Move(done.id, done.claim_token, "SUCCESS"),
        ],
    )

    rows = await shop.pool.fetch(
        "select id, status, claim_token is null as is_free from campaign_jobs"
    )
    assert answers == [False, "PROCESSING", "SUCCESS"]
    assert {row["id"]: (row["status"], row["is_free"]) for row in rows} == {
        lost.id: ("PROCESSING", False),
        waits.id: ("PROCESSING", True),
        done.id: ("SUCCESS", True),
    }

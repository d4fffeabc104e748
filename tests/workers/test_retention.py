"""What is older than it is to be kept goes with all that belongs to it; nothing else does."""

import asyncio
import json

import asyncpg
import pytest
import structlog

from common.uuid7 import uuid7
from models.database import open_pool
from models.gen import retention
from tests.workers.running import until
from workers.retention import WORKER, Ages, count, keep_house
from workers.retention import _housekeeping as housekeeping
from workers.retention import forget as forget_as

JOBS = Ages(jobs_days=30)
AUDIT = Ages(audit_days=30)
NOTHING = {"campaign_jobs": 0, "campaign_requests": 0, "job_steps": 0, "job_events": 0}


async def forget(pool, ages, **rest):
    return await forget_as(pool, ages, WORKER, **rest)


@pytest.fixture
async def pool(database):
    opened = await open_pool(database, size=3, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def account(pool):
    return await pool.fetchval(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values ($1, 'a', 'META', 'act_1', '', 'k', '', 'sandbox') returning id""",
        uuid7(),
    )


async def add_job(pool, account, days: float, status: str = "SUCCESS", key: str | None = None):
    """A job made so many days ago, with two steps and three events; it ended at once or never."""
    job = await pool.fetchval(
        """insert into campaign_jobs (id, ad_account_id, platform_type, mode, status, created_at, finished_at)
           values ((left(replace(oldest_kept_id($2)::text, '-', ''), 12)
                   || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid,
               $1, 'META', 'sandbox', $3::job_status, now() - make_interval(secs => $2 * 86400),
               case when $3 not in ('PENDING', 'PROCESSING')
                    then now() - make_interval(secs => $2 * 86400) end)
           returning id""",
        account,
        days,
        status,
    )
    await pool.execute(
        """insert into campaign_requests (campaign_job_id, payload, idempotency_key, request_fingerprint)
           values ($1, '{}', $2, '')""",
        job,
        key,
    )
    await pool.execute(
        """insert into job_steps (campaign_job_id, name, position, kind, status, claim_token)
           select $1, 'step ' || n, n, 'campaign', 'DONE', gen_random_uuid()
           from generate_series(1, 2) as n""",
        job,
    )
    await pool.execute(
        "insert into job_events (campaign_job_id, kind) select $1, 'k' from generate_series(1, 3)",
        job,
    )
    return job


async def add_entry(pool, days: float):
    await pool.execute(
        """insert into audit_log (at, actor, action, object_type)
           values (now() - make_interval(secs => $1 * 86400), 'me', 'a.b', 'a')""",
        days,
    )


async def remaining(pool, table: str) -> int:
    return await pool.fetchval(f"select count(*) from {table}")  # noqa: S608 - named in this file


async def test_a_job_that_ended_long_ago_goes_with_all_that_was_written_of_it(pool, account):
    await add_job(pool, account, 31)
    kept = await add_job(pool, account, 29)

    counted = await count(pool, JOBS)
    gone = await forget(pool, JOBS)

    assert gone == counted == {
        "campaign_jobs": 1, "campaign_requests": 1, "job_steps": 2, "job_events": 3
    }  # fmt: skip
    assert await pool.fetchval("select id from campaign_jobs") == kept
    assert await remaining(pool, "campaign_requests") == 1
    assert await remaining(pool, "job_steps") == 2
    assert await remaining(pool, "job_events") == 3


async def test_counting_deletes_nothing(pool, account):
    await add_job(pool, account, 31)

    await count(pool, JOBS)

    assert await remaining(pool, "campaign_jobs") == 1


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
async def test_an_open_job_stays_however_old_it_is(pool, account, status):
    await add_job(pool, account, 400, status)

    assert await forget(pool, JOBS) == NOTHING
    assert await remaining(pool, "campaign_jobs") == 1


async def test_an_old_job_that_ended_lately_stays(pool, account):
    job = await add_job(pool, account, 400)
    await pool.execute("update campaign_jobs set finished_at = now() where id = $1", job)

    assert await forget(pool, JOBS) == NOTHING


async def test_a_job_that_somebody_is_changing_is_left_for_the_next_time(pool, account, database):
    job = await add_job(pool, account, 31, "FAILED")
    other = await asyncpg.connect(database)

    async with other.transaction():
        await other.execute(
            "update campaign_jobs set status = 'PENDING', finished_at = null where id = $1", job
        )
        while_held = await forget(pool, JOBS)
    after = await forget(pool, JOBS)

    assert while_held == after == NOTHING
    assert await remaining(pool, "job_steps") == 2
    await other.close()


async def test_batches_follow_each_other_until_nothing_old_is_left(pool, account, monkeypatch):
    monkeypatch.setattr("workers.retention.BATCH", 2)
    for _ in range(5):
        await add_job(pool, account, 31)

    a_turn = await forget(pool, JOBS, most_batches=1)
    the_rest = await forget(pool, JOBS)

    assert (a_turn["campaign_jobs"], the_rest["campaign_jobs"]) == (2, 3)


async def test_a_turn_has_so_many_batches(pool, account, monkeypatch):
    monkeypatch.setattr("workers.retention.BATCH", 1)
    for _ in range(4):
        await add_job(pool, account, 31)

    turns = [(await forget(pool, JOBS, most_batches=n))["campaign_jobs"] for n in (2, 3)]

    assert turns == [2, 2]


async def test_large_jobs_go_in_smaller_batches(pool, account, monkeypatch):
    monkeypatch.setattr("workers.retention.MOST_STEPS", 5)
    for _ in range(4):
        await add_job(pool, account, 31)
    await pool.execute("update campaign_jobs set steps_total = 4")

    turns = [await forget(pool, JOBS, most_batches=1) for _ in range(3)]

    assert [turn["campaign_jobs"] for turn in turns] == [2, 2, 0]


async def test_a_job_that_alone_is_too_large_goes_all_the_same(pool, account, monkeypatch):
    monkeypatch.setattr("workers.retention.MOST_STEPS", 5)
    await add_job(pool, account, 31)
    await pool.execute("update campaign_jobs set steps_total = 8000")

    assert (await forget(pool, JOBS))["campaign_jobs"] == 1


async def test_an_age_of_a_century_looks_at_no_job(pool, account):
    await add_job(pool, account, 1)
    sql = f"explain (analyze, format json) {retention.DELETE_OLD_JOBS}"

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        plan = await connection.fetchval(sql, 36500.0, 500, 20_000)

    assert find(json.loads(plan), "campaign_jobs") == 0


def find(plan, table):
    """How many rows a plan read of the table, those that a filter took away included."""
    if isinstance(plan, list):
        return sum(find(part, table) for part in plan)
    if not isinstance(plan, dict):
        return 0
    own = 0
    if plan.get("Relation Name") == table and plan.get("Node Type") != "ModifyTable":
        own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return own + sum(find(part, table) for part in plan.values())


async def test_the_idempotency_key_of_a_deleted_job_is_free_again(pool, account):
    await add_job(pool, account, 31, key="once")

    await forget(pool, JOBS)

    assert await add_job(pool, account, 0, key="once")


async def test_zero_keeps_for_ever(pool, account):
    await add_job(pool, account, 4000)
    await add_entry(pool, 4000)

    assert await forget(pool, Ages()) == await count(pool, Ages()) == {}
    assert await remaining(pool, "campaign_jobs") == 1


async def test_old_audit_entries_go_and_younger_ones_stay(pool):
    for days in (90, 31, 29, 0):
        await add_entry(pool, days)

    counted = await count(pool, AUDIT)
    gone = await forget(pool, AUDIT)

    assert gone == counted == {"audit_log": 2}
    assert await remaining(pool, "audit_log") == 3
    said = await pool.fetchrow("select * from audit_log order by id desc limit 1")
    assert (said["actor"], said["action"]) == ("worker", "retention.ran")
    assert said["detail"] == '{"audit_log": 2}'


async def test_audit_entries_go_in_batches_too(pool, monkeypatch):
    monkeypatch.setattr("workers.retention.BATCH", 2)
    for _ in range(5):
        await add_entry(pool, 40)

    turns = [await forget(pool, AUDIT, most_batches=1) for _ in range(3)]

    assert turns == [{"audit_log": 2}, {"audit_log": 2}, {"audit_log": 1}]


async def test_audit_entries_stay_for_as_long_as_is_set(pool):
    for days in (61, 59):
        await add_entry(pool, days)

    counted = await count(pool, Ages(audit_days=60))
    gone = await forget(pool, Ages(audit_days=60))

    assert gone == counted == {"audit_log": 1}


async def test_who_keeps_house_goes_on_after_a_failure_and_tells_of_both(pool):
    ages = Ages(jobs_days=30, audit_days=30)
    await add_entry(pool, 31)
    await pool.execute("alter function forget_audit_entries(float8, integer) rename to away")

    with structlog.testing.capture_logs() as lines:
        keeping = asyncio.create_task(keep_house(pool, ages, every_seconds=0.001))
        await until(lambda: lines or keeping.done())
        await pool.execute("alter function away(float8, integer) rename to forget_audit_entries")
        await until(lambda: keeping.done() or "retention.deleted" in {x["event"] for x in lines})
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    events = {line["event"]: line for line in lines}
    assert events["retention.failed"]["error"] == "UndefinedFunctionError"
    assert events["retention.deleted"]["audit_log"] == 1
    said = await pool.fetchrow("select * from audit_log order by id desc limit 1")
    assert (said["actor"], said["action"]) == ("worker", "retention.ran")


async def test_no_setting_makes_an_audit_entry_go_before_thirty_days(pool):
    await add_entry(pool, 29)

    assert await forget(pool, Ages(audit_days=0.001)) == {"audit_log": 0}
    assert await count(pool, Ages(audit_days=0.001)) == {"audit_log": 0}


async def test_the_database_keeps_thirty_days_of_history_whatever_anybody_sets(pool):
    await add_entry(pool, 29)
    async with pool.acquire() as connection:
        await connection.execute("set mojito.forgets_history = 'on'")

        for sql in (
            "delete from audit_log",
            "update audit_log set actor = 'you'",
            "truncate audit_log",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(sql)
        await connection.execute("reset mojito.forgets_history")


async def test_a_role_that_may_only_append_can_be_given_retention_and_nothing_more(pool, account):
    await add_entry(pool, 31)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """create role mojito_app_test;
               grant select, insert on audit_log to mojito_app_test;
               grant execute on function forget_audit_entries(float8, integer) to mojito_app_test;
               set local role mojito_app_test"""
        )

        await connection.execute(
            "insert into audit_log (actor, action, object_type) values ('me', 'a.b', 'a')"
        )
        gone = await retention.forget_audit_entries(connection, older_than_days=30, most=10)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("delete from audit_log")
        await transaction.rollback()

    assert gone == 1


async def test_a_table_that_cannot_be_tidied_holds_up_no_other_and_hides_nothing(pool, account):
    await add_job(pool, account, 31)
    await pool.execute("drop function forget_audit_entries(float8, integer)")

    with pytest.raises(asyncpg.UndefinedFunctionError):
        await forget(pool, Ages(jobs_days=30, audit_days=30, deliveries_days=30))

    said = await pool.fetchrow("select action, detail from audit_log order by id desc limit 1")
    told = json.loads(said["detail"])
    assert said["action"] == "retention.ran"
    assert told["campaign_jobs"] == 1
    assert told["webhook_deliveries"] == 0  # it came to the last table


async def test_only_one_worker_keeps_house_at_a_time(pool, account, database):
    await add_job(pool, account, 31)
    other = await open_pool(database, size=1, name="other")

    async with housekeeping(pool) as connection:
        refused = await forget(other, JOBS)
    taken = await forget(other, JOBS)

    assert connection is not None
    assert refused is None
    assert taken["campaign_jobs"] == 1
    await other.close()


async def test_a_worker_that_dies_leaves_the_housekeeping_to_others(pool, account, database):
    await add_job(pool, account, 31)
    dying = await asyncpg.connect(database)
    await retention.take_housekeeping(dying)
    before = await forget(pool, JOBS)

    await dying.close()

    assert before is None
    async with pool.acquire() as connection:
        while not await retention.take_housekeeping(
            connection
        ):  # the server notices in its own time
            pass
        await retention.give_back_housekeeping(connection)
    assert (await forget(pool, JOBS))["campaign_jobs"] == 1

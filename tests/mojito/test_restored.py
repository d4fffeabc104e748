"""`mojito restored` after years: no statement of it is larger than a batch of jobs."""

import asyncio
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from mojito.main import main
from tests.house.conftest import until
from tests.routes.meta_requests import meta_request
from workers.presence import Presence

JOBS = 5
COUNTED = """
create table touched (rows integer);
create function count_touched() returns trigger language plpgsql as $$
begin
    insert into touched select count(*) from changed;
    return null;
end $$;
create trigger steps_are_counted after update on job_steps
    referencing new table as changed for each statement execute function count_touched();
"""


STATUSES = ("PENDING", "PROCESSING", "PARTIAL_SUCCESS", "CANCELLED", "SUCCESS")
BEGUN = ("PENDING", "RUNNING", "IN_DOUBT", "WAITING", "SKIPPED")


@pytest.fixture
async def empty(database):
    """An account, and no job."""
    connection = await asyncpg.connect(database)
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values (gen_random_uuid(), 'a', 'META', 'act_1', '', 'k', '', 'sandbox')"""
    )
    yield connection
    await connection.close()


@pytest.fixture
async def sql(empty):
    """Jobs that failed, each with two steps that were begun and one that is done."""
    connection = empty
    await connection.execute(
        """with jobs as (
               insert into campaign_jobs (id, ad_account_id, platform_type, mode, status)
               select gen_random_uuid(), id, 'META', 'sandbox', 'FAILED'
               from ad_accounts, generate_series(1, $1) returning id
           ), requests as (
               insert into campaign_requests (campaign_job_id, payload) select id, $2 from jobs
           )
           insert into job_steps (campaign_job_id, name, position, kind, status, claim_token)
           select jobs.id, told.name, 0, 'campaign', told.status, gen_random_uuid()
           from jobs, (values ('media[hero]', 'DONE'::step_status), ('campaign', 'RUNNING'),
               ('ad_set[0]', 'FAILED')) as told (name, status)""",
        JOBS,
        msgspec.json.encode(meta_request()).decode(),
    )
    await connection.execute(COUNTED)
    return connection


async def test_it_is_refused_beside_workers_who_have_looked_for_nothing(
    sql, database, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    presence = Presence(database, uuid4(), renew_seconds=5, trust_seconds=20)

    async with presence.running():
        await until(lambda: is_connected(sql))
        beside_a_worker = await asyncio.to_thread(main, ["restored"])
    told = capsys.readouterr()
    begun = await sql.fetchval("select count(*) from job_steps where status = 'RUNNING'")

    assert (beside_a_worker, told.out) == (2, "")
    assert "workers are connected to this database: 1; stop them all" in told.err
    assert begun == JOBS


async def is_connected(sql):
    return await sql.fetchval(
        "select count(*) = 1 from pg_stat_activity "
        "where datname = current_database() and application_name = 'mojito presence'"
    )


async def test_steps_are_put_in_doubt_batch_by_batch(sql, database, monkeypatch, tmp_path):
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("mojito.restored._BATCH", 2)

    assert await asyncio.to_thread(main, ["restored"]) == 0

    rows = await sql.fetch("select name, status::text, looks from job_steps")
    kept = {(row["name"], row["status"], row["looks"]) for row in rows}
    assert sorted(row["rows"] for row in await sql.fetch("select rows from touched")) == [2, 4, 4]
    assert kept >= {("media[hero]", "DONE", 0), ("campaign", "IN_DOUBT", 0)}
    assert ("ad_set[0]", "FAILED", 1) in kept
    assert ("ad[0][0]", "IN_DOUBT", 0) in kept


async def add_job(connection, status, kind="BUILD_CAMPAIGN"):
    """Begun yesterday, and due in an hour."""
    job_id = await connection.fetchval(
        """insert into campaign_jobs (id, kind, ad_account_id, platform_type, mode, status, due_at,
               claim_token, worker_id)
           select gen_random_uuid(), $2, id, 'META', 'sandbox', $1::job_status,
               now() + interval '1 hour',
               case $1 when 'PROCESSING' then gen_random_uuid() end,
               case $1 when 'PROCESSING' then gen_random_uuid() end
           from ad_accounts returning id""",
        status,
        kind,
    )
    request = meta_request() if kind == "BUILD_CAMPAIGN" else {"webhook_delivery_id": str(uuid4())}
    await connection.execute(
        "insert into campaign_requests (campaign_job_id, payload) values ($1, $2)",
        job_id,
        msgspec.json.encode(request).decode(),
    )
    return job_id


async def begin(connection, job_id, name, status):
    await connection.execute(
        """insert into job_steps (campaign_job_id, name, position, kind, status, claim_token, looks,
               intent_at)
           values ($1, $2, 0, 'campaign', $3, gen_random_uuid(), 1, now() - interval '1 day')""",
        job_id,
        name,
        status,
    )


async def restore(database, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    assert await asyncio.to_thread(main, ["restored", "--json"]) == 0
    return msgspec.json.decode(capsys.readouterr().out)


async def test_every_campaign_that_goes_on_or_may_is_looked_for_and_no_other_job(
    empty, database, monkeypatch, tmp_path, capsys
):
    jobs = {status: await add_job(empty, status) for status in STATUSES}
    other = await add_job(empty, "PENDING", "DELIVER_WEBHOOK")
    for job_id in (*jobs.values(), other):
        await begin(empty, job_id, "campaign", "RUNNING")

    told = await restore(database, monkeypatch, tmp_path, capsys)

    rows = await empty.fetch(
        "select campaign_job_id as id, name from job_steps where status = 'IN_DOUBT' and name <> 'ad[0][0]'"
    )
    doubted = {row["id"] for row in rows if row["name"] == "campaign"}
    assert doubted == {jobs[status] for status in STATUSES if status != "SUCCESS"}
    assert {row["id"] for row in rows} == doubted, "nothing was planned for any other"
    assert (told["claims_freed"], told["open_jobs"], told["ended_jobs"]) == (1, 2, 2)


async def test_jobs_that_were_claimed_are_due_at_once_and_others_when_they_were(
    empty, database, monkeypatch, tmp_path, capsys
):
    claimed, waiting = await add_job(empty, "PROCESSING"), await add_job(empty, "PENDING")

    await restore(database, monkeypatch, tmp_path, capsys)

    rows = await empty.fetch(
        "select id, due_at <= now() as is_due, claim_token, worker_id from campaign_jobs"
    )
    assert {tuple(row) for row in rows} == {
        (claimed, True, None, None),
        (waiting, False, None, None),
    }


async def test_whatever_was_begun_is_looked_for_twice_from_now_on(
    empty, database, monkeypatch, tmp_path, capsys
):
    """Also what no row tells of: a call of just before the restore may still be at work."""
    job_id = await add_job(empty, "FAILED")
    for status in BEGUN:
        await begin(empty, job_id, status, status)

    await restore(database, monkeypatch, tmp_path, capsys)

    rows = await empty.fetch(
        "select name, status::text, looks, intent_at > now() - interval '1 hour' from job_steps"
    )
    assert {tuple(row)[1:] for row in rows} == {("IN_DOUBT", 0, True)}
    assert {row["name"] for row in rows} > {*BEGUN, "campaign", "ad_set[0]", "ad[0][0]"}

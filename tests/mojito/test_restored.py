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


@pytest.fixture
async def sql(database):
    """Jobs that failed, each with two steps that were begun and one that is done."""
    connection = await asyncpg.connect(database)
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values (gen_random_uuid(), 'a', 'META', 'act_1', '', 'k', '', 'sandbox')"""
    )
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
    yield connection
    await connection.close()


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

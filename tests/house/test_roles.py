"""The installation under docs/operations/roles.sql: the application role can do all it must, and no more."""

import asyncio
import json
import subprocess
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from common.errors import ConfigurationError
from models.gen import job_events
from models.horizon import Horizon
from models.identity import AnotherDatabase
from models.migrate import load, migrate
from mojito.doctor import Surroundings, examine
from mojito.main import main
from mojito.retention import ages
from tests.conftest import own
from tests.house.conftest import ROOT, until
from tests.house.webhooks import deliveries, listen, over
from tests.template import TEMPLATE
from workers.retention import WORKER, forget

REFUSED = {
    "drop table campaign_jobs": "must be owner",
    "alter table campaign_jobs add column more text": "must be owner",
    "alter table audit_log disable trigger user": "must be owner",
    "drop function forget_audit_entries(float8, integer)": "must be owner",
    "create or replace function refuse_change_of_history() returns trigger language plpgsql as "
    "'begin return new; end'": "permission denied for schema",
    "create table mine ()": "permission denied for schema",
    "create temporary table audit_log ()": "permission denied to create temporary tables",
    "create schema mine": "permission denied for database",
    "truncate job_events": "permission denied for table",
    "truncate audit_log": "permission denied for table",
    "delete from audit_log": "permission denied for table",
    "update audit_log set actor = 'nobody'": "permission denied for table",
    "delete from schema_migrations": "permission denied for table",
    "set session_replication_role = replica": "permission denied to set parameter",
    "set role mojito_owner": "permission denied to set role",
}


CLOSED = "revoke execute on function pg_control_system() from public, mojito_app, mojito_owner"


class Roles:
    """A database of its own, as its two roles see it."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    def url(self, role):
        return self.server.url(self.name).replace("//mojito@", f"//{role}@")

    def grant(self):
        """What the operator's document says."""
        subprocess.run(
            [
                *(self.server.binaries.folder / "psql", self.server.url(self.name)),
                *("-q", "-v", "ON_ERROR_STOP=1", "-f", ROOT / "docs/operations/roles.sql"),
            ],
            check=True,
            cwd=Path("/"),
        )


@pytest.fixture(params=["made by the owner", "taken over"])
async def roles(request, server, admin):
    """Both ways to come there: with roles from the first day on, or later."""
    name = f"roles_{uuid4().hex[:12]}"
    roles = Roles(server, name)
    if request.param == "taken over":
        await admin.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        await own(server.url(name))
    else:
        await admin.execute(f"create database {name}")
        roles.grant()
        await migrate(roles.url("mojito_owner"))
    roles.grant()
    yield roles
    await admin.execute(f"drop database {name} with (force)")


@pytest.fixture
async def database(roles):
    """What the house of these tests runs on."""
    return roles.url("mojito_app")


async def test_a_whole_job_runs_under_the_application_role(house, receiver):
    endpoint = await listen(house, receiver)

    job_id = await house.submit(house.request())
    async with house.working():
        job = await house.finished(job_id)
        await over(house)

        async def is_audited():
            sql = "select count(*) from audit_log where action = 'ad_account.credentials_read'"
            return await house.pool.fetchval(sql)

        await until(is_audited)
        findings = await examine(house.settings, Surroundings())

    assert await house.pool.fetchval("select current_user") == "mojito_app"
    assert job["status"] == "SUCCESS"
    assert {one["status"] for one in await deliveries(house, endpoint)} == {"DELIVERED"}
    assert await house.pool.fetchval("select count(*) from rate_limits") == 2
    assert [f for f in findings if f.severity == "error" and f.check != "durability"] == []


async def test_a_server_that_keeps_its_identifier_to_itself_is_not_taken_for_the_right_one(
    house, roles, admin
):
    connection = await asyncpg.connect(roles.server.url(roles.name))
    await connection.execute(CLOSED)

    with pytest.raises(AnotherDatabase, match=r"does not tell us which one .* \(roles\.sql\)"):
        await worked(house)
    told = await finding(house)
    roles.grant()
    await worked(house)
    mended = await finding(house)
    await connection.execute(CLOSED)
    await connection.execute("update database_identity set system_identifier = null")
    await worked(house)
    unsure = await finding(house)
    await connection.close()

    assert [one.severity for one in (told, mended, unsure)] == ["error", "ok", "warning"]
    assert "roles.sql" in told.remedy
    assert "would not be noticed" in unsure.message
    assert "mojito restored --nothing-lost" in unsure.remedy


async def worked(house):
    async with house.working():
        pass


async def finding(house):
    found = await examine(house.settings, Surroundings())
    (one,) = [one for one in found if one.check == "identity"]
    return one


async def test_every_command_runs_under_the_application_role(house, monkeypatch):
    monkeypatch.setenv("MOJITO_DATABASE_URL", str(house.settings.database_url))
    monkeypatch.setenv("MOJITO_DATA_DIR", str(house.settings.data_dir))
    monkeypatch.setenv("MOJITO_SANDBOX_URL", house.sandbox.url)
    theirs = await house.sandbox.account()
    credentials = house.settings.data_dir / "credentials.json"
    credentials.write_text(json.dumps({"access_token": theirs["access_token"]}))
    await house.submit(house.request())

    async def done(*arguments):
        return await asyncio.to_thread(main, list(arguments))

    made = await done("keys", "create", "--team", "more")
    key_id = await house.pool.fetchval("select max(id::text) from api_keys")
    account = ("--team", "more", "--account", theirs["id"], "--mode", "sandbox")
    codes = {
        command: await done(*command)
        for command in (
            ("keys", "list"),
            ("keys", "revoke", key_id),
            ("accounts", "add", *account, "--credentials", str(credentials)),
            ("accounts", "list"),
            ("accounts", "verify", theirs["id"]),
            ("encryption", "status"),
            ("encryption", "rotate"),
            ("audit", "export"),
            ("retention", "--dry-run"),
            ("retention",),
            ("restored",),
            ("migrate", "--dry-run"),
            ("migrate",),
        )
    }

    assert await house.pool.fetchval("select current_user") == "mojito_app"
    assert made == 0
    assert {command for command, code in codes.items() if code} == set()


async def test_streams_know_the_last_event_under_the_application_role(house):
    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)

    last = await house.pool.fetchval("select max(id) from job_events")

    assert last is not None
    assert await job_events.get_last_event_number(house.pool) == last
    # where nothing waits for the disk there is always something to keep
    assert await house.pool.fetchval("show synchronous_commit") == "off"
    assert await Horizon().look(house.pool) == last


async def test_retention_runs_under_the_application_role(house, roles):
    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)
    owner = await asyncpg.connect(roles.url("mojito_owner"))
    await owner.execute(
        """alter table audit_log disable trigger audit_log_is_append_only;
           update audit_log set at = now() - interval '8 years';
           alter table audit_log enable trigger audit_log_is_append_only;
           update campaign_requests set campaign_job_id =
               overlay(campaign_job_id::text placing '01800000' from 1 for 8)::uuid;
           update campaign_jobs set finished_at = now() - interval '366 days',
               id = overlay(id::text placing '01800000' from 1 for 8)::uuid"""
    )
    old = await owner.fetchval("select count(*) from audit_log")
    await owner.close()

    gone = await forget(house.pool, ages(house.settings), WORKER)

    assert old > 0
    assert (gone["campaign_jobs"], gone["campaign_requests"], gone["audit_log"]) == (1, 1, old)


async def test_the_application_role_can_neither_change_the_schema_nor_history(house, database):
    connection = await asyncpg.connect(database)
    before = await connection.fetchval("select count(*) from audit_log")

    for statement, why in REFUSED.items():
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=why):
            await connection.execute(statement)

    assert before > 0
    assert await connection.fetchval("select count(*) from audit_log") == before
    await connection.close()


async def test_the_owner_goes_all_the_way_down_and_up_again(roles):
    names = [migration.name for migration in load()]

    assert len(await migrate(roles.url("mojito_owner"), to="0000")) == len(names)
    assert len(await migrate(roles.url("mojito_owner"))) == len(names)
    roles.grant()
    assert await migrate(roles.url("mojito_app")) == []
    with pytest.raises(ConfigurationError, match="as the role that owns the tables"):
        await migrate(roles.url("mojito_app"), to="0000")

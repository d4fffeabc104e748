"""The role that the manual gives to the programs can do what they do, and cannot change history."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest

from common.uuid7 import uuid7
from models.gen import campaign_jobs, job_events, rate_limits, retention

MANUAL = Path(__file__).parents[2] / "docs" / "limits_audit_retention.md"


@pytest.fixture
async def as_owner(database) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database)
    (statements,) = re.findall(r"```sql\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    await connection.execute(statements)
    yield connection
    await connection.execute("reset role; drop owned by mojito_app; drop role mojito_app")
    await connection.close()


async def test_the_role_of_the_manual_is_enough_for_the_programs(as_owner):
    connection, job = as_owner, uuid7()
    await connection.execute("set role mojito_app")
    await connection.execute(
        "insert into job_events (campaign_job_id, kind) values ($1, 'job.started')", job
    )

    number = await job_events.get_last_event_number(connection)
    writers = await job_events.list_event_writers(connection)
    claimed = await campaign_jobs.claim_campaign_jobs(connection, worker_id=uuid7(), want=1)
    told = await rate_limits.take_tokens(
        connection, ids=[uuid7()], rates=[1.0], capacities=[5.0], want=1
    )
    gone = await retention.forget_audit_entries(connection, older_than_days=30, most=1)

    assert (number, writers, claimed, told, gone) == (1, [], [], [1.0, 4.0], 0)


@pytest.mark.parametrize(
    "change", ["delete from audit_log", "update audit_log set actor = 'x'", "truncate audit_log"]
)
async def test_the_role_of_the_manual_cannot_change_history(as_owner, change):
    await as_owner.execute("set role mojito_app")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_owner.execute(change)

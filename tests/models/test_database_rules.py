"""What the database itself refuses, tried with hand-written SQL."""

import json
from itertools import product

import asyncpg
import pytest
from uuid_utils.compat import uuid7

STATUSES = ["PENDING", "PROCESSING", "SUCCESS", "FAILED", "PARTIAL_SUCCESS", "CANCELLED"]
LEGAL = {
    ("PENDING", "PROCESSING"),
    ("PENDING", "CANCELLED"),
    ("PROCESSING", "SUCCESS"),
    ("PROCESSING", "PARTIAL_SUCCESS"),
    ("PROCESSING", "FAILED"),
    ("PROCESSING", "CANCELLED"),
    ("FAILED", "PENDING"),
    ("PARTIAL_SUCCESS", "PENDING"),
    ("CANCELLED", "PENDING"),
}


@pytest.fixture
async def account(connection):
    account_id = uuid7()
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values ($1, 'a', 'META', 'act_1', 'x', 'k', 'f', 'sandbox')""",
        account_id,
    )
    return account_id


async def insert_job(connection, account, status):
    return await connection.fetchval(
        """insert into campaign_jobs (id, ad_account_id, platform_type, mode, status)
           values ($1, $2, 'META', 'sandbox', $3) returning id""",
        uuid7(),
        account,
        status,
    )


async def test_exactly_the_legal_moves_are_possible(connection, account):
    done = set()

    for before, after in product(STATUSES, STATUSES):
        job = await insert_job(connection, account, before)
        try:
            await connection.execute(
                "update campaign_jobs set status = $2 where id = $1", job, after
            )
        except asyncpg.CheckViolationError as refused:
            assert refused.constraint_name == "jobs_move_legally"
            assert f"from {before} to {after}" in str(refused)
        else:
            done.add((before, after))

    assert {(before, after) for before, after in done if before != after} == LEGAL


async def test_a_legal_move_is_looked_at_without_another_lock_of_its_row(connection, account):
    """A look before the update would lock the row, which leaves a record of its own in the server's log."""
    first, second = [await insert_job(connection, account, "PENDING") for _ in range(2)]

    with_the_look = await records_of_a_move(connection, first)
    await connection.execute("drop trigger jobs_move_legally on campaign_jobs")
    without_it = await records_of_a_move(connection, second)

    assert with_the_look == without_it > 0


async def records_of_a_move(connection, job):
    """How many records the server's log gets by it."""
    sql = "update campaign_jobs set status = 'CANCELLED' where id = $1"
    told = await connection.fetchval(f"explain (analyze, wal, format json) {sql}", job)
    return json.loads(told)[0]["Plan"]["WAL Records"]


async def test_an_unknown_status_is_refused(connection, account):
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await insert_job(connection, account, "DONE")


async def test_a_claim_without_a_worker_is_refused(connection, account):
    job = await insert_job(connection, account, "PROCESSING")

    with pytest.raises(asyncpg.CheckViolationError, match="claimed_jobs_have_a_worker"):
        await connection.execute(
            "update campaign_jobs set claim_token = gen_random_uuid() where id = $1", job
        )


async def test_an_account_is_held_once_by_a_team(connection, account):
    with pytest.raises(asyncpg.UniqueViolationError, match="ad_accounts_are_held_once"):
        await connection.execute(
            """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
                   credentials_key_id, credentials_fingerprint, mode)
               values ($1, 'b', 'META', 'act_1', 'x', 'k', 'f', 'sandbox')""",
            uuid7(),
        )


async def test_history_can_only_grow(connection):
    await connection.execute(
        "insert into audit_log (actor, action, object_type) values ('me', 'create', 'ad_account')"
    )

    for sql in ("update audit_log set actor = 'you'", "delete from audit_log"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute(sql)

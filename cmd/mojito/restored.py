"""After a restore: jobs look on the platform before they make anything, and workers work here."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.errors import Conflict
from config.settings import Settings
from models import audit, identity
from models.database import Pool
from models.gen import restored
from models.gen.rows import Connection
from models.plan import REQUESTS, plan
from mojito.pools import asked_pool
from mojito.printing import print_json

EXAMPLES = """Workers make nothing in a database that is a copy of another: both would make the same. When the
old one can never be reached again, once:
  mojito restored                  after a restore from a backup
  mojito restored --nothing-lost   where every row came along: pg_upgrade, logical replication, a managed
                                   server's own change to another server
Workers that wait here begin by themselves then.

What jobs did after the backup is forgotten, but it stands on the platform. This frees all claims and puts
every step that is not recorded as done in doubt, so that it is looked for before it is made; also those of
jobs that ended without success, for they may have been retried. With --nothing-lost jobs stay as they are;
where something was lost it is made twice. Safe to run again. Refused while workers work here: what they have
begun since the restore was not looked for.
docs/operations/backup.md says what it cannot know."""

_WORKING = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = 'mojito presence'
"""
_BATCH = 50
"""Jobs of one statement: some have thousands of steps, and a statement has 30 s."""


class Restored(msgspec.Struct, frozen=True):
    """How much is looked at again."""

    claims_freed: int
    open_jobs: int
    ended_jobs: int
    """That a retry would run again."""
    steps_in_doubt: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much came along; for people, or for programs."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--nothing-lost",
        action="store_true",
        help="every row came along: only have workers work here",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints what was done."""
    done = asyncio.run(_restored(settings, nothing_lost=arguments.nothing_lost))
    if arguments.json:
        print_json(done)
    else:
        sys.stdout.write(
            f"claims freed: {done.claims_freed}\nopen jobs: {done.open_jobs}\n"
            f"jobs that ended without success: {done.ended_jobs}\n"
            f"steps to be looked for first: {done.steps_in_doubt}\n"
        )
    return 0


async def _restored(settings: Settings, *, nothing_lost: bool) -> Restored:
    async with asked_pool(settings, "mojito restored", writes=True) as pool:
        await _require_no_worker(pool)
        return await (move_in(pool) if nothing_lost else doubt_everything(pool))


async def _require_no_worker(pool: Pool) -> None:
    """Raises Conflict: they make what the backup forgot, until somebody has said that there was one."""
    if workers := await pool.fetchval(_WORKING):
        raise Conflict(
            f"workers are connected to this database: {workers}; stop them all, run this again, and look on "
            "the platform for what they have made since the restore",
            code="workers_connected",
        )


async def move_in(pool: Pool) -> Restored:
    """Workers work here from now on, with jobs and claims as they are."""
    async with pool.acquire() as connection, connection.transaction():
        await identity.declare(connection, audit.command_actor(None, "restored"))
    return Restored(0, 0, 0, 0)


async def doubt_everything(pool: Pool) -> Restored:
    """The same with doubts. All or nothing, so that no worker sees the half of it."""
    async with pool.acquire() as connection, connection.transaction():
        # first: from here on whoever held a claim can write nothing
        freed = await restored.free_all_claims(connection)
        steps = 0
        jobs: Counter[bool] = Counter()
        after = UUID(int=0)
        while rows := await restored.list_unfinished_requests_after(
            connection, after_id=after, most=_BATCH
        ):
            steps += await restored.doubt_begun_steps(
                connection, campaign_job_ids=[row.id for row in rows]
            )
            steps += await _doubt_forgotten(connection, rows)
            jobs.update(row.is_open for row in rows)
            after = rows[-1].id
        done = Restored(freed, jobs[True], jobs[False], steps)
        actor = audit.command_actor(None, "restored")
        detail = msgspec.to_builtins(done)
        await audit.record(connection, actor, "database.restored", None, detail=detail)
        await identity.declare(connection, actor)
        return done


async def _doubt_forgotten(
    connection: Connection, rows: Sequence[restored.ListUnfinishedRequestsAfterRow]
) -> int:
    planned = [
        (row.id, step)
        for row in rows
        for step in plan(
            row.platform_type, msgspec.json.decode(row.payload, type=REQUESTS[row.platform_type])
        )
    ]
    return await restored.doubt_forgotten_steps(
        connection,
        campaign_job_ids=[job_id for job_id, _ in planned],
        names=msgspec.json.encode([step.name for _, step in planned]).decode(),
        positions=[step.position for _, step in planned],
        kinds=[step.kind for _, step in planned],
    )

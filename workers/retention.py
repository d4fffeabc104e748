"""Lets go what is older than it is to be kept, in small batches, by whichever worker has the housekeeping.

`TABLES` is the whole list: something that shall not be kept for ever gets one line there.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from models import audit
from models.audit import Actor
from models.database import DATABASE_FAILURES, Pool
from models.gen import retention
from models.gen.rows import Connection

log = structlog.get_logger()

type Counts = dict[str, int]

BATCH = 500
MOST_STEPS = 20_000
"""Of the jobs of a batch together, but for one job that alone has more."""
WORKER = Actor(None, "worker", "retention")
_MOST_BATCHES = 40
"""Of one table in one turn of a worker, so that a large past goes over many turns."""


class Ages(msgspec.Struct, frozen=True):
    """After how many days things go; 0: never."""

    jobs_days: float = 0
    audit_days: float = 0
    deliveries_days: float = 0


class Table(msgspec.Struct, frozen=True):
    """One kind of thing that grows old: what counts it, and what deletes a batch of it."""

    days: Callable[[Ages], float]
    count: Callable[[Connection, float], Awaitable[Counts]]
    delete: Callable[[Connection, float], Awaitable[Counts]]


async def keep_house(pool: Pool, ages: Ages, *, every_seconds: float = 60.0) -> None:
    """Runs until cancelled."""
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.7, 1.0))  # noqa: S311 - spreads load
        try:
            gone = await forget(pool, ages, WORKER, most_batches=_MOST_BATCHES)
            if any((gone or {}).values()):
                log.info("retention.deleted", **(gone or {}))
        except DATABASE_FAILURES as error:
            log.warning("retention.failed", error=type(error).__name__, problem=str(error))


async def forget(
    pool: Pool, ages: Ages, actor: Actor, *, most_batches: int | None = None
) -> Counts | None:
    """How many rows of each table went, which the audit log says, too. None: another worker is at it."""
    async with _housekeeping(pool) as connection:
        if connection is None:
            return None
        gone: Counts = {}
        failures: list[Exception] = []
        for table in TABLES:
            if days := table.days(ages):
                try:
                    await _forget_table(connection, table, days, most_batches, gone)
                except DATABASE_FAILURES as error:  # the others go all the same, and are told of
                    failures.append(error)
        if any(gone.values()):
            await audit.record(connection, actor, "retention.ran", None, detail=gone)
        if failures:
            raise failures[0]
        return gone


async def count(connection: Connection, ages: Ages) -> Counts:
    """What `forget` would delete. All of it is counted at once: a large past takes long."""
    found: Counts = {}
    for table in TABLES:
        if days := table.days(ages):
            _add(found, await table.count(connection, days))
    return found


async def _forget_table(
    connection: Connection, table: Table, days: float, most_batches: int | None, gone: Counts
) -> None:
    """Adds to `gone` batch by batch, so that what went is known also when the next one fails."""
    batches = 0
    while most_batches is None or batches < most_batches:
        batch = await table.delete(connection, days)
        _add(gone, batch)
        batches += 1
        if not any(batch.values()):
            break


@contextlib.asynccontextmanager
async def _housekeeping(pool: Pool) -> AsyncGenerator[Connection | None]:
    """The lease is the connection's: when its worker dies, the next one has it."""
    async with pool.acquire() as connection:
        if not await retention.take_housekeeping(connection):
            yield None
            return
        try:
            yield connection
        finally:
            with contextlib.suppress(*DATABASE_FAILURES):  # a broken connection has lost it already
                await retention.give_back_housekeeping(connection)


def _add(sums: Counts, more: Mapping[str, int]) -> None:
    for name, number in more.items():
        sums[name] = sums.get(name, 0) + number


def _job_counts(row: Any) -> Counts:
    """Under the names of the tables."""
    return {
        "campaign_jobs": row.jobs,
        "campaign_requests": row.requests,
        "job_steps": row.steps,
        "job_events": row.events,
    }


async def _count_jobs(connection: Connection, days: float) -> Counts:
    return _job_counts(await retention.count_old_jobs(connection, older_than_days=days))


async def _delete_jobs(connection: Connection, days: float) -> Counts:
    return _job_counts(
        await retention.delete_old_jobs(
            connection, older_than_days=days, most=BATCH, most_steps=MOST_STEPS
        )
    )


async def _count_audit(connection: Connection, days: float) -> Counts:
    found = await retention.count_old_audit_entries(connection, older_than_days=days)
    return {"audit_log": found or 0}


async def _delete_audit(connection: Connection, days: float) -> Counts:
    gone = await retention.forget_audit_entries(connection, older_than_days=days, most=BATCH)
    return {"audit_log": gone or 0}


async def _count_deliveries(connection: Connection, days: float) -> Counts:
    found = await retention.count_old_webhook_deliveries(connection, older_than_days=days)
    return {"webhook_deliveries": found or 0}


async def _delete_deliveries(connection: Connection, days: float) -> Counts:
    gone = await retention.delete_old_webhook_deliveries(
        connection, older_than_days=days, most=BATCH
    )
    return {"webhook_deliveries": gone or 0}


TABLES = (
    Table(lambda ages: ages.jobs_days, _count_jobs, _delete_jobs),
    Table(lambda ages: ages.audit_days, _count_audit, _delete_audit),
    Table(lambda ages: ages.deliveries_days, _count_deliveries, _delete_deliveries),
)

"""Deletes what is older than it is to be kept, now and not when a worker comes to it."""

import argparse
import asyncio
import sys

import msgspec

from common.errors import Conflict
from config.settings import Settings
from models import audit
from mojito.pools import asked_for_long, asked_pool
from workers.retention import Ages, count, forget

EXAMPLES = """examples:
  mojito retention --dry-run
  MOJITO_RETENTION_JOBS_DAYS=90 mojito retention

Workers do the same by themselves, in small batches, as long as they run. Ages are MOJITO_RETENTION_*_DAYS."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to do it."""
    parser.epilog = EXAMPLES
    parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints a line for each table."""
    return asyncio.run(_retain(arguments, settings, ages(settings)))


def ages(settings: Settings) -> Ages:
    """How long things are kept."""
    return Ages(
        jobs_days=settings.retention_jobs_days,
        audit_days=settings.retention_audit_days,
        deliveries_days=settings.retention_deliveries_days,
    )


async def _retain(arguments: argparse.Namespace, settings: Settings, kept: Ages) -> int:
    rows = await (_count if arguments.dry_run else _forget)(settings, kept)
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
        return 0
    verb = "would go" if arguments.dry_run else "went"
    for table, number in rows.items():
        sys.stdout.write(f"{table}: {number} {verb}\n")
    if not rows:
        sys.stdout.write("everything is kept for ever\n")
    return 0


async def _count(settings: Settings, kept: Ages) -> dict[str, int]:
    async with asked_for_long(settings, "mojito retention") as connection:
        return await count(connection, kept)


async def _forget(settings: Settings, kept: Ages) -> dict[str, int]:
    async with asked_pool(settings, "mojito retention", writes=True) as pool:
        rows = await forget(pool, kept, audit.command_actor(None, "retention"))
    if rows is None:
        raise Conflict("a worker is deleting just now; try again", code="housekeeping_taken")
    return rows

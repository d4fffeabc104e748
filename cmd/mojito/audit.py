"""Exports the audit log as JSON lines, in an order that never changes."""

import argparse
import asyncio
import sys

import msgspec

from common.plain_words import counted
from config.settings import Settings
from models.database import Pool
from models.gen import audit_log
from models.gen.audit_log import ListAuditEntriesRow
from mojito.moments import moment
from mojito.pools import asked_pool
from mojito.printing import json_text

HELD_BACK_SECONDS = 60.0
"""Numbers are given when entries are written and seen when they are committed, not always in that order."""
_PAGE = 1000
_LOOKED_AT = 100_000
"""Numbers that one statement looks at, whatever is asked for: it has 30 s, and the log years."""
EXAMPLES = """examples:
  mojito audit export --since 2026-11-01 --until 2026-12-01 > november.jsonl
  mojito audit export --after "$(tail -n 1 november.jsonl | jq .id)" >> november.jsonl
  mojito audit export --team ads --fresh

Each line has a number, `id`; lines come in their order. --after goes on behind the last line that you have
and misses nothing: entries of the last minute are held back until nothing older can appear among them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """export."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True)
    export = actions.add_parser("export", help="JSON lines on standard output")
    export.add_argument("--since", help="from this day or moment on (RFC 3339; days are UTC)")
    export.add_argument("--until", help="before this day or moment")
    export.add_argument("--team", help="only of this team")
    export.add_argument("--after", type=_number, default=0, metavar="ID", help="behind this number")
    export.add_argument(
        "--fresh", action="store_true", help="the last minute, too; a later --after may miss some"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Writes the lines; what was held back is said on standard error."""
    return asyncio.run(_export(arguments, settings))


async def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    held_back_seconds = -HELD_BACK_SECONDS if arguments.fresh else HELD_BACK_SECONDS
    after, since, before = arguments.after, moment(arguments.since), moment(arguments.until)
    async with asked_pool(settings, "mojito audit") as pool:
        last = await audit_log.get_last_audit_number(pool) or 0
        while after < last:
            up_to = after + _LOOKED_AT
            rows = await audit_log.list_audit_entries(
                pool,
                after_id=after,
                up_to_id=up_to,
                since=since,
                before=before,
                held_back_seconds=held_back_seconds,
                team=arguments.team,
                page_size=_PAGE,
            )
            sys.stdout.write("".join(line(row) for row in rows))
            after = rows[-1].id if len(rows) == _PAGE else up_to
        await _tell_what_is_held_back(pool, held_back_seconds)
    return 0


async def _tell_what_is_held_back(pool: Pool, held_back_seconds: float) -> None:
    held_back = await audit_log.count_held_back_audit_entries(
        pool, held_back_seconds=held_back_seconds
    )
    if held_back:
        entries = "entry of the last minute is", "entries of the last minute are"
        sys.stderr.write(f"{counted(held_back, *entries)} held back (--fresh)\n")


def line(row: ListAuditEntriesRow) -> str:
    """One entry; hashes are hexadecimal."""
    entry = {
        **msgspec.structs.asdict(row),
        "before_hash": None if row.before_hash is None else row.before_hash.hex(),
        "after_hash": None if row.after_hash is None else row.after_hash.hex(),
        "detail": msgspec.Raw(row.detail.encode()),
    }
    return json_text(msgspec.json.encode(entry).decode()) + "\n"


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError("no entry has such a number")
    return number

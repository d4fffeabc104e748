"""Shows which keys stored secrets need, and brings them all under the first one."""

import argparse
import asyncio
import sys

import msgspec

from common.errors import ConfigurationError
from common.keyring import Keyring
from common.plain_words import counted
from config.settings import Settings
from models import audit
from models.database import Pool
from models.sealed import SEALED, Progress, impostors, key_ids_in_use, rotate
from mojito.pools import asked_pool
from mojito.printing import print_json, print_lines

EXAMPLES = """to replace a key:
  1. write the new key as the FIRST line of MOJITO_ENCRYPTION_KEYS_FILE, on every machine
  2. mojito encryption rotate
  3. mojito encryption status      names the keys that nothing needs any more
  4. take those out of the file, on every machine; processes that run go on without a restart

exit codes: 0 every secret is under the first key (rotate); every key in use is in the file (status)
            1 some are not, or the file has another key of that id; the message says which"""


class Status(msgspec.Struct, frozen=True):
    """What the keys file and the database say of each other."""

    seals: str
    keys_in_file: list[str]
    rows: dict[str, dict[str, int]]
    """By column, then by key id."""
    missing: list[str]
    """Keys in use that are not in the file."""
    other: list[str]
    """Ids under which the file has another key than the one that sealed what is stored."""
    not_needed: list[str]
    """Keys in the file that neither seal nor open anything stored."""


class Result(msgspec.Struct, frozen=True):
    """What a rotation came to."""

    seals: str
    columns: list[Progress]
    complete: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """status, rotate."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True)
    status = actions.add_parser("status", help="keys in the file, and rows that need each")
    rotating = actions.add_parser(
        "rotate", help="wrap every secret's data key under the first key, while everything runs"
    )
    rotating.add_argument(
        "--batch", type=_rows, default=100, metavar="ROWS", help="rows of one transaction (100)"
    )
    for action in (status, rotating):
        action.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints what is, or what was done."""
    keyring = Keyring.from_file(settings.keys_file)
    if arguments.action == "status":
        return asyncio.run(_status(settings, keyring, as_json=arguments.json))
    return asyncio.run(_rotate(settings, keyring, arguments.batch, as_json=arguments.json))


async def _status(settings: Settings, keyring: Keyring, *, as_json: bool) -> int:
    async with asked_pool(settings, "mojito encryption") as pool:
        status = await read_status(pool, keyring)
    if as_json:
        print_json(status)
    else:
        print_lines(_told(status))
    return 1 if status.missing or status.other else 0


async def read_status(pool: Pool, keyring: Keyring) -> Status:
    """The keys file beside the database."""
    rows = {str(column): await key_ids_in_use(pool, column) for column in SEALED}
    used = {key_id for counts in rows.values() for key_id in counts}
    return Status(
        seals=keyring.key_id,
        keys_in_file=keyring.key_ids,
        rows=rows,
        missing=keyring.missing(used),
        other=await impostors(pool, keyring),
        not_needed=[k for k in keyring.key_ids if k not in used and k != keyring.key_id],
    )


def _told(status: Status) -> list[str]:
    lines = [f"seals with {status.seals}; in the file: {', '.join(status.keys_in_file)}"]
    for column, counts in status.rows.items():
        lines += [f"  {column:32}{k:20}{counted(rows, 'row'):>15}" for k, rows in counts.items()]
    if status.missing:
        lines.append(f"MISSING from the file, yet needed: {', '.join(status.missing)}")
    if status.other:
        lines.append(f"ANOTHER KEY in the file than the one that sealed: {', '.join(status.other)}")
    if status.not_needed:
        lines.append(f"not needed any more: {', '.join(status.not_needed)}")
    return lines


async def _rotate(settings: Settings, keyring: Keyring, batch: int, *, as_json: bool) -> int:
    ends: list[Progress] = []
    actor = audit.command_actor(None, "encryption rotate")
    async with asked_pool(settings, "mojito encryption", writes=True) as pool:
        await require_right_key(pool, keyring)
        begun = {"seals": keyring.key_id}
        await audit.record(pool, actor, "encryption.rotation_begun", None, detail=begun)
        for column in SEALED:
            progress = Progress(str(column))
            async for progress in rotate(pool, keyring, column, batch_rows=batch):
                _show(progress)
            ends.append(progress)
        result = Result(keyring.key_id, ends, not any(end.left or end.unopened for end in ends))
        detail = msgspec.to_builtins(result)
        await audit.record(pool, actor, "encryption.rotated", None, detail=detail)
    _show_end()
    if as_json:
        print_json(result)
    else:
        print_lines(_came_to(result))
    return 0 if result.complete else 1


async def require_right_key(pool: Pool, keyring: Keyring) -> None:
    """Raises ConfigurationError where rows are under another key of that id: they would be passed over."""
    if keyring.key_id in await impostors(pool, keyring):
        raise ConfigurationError(
            f"secrets are stored under another key of the id {keyring.key_id}; put that one back, "
            "and give the new key an id of its own"
        )


def _came_to(result: Result) -> list[str]:
    lines: list[str] = []
    for end in result.columns:
        lines.append(f"{end.column}: {_rows_are(end.rewrapped)} under {result.seals} now")
        if end.left:
            lines.append(f"  {_rows_are(end.left)} held by others all the time; run it again")
        lines += [f"  row {row_id} does not open with any key here" for row_id in end.unopened]
    return lines


def _rows_are(number: int) -> str:
    return counted(number, "row is", "rows are")


def _show(progress: Progress) -> None:
    """On a terminal one line that changes, else nothing: the end says it all."""
    if sys.stderr.isatty():
        done = progress.rewrapped
        sys.stderr.write(f"\r{progress.column}: {done} of {done + progress.left} ")
        sys.stderr.flush()


def _show_end() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\n")


def _rows(text: str) -> int:
    rows = int(text)
    if not 1 <= rows <= 10_000:
        raise argparse.ArgumentTypeError("between 1 and 10000")
    return rows

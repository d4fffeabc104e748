"""Looks at everything an installation depends on, and says what is wrong and what to do about it."""

import argparse
import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from common.errors import ConfigurationError
from common.keyring import Keyring
from common.plain_words import counted
from config.settings import Settings, database_url
from config.settings import examine as examine_settings
from models.database import Pool
from models.gen import overview
from mojito import server_checks
from mojito.encryption import read_status
from mojito.findings import Finding, rank, report, show
from mojito.installation import joined
from mojito.platform_versions import KNOWN_ON, known_version
from mojito.pools import answered, opened_pool

EXIT_CODES = """exit codes:
  0  all is well        1  at least one warning        2  at least one error

It changes nothing and may run beside a working installation at any time."""

OLD_JOB_WARNING_SECONDS = 60.0
OLD_JOB_ERROR_SECONDS = 600.0
SHORT_NOTICE_DAYS = 90
LITTLE_SPACE_BYTES = 2 * 1024**3
NO_SPACE_BYTES = 128 * 1024**2
_REACH = "Check MOJITO_DATABASE_URL, the server, the way to it and the rights of its role."
_OWNER = "Ask as the user that API and workers run as; else mend the folder's owner, or its mount."
_NAME = "Name a PostgreSQL server with MOJITO_DATABASE_URL, or start ./mojito up."


class Surroundings(msgspec.Struct, frozen=True):
    """What is not the installation's own."""

    host_seconds: Callable[[], float] = time.time
    today: Callable[[], date] = lambda: datetime.now(UTC).date()
    patience_seconds: float = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For people, or for programs."""
    parser.epilog = EXIT_CODES
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Prints every finding; the exit code is the worst of them."""
    settings, faults = examine_settings(joined(environment))
    wrong = [Finding("setting", "error", fault, "mojito config check") for fault in faults]
    found = report([*wrong, *asyncio.run(examine(settings, Surroundings()))])
    show(found, as_json=arguments.json)
    return rank(found.severity)


async def examine(settings: Settings, around: Surroundings) -> list[Finding]:
    """Everything, in the order in which one would mend it."""
    found = [*disks(settings), platform_version(settings, around.today())]
    if settings.database_url is None:
        message = f"MOJITO_DATABASE_URL is not set, and no `mojito up` runs in {settings.data_dir}"
        return [*found, Finding("database", "error", message, _NAME)]
    try:
        async with opened_pool(settings, "mojito doctor") as pool:
            found = [Finding("database", "ok", "reachable"), *found]
            with answered():
                async for finding in _through(pool, settings, around):
                    found.append(finding)
    except ConfigurationError as error:
        found.append(Finding("database", "error", error.message, _REACH))
    return found


async def _through(pool: Pool, settings: Settings, around: Surroundings) -> AsyncGenerator[Finding]:
    server = await server_checks.read_server(pool)
    yield server_checks.version(server)
    yield server_checks.writes(server)
    for finding in server_checks.durability(server):
        yield finding
    yield server_checks.connections(server, settings)
    yield await server_checks.clock_skew(pool, around.host_seconds)
    yield await server_checks.notifications(
        pool, database_url(settings), patience_seconds=around.patience_seconds
    )
    migrated = await server_checks.migrations(pool)
    yield migrated
    if migrated.severity == "ok":
        yield await server_checks.identity(pool)
        for check in (encryption_keys, workers, oldest_job, accounts):
            yield await check(pool, settings)


def disks(settings: Settings) -> list[Finding]:
    """Of the data folder, and of the assets in it where they are mounted from elsewhere or cannot be used."""
    found = [disk_space(settings.data_dir)]
    try:
        devices = {_existing(f).stat().st_dev for f in (settings.data_dir, settings.assets_dir)}
    except OSError:
        return found  # told already
    assets = disk_space(settings.assets_dir)
    is_apart = len(devices) > 1 or assets.severity != found[0].severity
    return [*found, assets] if is_apart else found


def disk_space(folder: Path) -> Finding:
    """Assets are kept below the data folder; a full disk stops uploads and the embedded database."""
    try:
        there = _existing(folder)
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding("disk", "error", f"{folder} cannot be entered: {error.strerror}", _OWNER)
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return Finding("disk", "error", f"{there} cannot be written to", _OWNER)
    message = f"{free / 1024**3:.1f} GiB free below {folder}"
    remedy = "Make room, or move MOJITO_DATA_DIR to a larger disk."
    if free < NO_SPACE_BYTES:
        return Finding("disk", "error", message, remedy)
    if free < LITTLE_SPACE_BYTES:
        return Finding("disk", "warning", message, remedy)
    return Finding("disk", "ok", message)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return there


def platform_version(settings: Settings, today: date) -> Finding:
    """Whether Meta still serves the version that is spoken."""
    check, spoken = "meta_api_version", settings.meta_api_version
    remedy = "Set MOJITO_META_API_VERSION to a version that is served, or upgrade Mojito."
    known = known_version("META", spoken)
    if known is None:
        message = f"{spoken} is not known to this program (its table is of {KNOWN_ON})"
        return Finding(check, "warning", message, remedy)
    if known.last_day is None:
        return Finding(
            check, "ok", f"{spoken}; no end was announced by {KNOWN_ON} ({known.source})"
        )
    days = (known.last_day - today).days
    if days < 0:
        message = f"{spoken} is not served since {known.last_day} ({known.source})"
        return Finding(check, "error", message, remedy)
    message = f"{spoken} is served for {counted(days, 'day')} more, until {known.last_day} ({known.source})"
    severity = "warning" if days < SHORT_NOTICE_DAYS else "ok"
    return Finding(check, severity, message, remedy if severity == "warning" else "")


async def encryption_keys(pool: Pool, settings: Settings) -> Finding:
    """Whether every stored secret can be opened."""
    try:
        status = await read_status(pool, Keyring.from_file(settings.keys_file))
    except ConfigurationError as error:
        return Finding("encryption_keys", "error", error.message, "mojito config check")
    if status.missing:
        message = f"stored secrets need keys that are not in the file: {', '.join(status.missing)}"
        remedy = f"Put them back into {settings.keys_file}."
        return Finding("encryption_keys", "error", message, remedy)
    if status.other:
        message = f"the file has other keys than those that sealed, under {', '.join(status.other)}"
        remedy = f"Put the right ones back into {settings.keys_file}."
        return Finding("encryption_keys", "error", message, remedy)
    older = sorted({k for rows in status.rows.values() for k in rows} - {status.seals})
    if older:
        message = f"some secrets are still under {', '.join(older)}, not under {status.seals}"
        return Finding("encryption_keys", "warning", message, "mojito encryption rotate")
    return Finding("encryption_keys", "ok", f"all secrets are under {status.seals}")


async def workers(pool: Pool, settings: Settings) -> Finding:
    """Whether anybody works, and who fell silent without a farewell."""
    rows = await overview.list_workers_with_claims(pool)
    alive = [row for row in rows if row.silent_seconds <= settings.worker_silence_seconds]
    dead = [row for row in rows if row.silent_seconds > settings.worker_silence_seconds]
    if not alive:
        return Finding("workers", "error", "no worker lives; jobs wait", "Start one: mojito work")
    if dead:
        told = ", ".join(
            f"{row.host} (process {row.process_id}, silent for {row.silent_seconds:.0f} s, "
            f"{counted(row.claims, 'job')})"
            for row in dead[:5]
        )
        message = f"{len(alive)} live; {len(dead)} died within the last hour: {told}"
        return Finding("workers", "warning", message, "Their jobs go on elsewhere; see their logs.")
    return Finding("workers", "ok", f"{len(alive)} live")


async def oldest_job(pool: Pool, settings: Settings) -> Finding:
    """Whether workers keep up."""
    del settings
    seconds = await overview.get_oldest_claimable_seconds(pool) or 0.0
    message = f"the oldest job that a worker could take waits for {seconds:.0f} s"
    remedy = "Start more workers; if enough of them live, their logs say what holds them up."
    if seconds > OLD_JOB_ERROR_SECONDS:
        return Finding("oldest_job", "error", message, remedy)
    if seconds > OLD_JOB_WARNING_SECONDS:
        return Finding("oldest_job", "warning", message, remedy)
    return Finding("oldest_job", "ok", message)


async def accounts(pool: Pool, settings: Settings) -> Finding:
    """Accounts whose token died: their jobs wait for seven days, then fail."""
    del settings
    rows = await overview.list_accounts_that_need_reauthorisation(pool, most=6)
    if not rows:
        return Finding("accounts", "ok", "no account waits for new credentials")
    told = ", ".join(f"{row.name} ({row.platform_account_id}, {row.id})" for row in rows[:5])
    message = f"new credentials are needed: {told}{' and more' if len(rows) > 5 else ''}"
    return Finding(
        "accounts", "warning", message, "PUT /api/v1/ad_accounts/{id} with new credentials."
    )

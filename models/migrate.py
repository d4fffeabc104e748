"""Applies migrations/NNNN_*.sql (dbmate's format) once each, in order, under a lock."""

import asyncio
import hashlib
import re
from pathlib import Path

import asyncpg
import msgspec

from common.errors import ConfigurationError
from models import audit
from models.database import NO_POOLER, connect_for_long, require_own_settings
from models.identity import actual_identity, fault, introduce, tell, told_identity

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7092416
_SAYS_WHICH = "0018"
"""From here on a database says which one it is."""
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_SECTION = re.compile(r"^-- migrate:(up|down)\s*$", re.MULTILINE)
_TABLE = """
create table if not exists schema_migrations (
    version varchar primary key, checksum bytea, applied_at timestamptz not null default now())
"""

_HOLDERS = """
select string_agg(pid::text, ', ') from pg_locks
where locktype = 'advisory' and objid = $1::bigint::oid and granted
  and database = (select oid from pg_database where datname = current_database())
"""

type Connection = asyncpg.Connection[asyncpg.Record]
type Asked = Connection | asyncpg.Pool[asyncpg.Record]


class Migration(msgspec.Struct, frozen=True):
    """One file: what it does and how it is undone."""

    version: str
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> bytes:
        """Of the upward part: an applied file must not change any more."""
        return hashlib.sha256(self.up.encode()).digest()


def load(folder: Path = FOLDER) -> list[Migration]:
    """Every migration in order. Raises ConfigurationError for a file that is not in the format."""
    migrations = [_read(path) for path in sorted(folder.glob("*.sql"))]
    if len({migration.version for migration in migrations}) != len(migrations):
        raise ConfigurationError(f"two migrations in {folder} have the same number")
    return migrations


async def migrate(
    url: str,
    *,
    folder: Path = FOLDER,
    to: str | None = None,
    dry_run: bool = False,
    patience_seconds: float = 60,
) -> list[str]:
    """Goes up to version `to` (the newest by default), or down to it. Returns what was done."""
    migrations = load(folder)
    target = migrations[-1].version if to is None else _known(migrations, to)
    connection = await _connected(url, writes=not dry_run)
    try:
        await _lock(connection, patience_seconds)
        return await _go(connection, migrations, target, dry_run)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"PostgreSQL refuses ({error}); run `mojito migrate` as the role that owns the tables"
        ) from None
    except asyncpg.LockNotAvailableError:
        raise ConfigurationError(
            "a table was in use for too long; nothing of the migration was done, run it again"
        ) from None
    finally:
        await connection.close()


def _known(migrations: list[Migration], version: str) -> str:
    """A version to go to: anything else would go all the way up, or all the way down."""
    if version not in {"0000", *(migration.version for migration in migrations)}:
        raise ConfigurationError(
            f"there is no migration {version!r}; the newest is {migrations[-1].version}, 0000 is none"
        )
    return version


async def pending(connection: Asked) -> list[str]:
    """Names of migrations that this database still lacks."""
    applied = await _applied(connection)
    return [migration.name for migration in load() if migration.version not in applied]


async def require_migrated(connection: Asked) -> None:
    """Raises ConfigurationError unless the database has the migrations of this program, and no others."""
    if missing := await pending(connection):
        raise ConfigurationError(
            f"the database lacks {', '.join(missing)}; run `mojito migrate` of this version first"
        )
    _refuse_strangers(load(), await _applied(connection))


def _read(path: Path) -> Migration:
    name = _NAME.match(path.name)
    text = path.read_text("utf-8")
    sections = list(_SECTION.finditer(text))
    if name is None or [section[1] for section in sections] != ["up", "down"]:
        raise ConfigurationError(
            f"{path.name}: expected 0001_lower_case.sql with '-- migrate:up' and '-- migrate:down'"
        )
    up, down = sections
    return Migration(name[1], path.name, text[up.end() : down.start()], text[down.end() :])


async def _connected(url: str, *, writes: bool) -> Connection:
    # a pooler that refuses start-up settings breaks the protocol, one that ignores them is asked
    try:
        connection = await connect_for_long(url, name="mojito migrate", writes=writes)
    except asyncpg.ProtocolViolationError as error:
        raise ConfigurationError(f"{NO_POOLER} ({error})") from None
    try:
        await require_own_settings(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _lock(connection: Connection, patience_seconds: float) -> None:
    # polled: a waiting pg_advisory_lock() holds a snapshot, which deadlocks with index builds
    try:
        async with asyncio.timeout(patience_seconds):
            while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
    except TimeoutError:
        holders = await connection.fetchval(_HOLDERS, _LOCK)
        raise ConfigurationError(
            f"another migration has held its lock for {patience_seconds:g} s (process {holders} of "
            "the server, see pg_stat_activity); let it end, then run this again"
        ) from None


async def _go(
    connection: Connection, migrations: list[Migration], target: str, dry_run: bool
) -> list[str]:
    applied = await _applied(connection)
    _refuse_strangers(migrations, applied)
    if "0000" < target < _SAYS_WHICH:
        await _refuse_copy(connection)
    done: list[str] = []
    if not (dry_run or applied):
        await _make_table(connection)
    for migration in migrations:
        if migration.version <= target and migration.version not in applied:
            done.append(f"up {migration.name}")
            if not dry_run:
                await _apply(connection, migration, is_told=bool(applied))
    for migration in reversed(migrations):
        if migration.version > target and migration.version in applied:
            done.append(f"down {migration.name}")
            if not dry_run:
                await _revert(connection, migration)
    if not dry_run:
        await _introduce(connection, is_told=bool(applied))
    return done


async def _refuse_copy(connection: Connection) -> None:
    """On the way down and up again a copy would forget that it is one, and workers would make everything."""
    if not await connection.fetchval("select to_regclass('database_identity') is not null"):
        return
    told = await told_identity(connection)
    found = told and fault(told, await actual_identity(connection))
    if found:
        raise ConfigurationError(f"older tables cannot say that {found}")


async def _make_table(connection: Connection) -> None:
    await connection.execute("set client_min_messages = warning")
    await connection.execute(_TABLE)


async def _applied(connection: Asked) -> dict[str, bytes | None]:
    if not await connection.fetchval("select to_regclass('schema_migrations') is not null"):
        return {}
    rows = await connection.fetch("select version, checksum from schema_migrations")
    return {row["version"]: row["checksum"] for row in rows}


def _refuse_strangers(migrations: list[Migration], applied: dict[str, bytes | None]) -> None:
    known = {migration.version: migration for migration in migrations}
    if ahead := sorted(set(applied) - set(known)):
        raise ConfigurationError(
            f"the database has migrations {', '.join(ahead)} that this program does not know; "
            "run the newer program"
        )
    for version, checksum in applied.items():
        if checksum is not None and checksum != known[version].checksum:
            raise ConfigurationError(
                f"{known[version].name} was changed after it was applied; restore it and write a new one"
            )


async def _apply(connection: Connection, migration: Migration, *, is_told: bool) -> None:
    async with connection.transaction():
        await connection.execute(migration.up)
        await connection.execute(
            "insert into schema_migrations (version, checksum) values ($1, $2)",
            migration.version,
            migration.checksum,
        )
        if is_told:  # what makes an empty database is no change to anybody's
            await _tell(connection, f"up {migration.name}")


async def _revert(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.down)
        await connection.execute(
            "delete from schema_migrations where version = $1", migration.version
        )
        await _tell(connection, f"down {migration.name}")


async def _introduce(connection: Connection, *, is_told: bool) -> None:
    """Has the database say which one it is, once: what a copy says of itself stays as it is."""
    if not await connection.fetchval("select to_regclass('database_identity') is not null"):
        return
    async with connection.transaction():
        written = await introduce(connection)
        if is_told and written is not None:
            await tell(connection, audit.command_actor(None, "migrate"), None, written)


async def _tell(connection: Connection, done: str) -> None:
    """In the audit log, as long as there is one: a step back leaves no other trace."""
    if await connection.fetchval("select to_regclass('audit_log') is not null"):
        actor = audit.command_actor(None, "migrate")
        await audit.record(connection, actor, "database.migrated", None, detail={"done": done})

"""What `mojito doctor` asks of the PostgreSQL server itself."""

import asyncio
from collections.abc import Callable

import msgspec

from common.errors import ConfigurationError
from common.plain_words import counted
from config.settings import Settings
from models.database import Pool, connect
from models.identity import actual_identity, fault, told_identity
from models.listener import CHANNEL
from models.migrate import pending as pending_migrations
from models.migrate import require_migrated
from mojito.findings import Finding

OLDEST_VERSION = 15
SKEW_WARNING_SECONDS = 1.0
SKEW_ERROR_SECONDS = 30.0
API_EXTRA_CONNECTIONS = 3
"""Beside its pool: notifier, listener and job writes."""
WORKER_EXTRA_CONNECTIONS = 7
"""Beside its pool: claim, presence, listener, notifier, and three that write."""

_SYSTEM = (
    "grant execute on function pg_control_system() to the roles of Mojito (roles.sql does); then, with "
    "workers stopped, mojito restored --nothing-lost."
)
_EVERYTHING = "intents and accepted requests, and a paid object may be made twice"
_LOST_WITHOUT = {
    "fsync": _EVERYTHING,
    "full_page_writes": _EVERYTHING,
    # workers have their own writes wait for the disk whatever the server says
    "synchronous_commit": "what callers were told last: cancels, retries, changes of accounts",
}
_STATE = """
select current_setting('server_version_num')::integer / 10000 as version,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('transaction_read_only') as read_only,
    server.connections, clients.used,
    least(
        server.connections - clients.of_others,
        (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
        (select nullif(datconnlimit, -1) from pg_database where datname = current_database())
    ) as room,
    -- each process listens, and a worker alone shows its presence
    (select greatest(0, count(*) filter (where application_name = 'mojito listener')
         - count(*) filter (where application_name = 'mojito presence'))
     from pg_stat_activity where datname = current_database()) as api_processes,
    (select count(*) from pg_stat_activity
     where datname = current_database() and application_name = 'mojito presence') as workers
from (
    select current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true), '0')::integer as connections
) as server, (
    -- what those of other roles are is hidden, that they are there is not
    select count(*) as used, count(*) filter (
        where datname <> current_database() or application_name not like 'mojito %') as of_others
    from pg_stat_activity
    where datid is not null and coalesce(backend_type, 'client backend') = 'client backend'
) as clients
"""


class Server(msgspec.Struct, frozen=True):
    """What the server is, how it is set up, and who is connected."""

    version: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    connections: int
    used: int
    api_processes: int
    workers: int
    read_only: str = "off"
    room: int = 0
    """Connections that all our processes together can have."""


async def read_server(pool: Pool) -> Server:
    """One look."""
    row = await pool.fetchrow(_STATE)
    assert row is not None  # noqa: S101 - the statement has no condition
    return msgspec.convert(dict(row), Server)


def version(server: Server) -> Finding:
    """Old servers lack what claims and unique keys are built on."""
    message = f"PostgreSQL {server.version}"
    if server.version >= OLDEST_VERSION:
        return Finding("postgresql", "ok", message)
    return Finding(
        "postgresql", "error", f"{message} is too old", f"Upgrade to {OLDEST_VERSION} or newer."
    )


def writes(server: Server) -> Finding:
    """A standby takes none, nor does a server that its provider has closed because its disk is full."""
    if server.read_only == "off":
        return Finding("writes", "ok", "the database takes writes")
    return Finding(
        "writes",
        "error",
        "the database takes no writes: it is a standby, or default_transaction_read_only is on",
        "Name the primary with MOJITO_DATABASE_URL; else see why it was closed (a full disk?).",
    )


def durability(server: Server) -> list[Finding]:
    """Without these a crash of the server forgets what was promised."""
    found = [
        Finding(
            "durability",
            "error",
            f"{name} = off: a crash of the server loses {_LOST_WITHOUT[name]}",
            f"Set {name} = on (alter system set {name} = on; select pg_reload_conf();).",
        )
        for name in _LOST_WITHOUT
        if getattr(server, name) == "off"
    ]
    told = f"fsync, full_page_writes on, synchronous_commit = {server.synchronous_commit}"
    return found or [Finding("durability", "ok", told)]


def connections(server: Server, settings: Settings) -> Finding:
    """Whether every process could fill its pool at once."""
    pool = settings.database_pool_size
    wanted = server.api_processes * (pool + API_EXTRA_CONNECTIONS)
    wanted += server.workers * (pool + WORKER_EXTRA_CONNECTIONS)
    told = (
        f"{server.used} of {counted(server.connections, 'connection')} in use; "
        f"{counted(server.api_processes, 'API process', 'API processes')} and "
        f"{counted(server.workers, 'worker')} may take {wanted}, and there is room for {server.room}"
    )
    if wanted <= server.room:
        return Finding("connections", "ok", told)
    return Finding(
        "connections",
        "warning",
        told,
        "Raise max_connections of PostgreSQL (or the limit of the role or the database), or lower "
        "MOJITO_DATABASE_POOL_SIZE.",
    )


async def migrations(pool: Pool) -> Finding:
    """Whether the tables are those of this program; one that migrates just now is not waited for."""
    if missing := await pending_migrations(pool):
        return Finding(
            "migrations", "error", f"not applied: {', '.join(missing)}", "mojito migrate"
        )
    try:
        await require_migrated(pool)
    except ConfigurationError as error:
        return Finding("migrations", "error", error.message, "docs/operations/upgrade.md")
    return Finding("migrations", "ok", "all applied")


async def identity(pool: Pool) -> Finding:
    """Whether this is the database that it says it is: workers make nothing in a copy of another."""
    told, actual = await told_identity(pool), await actual_identity(pool)
    if told is None:
        return Finding("identity", "error", "not written down yet; workers wait", "mojito migrate")
    if (found := fault(told, actual)) is not None:
        return Finding("identity", "error", found.what, found.remedy)
    if told.system_identifier is None:
        message = (
            f"{actual}: the server did not tell its system identifier; a copy on another server with the "
            "same number of the database would not be noticed"
        )
        return Finding("identity", "warning", message, _SYSTEM)
    return Finding("identity", "ok", str(actual))


async def clock_skew(pool: Pool, host_seconds: Callable[[], float]) -> Finding:
    """Of this machine against the database, whose times count; the best of three looks."""
    looks: list[tuple[float, float]] = []
    for _ in range(3):
        before = host_seconds()
        there = await pool.fetchval("select extract(epoch from clock_timestamp())::float8")
        after = host_seconds()
        looks.append((after - before, (before + after) / 2 - there))
    trip, skew = min(looks)
    beyond = max(abs(skew) - trip / 2, 0.0)
    message = f"this machine is {skew:+.3f} s from the database (give or take {trip / 2:.3f} s)"
    remedy = "Synchronise both clocks (chrony, systemd-timesyncd)."
    if beyond > SKEW_ERROR_SECONDS:
        return Finding("clock", "error", message, remedy)
    if beyond > SKEW_WARNING_SECONDS:
        return Finding("clock", "warning", message, remedy)
    return Finding("clock", "ok", message)


async def notifications(pool: Pool, url: str, *, patience_seconds: float) -> Finding:
    """A notification is sent over one connection and must arrive at another."""
    arrived = asyncio.Event()

    def hear(*_: object) -> None:
        arrived.set()

    connection = await connect(url, name="mojito doctor")
    try:
        await connection.add_listener(CHANNEL, hear)
        await pool.execute(f"notify {CHANNEL}")
        async with asyncio.timeout(patience_seconds):
            await arrived.wait()
    except TimeoutError:
        return Finding(
            "notifications",
            "warning",
            f"no notification arrived within {patience_seconds:g} s; workers only poll",
            "Connect to PostgreSQL directly, or through a pooler in session mode.",
        )
    finally:
        connection.terminate()
    return Finding("notifications", "ok", "a notification arrives")

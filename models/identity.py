"""Which database this is, and whether everything that a worker connects to is the one it began with."""

from collections.abc import Callable

import asyncpg
import msgspec
import structlog

from common.errors import ConfigurationError
from models import audit
from models.database import Pool, connect
from models.gen import database_identity
from models.gen.rows import Connection

GUIDE = "docs/operations/backup.md"
DECLARE = (
    "once the other one can never be reached again: `mojito restored`, or `mojito restored --nothing-lost` "
    "where every row came along (pg_upgrade, logical replication, a managed server's own change); "
    f"see {GUIDE}"
)

_ASK = """
select (select system_identifier from pg_control_system()) as system_identifier,
    (select oid::bigint from pg_database where datname = current_database()) as database_oid
"""
_ASK_WITHOUT_SYSTEM = """
select null::bigint as system_identifier, oid::bigint as database_oid
from pg_database where datname = current_database()
"""
_ASK_TIMELINE = """
select case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_lsn()), 8) end
"""
_UNTOLD = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedFunctionError,
    asyncpg.FeatureNotSupportedError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
"""What a server answers that does not tell its system identifier."""

type OneConnection = asyncpg.Connection[asyncpg.Record]

log = structlog.get_logger()


class AnotherDatabase(ConfigurationError, ConnectionError):
    """The jobs here are those of another one. To whoever can wait it is a connection that cannot be had."""


class Identity(msgspec.Struct, frozen=True):
    """Of one database. Physical standbys of its server have the same; dumps and templates have others."""

    system_identifier: int | None
    """None where the server does not tell it."""
    database_oid: int

    def __str__(self) -> str:
        told = self.system_identifier is not None
        system = f"system {self.system_identifier}" if told else "a system that is not told"
        return f"database {self.database_oid} of {system}"

    def allows(self, actual: "Identity") -> bool:
        """Whether a database that says this of itself may be the actual one."""
        return self.database_oid == actual.database_oid and (
            self.system_identifier in (None, actual.system_identifier)
        )


async def actual_identity(connection: Connection) -> Identity:
    """What the server says now, whatever stands in the tables."""
    try:
        row = await connection.fetchrow(_ASK)
    except _UNTOLD:
        row = await connection.fetchrow(_ASK_WITHOUT_SYSTEM)
    assert row is not None  # noqa: S101 - whoever asks is connected to a database
    return Identity(*row)


async def actual_timeline(connection: Connection) -> int | None:
    """Which one the server writes: each standby that takes over begins one of a higher number. None for
    a server that follows another one, and for one that does not tell."""
    try:
        told = await connection.fetchval(_ASK_TIMELINE)
    except _UNTOLD:
        return None
    return None if told is None else int(told, 16)


async def told_identity(connection: Connection) -> Identity | None:
    """What the tables say; None where nobody has written it yet."""
    row = await database_identity.get_database_identity(connection)
    return None if row is None else Identity(row.system_identifier, row.database_oid)


async def introduce(connection: Connection) -> Identity | None:
    """Writes down which database this is unless that is said already; returns what was written."""
    if await told_identity(connection) is not None:
        return None
    actual = await actual_identity(connection)
    written = await database_identity.create_database_identity(
        connection,
        system_identifier=actual.system_identifier,
        database_oid=actual.database_oid,
    )
    return actual if written else None


async def declare(connection: Connection, actor: audit.Actor) -> None:
    """Workers work here from now on. In a transaction."""
    actual, before = await actual_identity(connection), await told_identity(connection)
    await database_identity.write_database_identity(
        connection,
        system_identifier=actual.system_identifier,
        database_oid=actual.database_oid,
    )
    if before != actual:
        await tell(connection, actor, before, actual)


async def tell(
    connection: Connection, actor: audit.Actor, before: Identity | None, after: Identity
) -> None:
    """Writes into the audit log what this database was said to be, and is."""
    detail = {"before": before and str(before), "after": str(after)}
    await audit.record(connection, actor, "database.identified", None, detail=detail)


class Fault(msgspec.Struct, frozen=True):
    """Why workers must make nothing in a database, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}"


def fault(told: Identity | None, actual: Identity) -> Fault | None:
    """Of a database of which this is told; None where workers may work in it."""
    if told is None:
        return Fault("the database does not say which one it is", "run `mojito migrate`")
    if told.allows(actual):
        return None
    if actual.system_identifier is None and told.database_oid == actual.database_oid:
        return Fault(
            f"the database says that it is {told}, and its server does not tell us which one it is",
            f"let this role execute pg_control_system() (roles.sql); if it is a copy, {DECLARE}",
        )
    return Fault(
        f"this database is a copy: it says that it is {told}, and it is {actual}. Workers make nothing here, "
        "for those of the other one may make the same",
        DECLARE,
    )


class Home:
    """The database that a worker began with: whatever it connects to must be that one.

    Names and proxies may lead elsewhere at any time, where the same jobs with the same claims may stand.
    """

    def __init__(self) -> None:
        self._known: Identity | None = None
        self._timeline = 0
        """The highest one that was written to."""
        self._left: Callable[[], None] | None = None
        self.elsewhere: AnotherDatabase | None = None
        """Set for good as soon as a connection has led to another database."""

    def when_left(self, left: Callable[[], None]) -> None:
        """Called when a connection has led elsewhere for the first time."""
        self._left = left

    async def connect(
        self, url: str, *, name: str, settings: dict[str, str] | None = None
    ) -> OneConnection:
        """As `models.database.connect`. Raises AnotherDatabase where that is not this one."""
        connection = await connect(url, name=name, settings=settings)
        try:
            await self.require(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def require(self, connection: Connection) -> None:
        """Raises AnotherDatabase unless the connection leads where the first one led, or to what has taken
        over since."""
        before = (
            self._timeline
        )  # as it was when nobody had asked yet: answers may overtake each other
        actual = await actual_identity(connection)
        if self._known is None:
            self._known = actual
        if actual != self._known:
            raise self._gone_to(f"{actual}, and this worker began with {self._known}")
        timeline = await actual_timeline(connection) or before
        if timeline < before:
            raise self._gone_to(
                f"its server writes timeline {timeline}, and this worker has followed the one that took over "
                f"to timeline {before}. Both take writes: stop the one that was left"
            )
        self._timeline = max(timeline, self._timeline)

    async def settle(self, pool: Pool) -> None:
        """Raises AnotherDatabase where the database is a copy of another, or says nothing of it."""
        told = await told_identity(pool)
        actual = self._known = self._known or await actual_identity(pool)
        if (found := fault(told, actual)) is not None:
            raise AnotherDatabase(str(found), code="another_database")
        if told is not None and told.system_identifier is None:
            log.warning("database.system_untold", database_oid=actual.database_oid)

    def _gone_to(self, where: str) -> AnotherDatabase:
        error = AnotherDatabase(
            f"connections lead to another database since: {where}. It makes nothing more. "
            f"If that is meant, {DECLARE}",
            code="another_database",
        )
        if self.elsewhere is None:
            self.elsewhere = error
            log.error("database.another", error=error.message)
            if self._left is not None:
                self._left()
        return error

"""A pool for commands that need nothing else; and the patience of programs whose database is away."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager

import asyncpg
import structlog

from common import clock
from common.errors import ConfigurationError
from config.settings import Settings, database_url
from models.database import AWAY, Pool, connect_for_long, open_pool
from models.identity import AnotherDatabase, Home
from models.migrate import require_migrated
from mojito.database_address import require_usable

PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
_RIGHTS = "docs/operations/roles.sql gives a role what it needs, run it again after each migration"
_REMEDY = "look at MOJITO_DATABASE_URL, at the server and at the way to it"

type LongConnection = asyncpg.Connection[asyncpg.Record]

log = structlog.get_logger()


class DatabaseAway(ConfigurationError):
    """Nobody answers where the database should be."""


def usable_url(settings: Settings) -> str:
    """The database. Raises ConfigurationError where none is named, or one that cannot be meant."""
    url = database_url(settings)
    require_usable(url)
    return url


@contextlib.contextmanager
def explained() -> Generator[None]:
    """Around whatever connects: says in a sentence why there is no way in."""
    try:
        yield
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise ConfigurationError(f"MOJITO_DATABASE_URL cannot be used: {error}") from None
    except AWAY as error:
        raise DatabaseAway(f"{_reason(error)}; {_REMEDY}") from error
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"the database refuses us: {error}; {_REMEDY}") from None
    except ValueError:
        # of a host or a port that is none; its own words may repeat parts of the address
        raise ConfigurationError(
            "MOJITO_DATABASE_URL cannot be used: write it like postgresql://user:password@host:5432/name"
        ) from None


@contextlib.asynccontextmanager
async def opened_pool(
    settings: Settings, name: str, *, writes: bool = False, home: Home | None = None
) -> AsyncGenerator[Pool]:
    """A pool that is closed at the end. Raises ConfigurationError when there is no way in.

    Commands that only ask may do so of a standby; whatever else needs a server that takes what it `writes`.
    Of a pool with a `home` every connection leads there.
    """
    url = usable_url(settings)
    require = None if home is None else home.require
    size = settings.database_pool_size
    with explained():
        pool = await open_pool(url, size=size, name=name, writes=writes, require=require)
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def asked_pool(
    settings: Settings, name: str, *, writes: bool = False
) -> AsyncGenerator[Pool]:
    """The same for a command, which runs on the tables of this program or says why it cannot."""
    async with opened_pool(settings, name, writes=writes) as pool:
        with answered():
            await require_migrated(pool)
            yield pool


@contextlib.asynccontextmanager
async def asked_for_long(settings: Settings, name: str) -> AsyncGenerator[LongConnection]:
    """A connection for a command that only asks, whose answers may take as long as they need."""
    url = usable_url(settings)
    with explained():
        connection = await connect_for_long(url, name=name, writes=False)
    try:
        with answered():
            await require_migrated(connection)
            yield connection
    finally:
        await connection.close()


@contextlib.contextmanager
def answered() -> Generator[None]:
    """Around what a command asks: says in a sentence what the database does not do for it."""
    try:
        yield
    except BrokenPipeError:
        raise  # of whoever read what the command prints
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(f"the database refuses: {error}; {_RIGHTS}") from None
    except asyncpg.QueryCanceledError as error:
        raise ConfigurationError(
            f"the database gave up: {error}; it is slow or held up, or there is very much to do"
        ) from error
    except AWAY as error:
        raise DatabaseAway(f"{_reason(error)}; {_REMEDY}") from error
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"the database refuses: {error}") from error


async def opened_patiently[Opened](
    opened: contextlib.AsyncExitStack,
    parts: Callable[[], AbstractAsyncContextManager[Opened]],
    stopping: asyncio.Event,
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Opened | None:
    """Enters the parts, again and again while their database is away or a copy; None when told to stop.

    Raises DatabaseAway when it does not come in so many seconds, and AnotherDatabase when it is still a copy.
    """
    until = clock.seconds() + seconds
    is_told = False
    while not stopping.is_set():
        try:
            return await opened.enter_async_context(parts())
        except AnotherDatabase as error:
            if clock.seconds() >= until:
                raise
            if not is_told:  # it may be so for days: a line for each start is enough
                log.warning("database.another", error=error.message)
            is_told = True
        except (DatabaseAway, *AWAY) as error:
            if clock.seconds() >= until:
                raise DatabaseAway(f"after {seconds:g} s: {_reason(error)}; {_REMEDY}") from error
            log.warning("database.awaited", error=_reason(error))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                await stopping.wait()
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "no server there takes writes: a standby, or default_transaction_read_only is on"
    if isinstance(error, DatabaseAway):
        return error.message.removesuffix(f"; {_REMEDY}")
    return str(error) or f"the database does not answer ({type(error).__name__})"

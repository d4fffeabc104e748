"""Opens connections to PostgreSQL: a pool for requests, single ones for the worker's machinery."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg

from common.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncpg.pool import PoolAcquireContext

type Pool = asyncpg.Pool[asyncpg.Record]


class Connect(Protocol):
    """Opens one connection, as `connect` below does."""

    async def __call__(
        self, url: str, *, name: str, settings: dict[str, str] | None = None
    ) -> "asyncpg.Connection[asyncpg.Record]":
        """Raises what the database, or the way to it, may do."""
        ...


CONNECTION_FAILURES = (
    OSError,  # a timeout is one
    asyncpg.InterfaceError,
    # what asyncpg answers when the server's farewell arrives in the middle of a call
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
"""The connection is gone or cannot be had; whether the last statement was committed is not known."""

DATABASE_FAILURES = (*CONNECTION_FAILURES, asyncpg.PostgresError)
"""Whatever the database or the way to it may do to a loop that must go on."""

AWAY = (
    ConnectionError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""Nobody is there, or not yet, or has no room: the same attempt may succeed in a while."""

HOT_SETTINGS = {
    # the hot statements have one right plan, whatever the statistics say: through the index
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


LOCK_TIMEOUT = "5s"
"""Of every connection of ours, that of migrations included."""

NO_POOLER = (
    "a pooler stands before the database and keeps connections' settings from it; "
    "connect to PostgreSQL itself"
)
_WRITES = "read-write"
"""The server of several that is meant, and no connection to any that only reads."""
_CONNECT_SECONDS = 4.0
_LONGEST_ACQUIRE_SECONDS = 4.0
_LONGEST_CLOSE_SECONDS = 3.0
_UNACKNOWLEDGED_SECONDS = 6
_SEEN_SO_FAR = {"default_transaction_isolation": "read committed"}
"""Whatever server, role or database say: claims count what was committed while they waited for their turn,
and a request whose key is taken meanwhile is told so, not refused as a conflict."""
_WATCH = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25s",
}
"""So that the server gives up a client whose host vanished, and with it its locks and its place."""


class _Pool(asyncpg.Pool):
    """Neither waits long for a connection that others hold, nor for one that is dead to be closed."""

    def acquire(self, *, timeout: float | None = None) -> "PoolAcquireContext[asyncpg.Record]":
        """Raises TimeoutError when no connection is free in time; giving it back is bounded likewise."""
        return super().acquire(timeout=timeout or _LONGEST_ACQUIRE_SECONDS)

    async def close(self) -> None:
        """Lets what is held come back for a while, then drops it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_CLOSE_SECONDS):
                await super().close()


async def open_pool(
    url: str,
    *,
    size: int,
    name: str,
    writes: bool = True,
    require: "Callable[[asyncpg.Connection[asyncpg.Record]], CoroutineType[Any, Any, None]] | None" = None,
) -> Pool:
    """A pool whose statements end after 30 s and never wait longer than 5 s for a lock.

    One that `writes` has no connection to a server that only reads, as names and proxies lead to for a
    while after a failover: it would go on with that connection for as long as it is used. What `require`
    raises of a new connection is raised to whoever wanted one.
    """
    pool = _Pool(
        url,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300,
        connect=_connect,
        init=require,
        reset=_keep_state,
        target_session_attrs=_WRITES if writes else None,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        command_timeout=35,
        server_settings={
            "application_name": name,
            "statement_timeout": "30s",
            "lock_timeout": LOCK_TIMEOUT,
            "idle_in_transaction_session_timeout": "30s",
            "jit": "off",
            **_SEEN_SO_FAR,
            **_WATCH,
        },
    )
    try:
        await pool
        await require_own_settings(pool)
    except asyncpg.ProtocolViolationError as error:
        await pool.close()
        raise ConfigurationError(f"{NO_POOLER} ({error})") from None
    except BaseException:
        pool.terminate()
        raise
    return pool


async def require_own_settings(asked: "Pool | asyncpg.Connection[asyncpg.Record]") -> None:
    """Raises ConfigurationError where what was set at the start of the connection did not arrive."""
    try:
        arrived = await asked.fetchval("select current_setting('lock_timeout')")
    except (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError):
        arrived = "that of another session"
    if arrived != LOCK_TIMEOUT:
        raise ConfigurationError(
            f"{NO_POOLER} (lock_timeout is {arrived} and not {LOCK_TIMEOUT} as asked for)"
        )


async def connect(
    url: str, *, name: str, settings: dict[str, str] | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection of its own, noticed within seconds when the other side is gone."""
    return await _connect(
        url,
        target_session_attrs=_WRITES,
        command_timeout=20,
        server_settings={
            "application_name": name,
            "statement_timeout": "15s",
            "lock_timeout": LOCK_TIMEOUT,
            **_SEEN_SO_FAR,
            **_WATCH,
            **(settings or {}),
        },
    )


async def wait_for_disk(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """From here on commits of this connection are durable when they are answered, also where the server is
    told that they need not be: it would forget them when it crashes. Where it does more, it stays so."""
    try:
        await connection.execute(
            "select set_config('synchronous_commit', 'on', false) "
            "where current_setting('synchronous_commit') = 'off'"
        )
    except BaseException:
        connection.terminate()
        raise


async def connect_for_long(
    url: str, *, name: str, writes: bool = True
) -> "asyncpg.Connection[asyncpg.Record]":
    """The same for statements that may take as long as they need."""
    return await _connect(
        url,
        target_session_attrs=_WRITES if writes else None,
        server_settings={
            "application_name": name,
            "statement_timeout": "0",
            "lock_timeout": LOCK_TIMEOUT,
            **_SEEN_SO_FAR,
            **_WATCH,
        },
    )


async def _connect(*where: Any, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        connection = await asyncpg.connect(*where, **{**options, "timeout": _CONNECT_SECONDS})
    except OSError as error:
        # no route, no such name, no answer: all of them are the way to the database, nothing else
        raise ConnectionError(f"cannot reach the database: {str(error) or 'no answer'}") from error
    _end_when_unheard(connection._transport)  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]  # it has no public name
    return connection


def _end_when_unheard(transport: asyncio.Transport) -> None:
    """A host that vanishes refuses nothing: without this a query on it waits for a quarter of an hour."""
    connected = transport.get_extra_info("socket")
    if connected.family == socket.AF_UNIX or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_KEEPIDLE, 3),
        (socket.TCP_KEEPINTVL, 2),
        (socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_SECONDS * 1000),
    ):
        connected.setsockopt(socket.IPPROTO_TCP, option, value)


async def _keep_state(_: Any) -> None:
    """Nothing is set on pooled connections, so nothing needs a round trip to be reset."""

"""Opens connections to PostgreSQL: a pool for requests, single ones for the worker's machinery."""

import asyncio
import contextlib
from typing import Any

import asyncpg
from asyncpg.pool import PoolAcquireContext

type Pool = asyncpg.Pool[asyncpg.Record]

CONNECTION_FAILURES = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # what asyncpg answers when the server's farewell arrives in the middle of a call
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
"""The connection is gone or cannot be had; whether the last statement was committed is not known."""

DATABASE_FAILURES = (*CONNECTION_FAILURES, asyncpg.PostgresError)
"""Whatever the database or the way to it may do to a loop that must go on."""

HOT_SETTINGS = {
    # the hot statements have one right plan, whatever the statistics say: through the index
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


_LONGEST_ACQUIRE_SECONDS = 4.0
_LONGEST_CLOSE_SECONDS = 3.0


class PatientPool(asyncpg.Pool):  # pyright: ignore[reportMissingTypeArgument]  # it takes none when it runs
    """Neither waits for ever for a connection that others hold, nor for one that is dead to be closed."""

    def acquire(self, *, timeout: float | None = None) -> "PoolAcquireContext[asyncpg.Record]":
        """Raises TimeoutError when no connection is free in time; giving it back is bounded likewise."""
        return super().acquire(timeout=timeout or _LONGEST_ACQUIRE_SECONDS)

    async def close(self) -> None:
        """Lets what is held come back for a while, then drops it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_CLOSE_SECONDS):
                await super().close()


async def _keep_state(_: Any) -> None:
    """Nothing is set on pooled connections, so nothing needs a round trip to be reset."""


async def open_pool(url: str, *, size: int, name: str) -> Pool:
    """A pool whose statements end after 30 s and never wait longer than 5 s for a lock."""
    pool = PatientPool(
        url,
        min_size=1,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        connect=_reach,
        reset=_keep_state,
        timeout=5,
        command_timeout=35,
        server_settings={
            "application_name": name,
            "statement_timeout": "30s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "30s",
            "jit": "off",
        },
    )
    return await pool


async def _reach(*arguments: Any, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    """A host without a name or a route is a database that cannot be reached, not a fault of ours."""
    try:
        return await asyncpg.connect(*arguments, **options)
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        raise ConnectionError(f"the database cannot be reached: {error}") from error


async def connect(
    url: str, *, name: str, settings: dict[str, str] | None = None
) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection of its own, noticed within seconds when the other side is gone."""
    return await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=20,
        server_settings={
            "application_name": name,
            "statement_timeout": "15s",
            "lock_timeout": "5s",
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
            **(settings or {}),
        },
    )

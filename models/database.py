"""Opens connections to PostgreSQL: a pool for requests, single ones for the worker's machinery."""

from typing import Any

import asyncpg

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


async def _keep_state(_: Any) -> None:
    """Nothing is set on pooled connections, so nothing needs a round trip to be reset."""


async def open_pool(url: str, *, size: int, name: str) -> Pool:
    """A pool whose statements end after 30 s and never wait longer than 5 s for a lock."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
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

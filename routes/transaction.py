"""One request is one transaction, committed before the answer is sent."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from models.database import Pool
from models.gen.rows import Connection


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection whose changes stay when the block ends well, and vanish when it does not."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection whose reads all see the same moment."""
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection

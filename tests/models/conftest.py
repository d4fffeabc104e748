"""A connection to a fresh database, as the tests of queries and tables need it."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest


@pytest.fixture
async def connection(database: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    """One that asks nobody but the server."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()

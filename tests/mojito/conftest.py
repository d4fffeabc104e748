"""A look at the database beside the command."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest


@pytest.fixture
async def sql(database: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    """One that asks nobody but the server."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()

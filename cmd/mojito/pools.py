"""A database pool for commands that need nothing else: quick to import."""

import contextlib
from collections.abc import AsyncGenerator

from config.settings import Settings, database_url
from models.database import Pool, open_pool


@contextlib.asynccontextmanager
async def opened_pool(settings: Settings, name: str) -> AsyncGenerator[Pool]:
    """A pool that is closed at the end."""
    pool = await open_pool(database_url(settings), size=settings.database_pool_size, name=name)
    try:
        yield pool
    finally:
        await pool.close()

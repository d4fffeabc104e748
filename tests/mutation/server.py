"""One PostgreSQL server with one migrated template, which every run finds instead of making its own."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import asyncpg

from common.embedded_postgres import EmbeddedPostgres
from models.migrate import migrate
from tests.template import TEMPLATE


@contextlib.contextmanager
def running_server() -> Generator[EmbeddedPostgres]:
    """In memory where the system allows."""
    memory = Path("/dev/shm")
    base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    home = base / f"mojito-mutation-{os.getpid()}"
    try:
        with EmbeddedPostgres(home, durable=False) as server:
            asyncio.run(_prepare(server))
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _prepare(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"create database {TEMPLATE}")
    await connection.close()
    await migrate(server.url(TEMPLATE))


def sweep(server: EmbeddedPostgres) -> None:
    """Drops the databases of tests that were cut off."""
    asyncio.run(_sweep(server))


async def _sweep(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.url())
    for row in await connection.fetch(r"select datname from pg_database where datname ~ '^test_'"):
        await connection.execute(f"drop database {row['datname']} with (force)")
    await connection.close()


class Admin:
    """Makes and drops the databases of tests; connects when it is first asked."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._url = server.url()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def execute(self, sql: str, *values: object) -> None:
        """As the connection of the tests' own fixture would."""
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        await self._connection.execute(sql, *values)

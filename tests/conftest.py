"""One PostgreSQL server for the session, one migrated template, one database for each test that asks."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from models import database as databases
from models.migrate import migrate
from tests.sandbox.running import Running
from tests.template import TEMPLATE


@pytest.fixture(scope="session")
def one_sandbox() -> Generator[Running]:
    """In memory, for all tests."""
    running = Running()
    yield running
    running.stop()


@pytest.fixture
def sandbox(one_sandbox: Running) -> Running:
    """As on its first day."""
    one_sandbox.control("POST", "reset").raise_for_status()
    return one_sandbox


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a lock, a connection or an answer waits as long as a test takes on a slow machine."""
    monkeypatch.setattr(databases, "LOCK_TIMEOUT", "59s")
    monkeypatch.setattr(databases, "_LONGEST_ACQUIRE_SECONDS", 59.0)
    monkeypatch.setattr("middleware.patience.LONGEST_SECONDS", 59.0)


@pytest.fixture(scope="session")
def server() -> Generator[EmbeddedPostgres]:
    """In memory where the system allows: databases are made twice as fast there."""
    memory = Path("/dev/shm")
    base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    home = base / f"mojito-tests-{os.getpid()}"
    try:
        with EmbeddedPostgres(home, durable=False, binaries=named_programs()) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def named_programs() -> Path | None:
    """Of another version: the oldest that is promised is 15."""
    named = os.environ.get("MOJITO_PG_BIN")
    return Path(named) if named else None


@pytest.fixture(scope="session")
async def admin(
    server: EmbeddedPostgres,
) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"create database {TEMPLATE}")
    await migrate(server.url(TEMPLATE))
    yield connection
    await connection.close()


@pytest.fixture
async def database(
    server: EmbeddedPostgres, admin: "asyncpg.Connection[asyncpg.Record]"
) -> AsyncGenerator[str]:
    """The address of a fresh, migrated database."""
    name = f"test_{uuid4().hex[:12]}"
    await admin.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
    await own(server.url(name))
    yield server.url(name)
    await admin.execute(f"drop database {name} with (force)")


async def own(url: str) -> None:
    """A copy of the template says that it is the template; workers would wait for a word about that."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "update database_identity set database_oid = "
        "(select oid from pg_database where datname = current_database())"
    )
    await connection.close()

"""What stands between a program and its database must not keep settings from it."""

import asyncio
import contextlib
import struct
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from common.errors import ConfigurationError
from models.database import open_pool, require_own_settings
from models.migrate import migrate

FORGOTTEN = (b"statement_timeout", b"lock_timeout", b"idle_in_transaction_session_timeout")


async def piped(source, target):
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()


@pytest.fixture
async def pooler(database):
    """As one that is told to ignore start-up settings: they end here, all else passes."""
    there = urlsplit(database)
    folder = parse_qs(there.query)["host"][0]
    tasks = set()

    async def serve(reader, writer):
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        told = await reader.readexactly(length - 4)
        words = told[4:].rstrip(b"\0").split(b"\0")
        kept = [
            w
            for pair in zip(words[::2], words[1::2], strict=True)
            for w in pair
            if pair[0] not in FORGOTTEN
        ]
        begun = told[:4] + b"\0".join(kept) + b"\0\0"
        up_reader, up_writer = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        up_writer.write(struct.pack("!i", len(begun) + 4) + begun)
        tasks.update(map(asyncio.create_task, (piped(reader, up_writer), piped(up_reader, writer))))

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    yield f"postgresql://mojito@127.0.0.1:{port}{there.path}?sslmode=disable"
    server.close()
    await asyncio.gather(*tasks)


async def test_a_program_refuses_a_pooler_that_ignores_its_settings(pooler):
    with pytest.raises(ConfigurationError, match="lock_timeout is 0 and not 5s"):
        await open_pool(pooler, size=1, name="mojito test")


async def test_a_migration_refuses_a_pooler_that_ignores_its_settings(pooler):
    with pytest.raises(ConfigurationError, match="connect to PostgreSQL itself"):
        await migrate(pooler)


async def test_a_connection_with_its_own_settings_is_taken(database):
    connection = await asyncpg.connect(database, server_settings={"lock_timeout": "5s"})

    await require_own_settings(connection)
    await connection.close()

"""Copies of a database, made as operators make them: by a dump, or with `create database … template`."""

import asyncio
import re
import shlex
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from common.embedded_postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/operations/backup.md").read_text()
_TOLD = re.search(r"`pg_restore (.*?) --dbname=", GUIDE)
assert _TOLD is not None
OPTIONS = shlex.split(_TOLD[1])
"""What operators are told to restore with."""

type Admin = asyncpg.Connection[asyncpg.Record]


async def dump(server: EmbeddedPostgres, url: str, file: Path) -> None:
    """While everything runs."""
    await _run(server, "pg_dump", "--format=custom", f"--file={file}", url)


async def restore(server: EmbeddedPostgres, file: Path, url: str) -> None:
    """Into a database that is there and empty."""
    await _run(server, "pg_restore", *OPTIONS, f"--dbname={url}", str(file))


async def _run(server: EmbeddedPostgres, program: str, *arguments: str) -> None:
    command: list[Any] = [server.binaries.folder / program, *arguments]
    await asyncio.to_thread(subprocess.run, command, check=True, cwd=Path("/"))


@asynccontextmanager
async def dumped(
    source: EmbeddedPostgres, url: str, target: EmbeddedPostgres, folder: Path
) -> AsyncGenerator[str]:
    """A copy by dump and restore, on the same server or on another."""
    async with _named(target) as copy:
        target.create_database(urlsplit(copy).path[1:])
        file = folder / f"{uuid4().hex}.dump"
        await dump(source, url, file)
        await restore(target, file, copy)
        yield copy


@asynccontextmanager
async def templated(server: EmbeddedPostgres, url: str) -> AsyncGenerator[str]:
    """A copy beside it, for which everybody leaves the database for a moment."""
    async with _named(server) as copy:
        source, name = urlsplit(url).path[1:], urlsplit(copy).path[1:]
        admin: Admin = await asyncpg.connect(server.url())
        await admin.execute(f"alter database {source} allow_connections false")
        try:
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", source
            )
            await admin.execute(f"create database {name} template {source} strategy file_copy")
        finally:
            await admin.execute(f"alter database {source} allow_connections true")
            await admin.close()
        yield copy


@asynccontextmanager
async def _named(server: EmbeddedPostgres) -> AsyncGenerator[str]:
    """The address of a database that there is not; dropped at the end."""
    name = f"copy_{uuid4().hex[:12]}"
    try:
        yield server.url(name)
    finally:
        admin: Admin = await asyncpg.connect(server.url())
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.close()


@contextmanager
def another_server(binaries: Path | None) -> Generator[EmbeddedPostgres]:
    """With a system identifier of its own."""
    home = Path(mkdtemp(prefix="mojito-other-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres", durable=False, binaries=binaries) as server:
            yield server
    finally:
        rmtree(home, ignore_errors=True)

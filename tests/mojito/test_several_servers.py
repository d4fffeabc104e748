"""Commands where the first of two servers only reads, as after a failover: they find the other one."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from common.keyring import new_key_line
from models.migrate import load, migrate
from mojito.main import main

NEWEST = load()[-1]
COMMANDS = [
    ("keys", "create", "--team", "ads"),
    ("encryption", "rotate"),
    ("retention",),
    ("restored",),
]


@pytest.fixture(scope="module")
def standby():
    """A server beside that of the tests."""
    home = Path(tempfile.mkdtemp(prefix="mojito-standby-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres", durable=False) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def two(database, standby):
    """The address of both; the first has the same tables and takes no writes."""
    name = urlsplit(database).path.removeprefix("/")
    standby.create_database(name)
    there = standby.url(name)
    await migrate(there)
    connection = await asyncpg.connect(there)
    await connection.execute(f"alter database {name} set default_transaction_read_only = on")
    await connection.close()
    folders = [parse_qs(urlsplit(url).query)["host"][0] for url in (there, database)]
    return f"postgresql://mojito@/{name}?host={','.join(folders)}"


@pytest.fixture
def command(two, tmp_path, monkeypatch, capsys):
    """Runs it; its exit code, and what it said on either side."""
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MOJITO_DATABASE_URL", two)

    async def run(*arguments: str):
        code = await asyncio.to_thread(main, [*arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
async def test_what_a_command_writes_is_written_where_it_can_be(command, arguments):
    code, _, err = await command(*arguments)

    assert code == 0, err


async def test_migrations_are_applied_where_they_can_be(command, database):
    await migrate(database, to=f"{int(NEWEST.version) - 1:04}")

    code, out, err = await command("migrate")

    assert (code, out) == (0, f"up {NEWEST.name}\n"), err


@pytest.mark.parametrize("arguments", [("migrate",), ("keys", "create", "--team", "ads")])
async def test_where_no_server_takes_writes_that_is_said(command, standby, monkeypatch, arguments):
    monkeypatch.setenv("MOJITO_DATABASE_URL", standby.url(await only_database(standby)))

    code, _, err = await command(*arguments)

    assert code == 1
    assert err.startswith("mojito: no server there takes writes: a standby, or ")


async def only_database(standby):
    """One of those that were made to take no writes."""
    connection = await asyncpg.connect(standby.url())
    try:
        return await connection.fetchval(
            "select datname from pg_database where datname like 'test\\_%' limit 1"
        )
    finally:
        await connection.close()

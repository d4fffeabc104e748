"""docs/operations/roles.sql where a provider gives nobody a superuser: by its owner."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from models.migrate import load, migrate
from tests.house.conftest import ROOT


@pytest.fixture
def own_server():
    """Whose roles are its own."""
    home = Path(tempfile.mkdtemp(prefix="mojito-managed-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres", durable=False) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
async def managed(own_server):
    """A server whose administrator may make roles and databases, and nothing more."""
    connection = await asyncpg.connect(own_server.url())
    await connection.execute("create role administrator login createrole createdb")
    await connection.execute("create database ads owner administrator")
    await connection.close()
    return own_server


def url(server, role):
    return server.url("ads").replace("//mojito@", f"//{role}@")


def grant(server):
    """What the operator's document says."""
    done = subprocess.run(
        [
            *(server.binaries.folder / "psql", url(server, "administrator")),
            *("-q", "-v", "ON_ERROR_STOP=1", "-f", ROOT / "docs/operations/roles.sql"),
        ],
        cwd=Path("/"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("migrated_by", ["mojito_owner", "administrator"])
async def test_the_roles_are_made_and_have_their_rights(managed, migrated_by):
    if migrated_by == "mojito_owner":
        grant(managed)
    await migrate(url(managed, migrated_by))
    grant(managed)
    grant(managed)

    program = await asyncpg.connect(url(managed, "mojito_app"))
    jobs = await program.fetchval("select count(*) from campaign_jobs")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await program.execute("delete from audit_log")
    await program.close()
    down = await migrate(url(managed, "mojito_owner"), to=load()[-2].version)

    assert jobs == 0
    assert down == [f"down {load()[-1].name}"]

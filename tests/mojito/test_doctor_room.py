"""`mojito doctor` counts what others use, and looks where the assets really are."""

from uuid import uuid4

import asyncpg
import msgspec
import pytest

from config.settings import Settings
from models.database import open_pool
from mojito import server_checks
from mojito.doctor import Surroundings, disks, examine
from tests.chaos.small_disk import mounted
from tests.house.conftest import until


@pytest.fixture
async def stranger(database, admin):
    """The address for a role that sees nothing of others."""
    role = f"stranger_{uuid4().hex[:12]}"
    await admin.execute(f"create role {role} login")
    yield database.replace("//mojito@", f"//{role}@")
    await admin.execute(f"drop role {role}")


async def connections(url, **changes):
    """The one finding of them, and what it stands on."""
    settings = msgspec.structs.replace(Settings(database_url=url), **changes)
    pool = await open_pool(url, size=1, name="mojito doctor")
    try:
        server = await server_checks.read_server(pool)
    finally:
        await pool.close()
    return server, server_checks.connections(server, settings)


async def until_connected(admin, others):
    """The server takes a moment to let those go who closed their connections."""

    async def ask():
        return others == await admin.fetchval(
            "select count(*) from pg_stat_activity "
            "where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )

    await until(ask)


async def test_what_others_use_is_counted_by_a_role_that_sees_nothing_of_them(
    database, stranger, admin
):
    await until_connected(admin, 0)
    before, _ = await connections(stranger)
    others = [await asyncpg.connect(database) for _ in range(3)]
    await until_connected(admin, 3)

    after, _ = await connections(stranger)
    for connection in others:
        await connection.close()

    assert after.used - before.used == 3
    assert before.room - after.room == 3


@pytest.mark.parametrize("whose", ["role", "database"])
async def test_the_limit_of_a_role_or_a_database_is_the_room_that_there_is(
    database, stranger, admin, whose
):
    name = database.split("?")[0].rsplit("/", 1)[1]
    role = stranger.split("//")[1].split("@")[0]
    await admin.execute(f"alter {whose} {role if whose == 'role' else name} connection limit 12")
    worker = await asyncpg.connect(
        stranger, server_settings={"application_name": "mojito presence"}
    )
    listener = await asyncpg.connect(
        stranger, server_settings={"application_name": "mojito listener"}
    )

    _, found = await connections(stranger)
    await worker.close()
    await listener.close()

    assert found.severity == "warning"
    assert "1 worker may take 17, and there is room for 12" in found.message
    assert "limit of the role" in found.remedy


def test_assets_on_another_disk_are_looked_at_there(tmp_path):
    settings = Settings(data_dir=tmp_path)

    alike = disks(settings)
    with mounted(tmp_path / "assets", megabytes=64):
        apart = disks(settings)

    assert [one.severity for one in alike] == [apart[0].severity]
    assert [one.severity for one in apart[1:]] == ["error"]
    assert str(tmp_path / "assets") in apart[1].message


async def test_the_doctor_tells_of_both_disks(tmp_path):

    with mounted(tmp_path / "assets", megabytes=64):
        found = await examine(Settings(data_dir=tmp_path), Surroundings())

    assert [one.check for one in found].count("disk") == 2

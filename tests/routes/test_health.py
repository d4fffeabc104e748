"""A process tells whether it lives, and an installation whether it can do its work."""

import asyncio
import json
import os
from pathlib import Path

import asyncpg
import httpx
import pytest

from models.database import open_pool
from models.notifier import Notifier
from routes.app import create_app
from routes.health import ServerReadiness, missing_parts
from routes.job_writes import JobWrites
from routes.watch import Watch
from tests.routes.conftest import Api

NOBODY = 2**22 + 1
"""More than any process id that Linux gives out."""


def complete(folder: Path, **processes: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dev-key").write_text("mj_test_x")
    (folder / "dev-accounts.json").write_text(json.dumps({"META": {}, "assets": {}}))
    alive = {"api": os.getpid(), "sandbox": os.getpid(), "workers": [os.getpid()], "postgres": 1}
    (folder / "processes.json").write_text(json.dumps({**alive, **processes}))
    return folder


async def test_it_is_ready_when_the_database_is_there_and_migrated(api: Api):
    answer = await api.client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_a_development_key_that_is_no_text_is_not_complete(tmp_path: Path):
    folder = complete(tmp_path)
    (folder / "dev-key").write_bytes(b"\xff\xfe")

    assert missing_parts(folder) == ["dev-key is not complete"]


async def test_a_missing_migration_is_named(api: Api):
    await api.pool.execute("delete from schema_migrations where version = '0001'")

    answer = await api.client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not_ready",
        "missing": ["migration 0001_accounts.sql is not applied"],
    }
    assert answer.headers["retry-after"] == "1"


async def test_without_database_it_lives_refuses_and_recovers(api: Api, database: str, admin):
    name = await api.pool.fetchval("select current_database()")
    caller = await api.caller()
    assert (await caller.get("/api/v1/ad_accounts")).status_code == 200
    await admin.execute(f"alter database {name} with allow_connections false")
    await admin.execute(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = $1", name
    )

    dead = [
        await api.client.get("/livez"),
        await api.client.get("/readyz"),
        await caller.get("/api/v1/ad_accounts"),
    ]
    await admin.execute(f"alter database {name} with allow_connections true")
    alive = [await api.client.get("/readyz"), await caller.get("/api/v1/ad_accounts")]

    assert [answer.status_code for answer in dead] == [200, 503, 503]
    assert dead[0].json() == {"status": "ok"}
    assert dead[1].json()["missing"] == ["the database does not answer"]
    assert dead[2].json()["code"] == "database_unavailable"
    assert int(dead[2].headers["retry-after"]) > 0
    assert [answer.status_code for answer in alive] == [200, 200]


async def test_a_database_that_only_reads_is_not_ready(api: Api, admin):
    name = await api.pool.fetchval("select current_database()")
    await admin.execute(f"alter database {name} set default_transaction_read_only = on")
    await api.pool.expire_connections()

    answer = await api.client.get("/readyz")

    await admin.execute(f"alter database {name} reset default_transaction_read_only")
    assert answer.status_code == 503
    assert answer.json()["missing"] == ["the database takes no writes"]


class CountingPool:
    """The pool, held up while it is asked; notes how many ask it at a time."""

    def __init__(self, pool):
        self._pool = pool
        self.is_asked, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.under_way = self.most = 0

    async def fetchval(self, *arguments):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.is_asked.set()
        await self.may_go_on.wait()
        try:
            return await self._pool.fetchval(*arguments)
        finally:
            self.under_way -= 1

    async def fetch(self, *arguments):
        return await self._pool.fetch(*arguments)


async def test_all_who_ask_at_a_time_share_one_look_at_the_database(api: Api):
    pool = CountingPool(api.pool)
    readiness = ServerReadiness(pool)

    asking = [asyncio.create_task(readiness.missing()) for _ in range(50)]
    giving_up = asyncio.create_task(readiness.missing())
    await pool.is_asked.wait()
    giving_up.cancel()
    pool.may_go_on.set()

    assert await asyncio.gather(*asking) == [[]] * 50
    assert pool.most == 1


async def test_a_complete_installation_is_ready(tmp_path):
    assert missing_parts(complete(tmp_path / "data")) == []


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"sandbox": NOBODY}, ["the sandbox does not run"]),
        ({"workers": []}, ["no worker runs"]),
        ({"workers": [NOBODY]}, ["no worker runs"]),
        ({"workers": [NOBODY, os.getpid()]}, []),
        ({"workers": [1]}, []),  # may belong to somebody else
        ({"workers": [0]}, ["no worker runs"]),  # what a signal to 0 reaches is our own group
        ({"sandbox": -1}, ["the sandbox does not run"]),
    ],
)
async def test_a_part_that_does_not_run_is_named(tmp_path, change, missing):
    assert missing_parts(complete(tmp_path / "data", **change)) == missing


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("dev-key", ""),
        ("dev-key", None),
        ("dev-accounts.json", '{"META": {}'),
        ("dev-accounts.json", "{}"),
        ("dev-accounts.json", '{"META": {}}'),
        ("dev-accounts.json", '{"assets": {}}'),
        ("dev-accounts.json", None),
        ("processes.json", "{"),
        ("processes.json", None),
    ],
)
async def test_a_file_that_is_not_complete_is_named(tmp_path, file, text):
    folder = complete(tmp_path / "data")
    (folder / file).unlink() if text is None else (folder / file).write_text(text)

    assert missing_parts(folder) == [f"{file} is not complete"]


async def test_an_installation_that_lacks_parts_is_not_ready(
    api: Api, tmp_path, keyring, assets, database, verifier
):
    readiness = ServerReadiness(api.pool, tmp_path)
    app = create_app(
        pool=api.pool,
        keyring=keyring,
        notifier=Notifier(database),
        job_writes=JobWrites(database),
        readiness=readiness,
        assets=assets,
        verifier=verifier,
        watch=Watch(database, api.pool, asyncio.Event()),
    )
    transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
    client = httpx.AsyncClient(transport=transport, base_url="http://api")

    before = await client.get("/readyz")
    complete(tmp_path)
    after = await client.get("/readyz")

    assert before.status_code == 503
    assert before.json()["missing"][0] == "dev-key is not complete"
    assert after.status_code == 200


async def test_a_database_without_our_tables_is_not_ready(admin):
    await admin.execute("create database empty_one")
    url = (await _address(admin)).replace("/postgres?", "/empty_one?")
    pool = await open_pool(url, size=1, name="test")

    missing = await ServerReadiness(pool).missing()

    await pool.close()
    await admin.execute("drop database empty_one with (force)")
    assert "migration 0001_accounts.sql is not applied" in missing


async def _address(admin: "asyncpg.Connection[asyncpg.Record]") -> str:
    host, _ = admin._addr if isinstance(admin._addr, tuple) else (admin._addr, 0)
    return f"postgresql://mojito@/postgres?host={Path(host).parent}"

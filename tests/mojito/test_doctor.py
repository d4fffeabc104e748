"""`mojito doctor`: each finding is made to happen, and comes with what to do about it."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec
import pytest
from uuid_utils.compat import uuid7

from common.embedded_postgres import EmbeddedPostgres
from common.keyring import new_key_line
from config.settings import Settings
from models.migrate import migrate
from mojito import server_checks
from mojito.doctor import Surroundings, examine
from mojito.platform_versions import VERSIONS
from tests.chaos.small_disk import mounted

ROOT = Path(__file__).parents[2]
HEARD_FOR_LONG = timedelta(minutes=-10)
"""Of a worker that lives as long as the test may take."""


@pytest.fixture
def settings(database, tmp_path):
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    return Settings(database_url=database, data_dir=tmp_path)


async def finding(settings, check, **around):
    found = await examine(settings, Surroundings(**{"patience_seconds": 60, **around}))
    (one,) = [one for one in found if one.check == check]
    assert (one.severity == "ok") == (not one.remedy)
    return one


async def add_account(sql, *, status="ACTIVE", key_id="k1"):
    account_id = uuid7()
    await sql.execute(
        "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
        "credentials_key_id, credentials_fingerprint, mode, status) "
        "values ($1, 'Client X', 'META', $2, '', $3, 'f', 'sandbox', $4)",
        account_id,
        f"act_{account_id.int}",
        key_id,
        status,
    )
    return account_id


async def add_worker(sql, silent=timedelta(0)):
    worker_id = uuid7()
    await sql.execute(
        "insert into workers (id, host, process_id, last_seen_at) "
        "values ($1, 'machine-7', 42, now() - $2::interval)",
        worker_id,
        silent,
    )
    return worker_id


async def test_a_database_that_is_not_there(settings):
    nowhere = msgspec.structs.replace(settings, database_url="postgresql://127.0.0.1:1/none")

    found = await finding(nowhere, "database")

    assert found.severity == "error"
    assert "MOJITO_DATABASE_URL" in found.remedy


async def test_tables_that_are_missing(settings, sql, database):
    await migrate(database, to="0003")

    found = await finding(settings, "migrations")

    assert (found.severity, found.remedy) == ("error", "mojito migrate")
    assert "0004" in found.message


async def test_a_database_of_a_newer_program(settings, sql):
    await sql.execute("insert into schema_migrations (version) values ('9999')")

    found = await examine(settings, Surroundings())

    assert [one.severity for one in found if "9999" in one.message] == ["error"]


async def test_a_server_that_is_too_old(settings, monkeypatch):
    server = server_checks.Server(14, "on", "on", "on", 100, 1, 0, 0)

    assert server_checks.version(server).severity == "error"
    assert (await finding(settings, "postgresql")).severity == "ok"


async def test_a_database_that_takes_no_writes(settings, sql):
    name = await sql.fetchval("select current_database()")
    good = await finding(settings, "writes")

    await sql.execute(f"alter database {name} set default_transaction_read_only = on")
    found = await finding(settings, "writes")

    assert (good.severity, found.severity) == ("ok", "error")
    assert "the primary" in found.remedy


async def test_settings_of_the_server_that_forget_what_was_promised(settings):
    found = await examine(settings, Surroundings())

    told = {one.message.split()[0]: one for one in found if one.check == "durability"}
    assert set(told) == {"fsync", "full_page_writes", "synchronous_commit"}
    assert {one.severity for one in told.values()} == {"error"}
    assert all("alter system" in one.remedy for one in told.values())


async def test_more_connections_wanted_than_there_are(settings):
    # a worker listens and shows its presence, an API only listens
    names = ("mojito presence", "mojito listener", "mojito listener")
    connected = [
        await asyncpg.connect(settings.database_url, server_settings={"application_name": name})
        for name in names
    ]
    greedy = msgspec.structs.replace(settings, database_pool_size=200)

    few, many = await finding(settings, "connections"), await finding(greedy, "connections")
    for connection in connected:
        await connection.close()

    assert few.severity == "ok"
    assert "1 API process and 1 worker may take 30" in few.message
    assert many.severity == "warning"
    assert "max_connections" in many.remedy


@pytest.mark.parametrize(
    ("ahead", "severity"), [(0, "ok"), (5, "warning"), (-5, "warning"), (100, "error")]
)
async def test_a_clock_that_goes_wrong(settings, ahead, severity):
    found = await finding(settings, "clock", host_seconds=lambda: time.time() + ahead)

    assert found.severity == severity


async def forward_all_but_notifications(folder, reader, writer):
    """One connection to the server, as a pooler passes it on that gives each statement another."""
    there, to_there = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")

    async def forward():
        while data := await reader.read(65536):
            to_there.write(data)
        to_there.transport.abort()

    sending = asyncio.create_task(forward())
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        while True:
            head = await there.readexactly(5)
            body = await there.readexactly(int.from_bytes(head[1:], "big") - 4)
            if head[:1] != b"A":
                writer.write(head + body)
    writer.transport.abort()
    to_there.transport.abort()
    await asyncio.gather(sending, return_exceptions=True)


async def test_notifications_that_do_not_arrive(settings):
    address = urlsplit(settings.database_url)
    forward = partial(forward_all_but_notifications, parse_qs(address.query)["host"][0])
    listening = await asyncio.start_server(forward, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    url = f"postgresql://mojito@127.0.0.1:{port}{address.path}?sslmode=disable"

    heard = await finding(settings, "notifications")
    pooled = msgspec.structs.replace(settings, database_url=url)
    unheard = await finding(pooled, "notifications", patience_seconds=0.5)
    listening.close()

    assert heard.severity == "ok"
    assert unheard.severity == "warning"
    assert "session mode" in unheard.remedy


async def test_a_key_that_stored_secrets_need_is_missing(settings, sql):
    await add_account(sql, key_id="lost")

    found = await finding(settings, "encryption_keys")

    assert found.severity == "error"
    assert "lost" in found.message


async def test_secrets_under_an_older_key(settings, sql):
    await add_account(sql, key_id="k1")
    keys = settings.keys_file
    well = await finding(settings, "encryption_keys")
    keys.write_text(f"{new_key_line('k2')}\n{keys.read_text()}\n")

    found = await finding(settings, "encryption_keys")

    assert well.severity == "ok"
    assert (found.severity, found.remedy) == ("warning", "mojito encryption rotate")


async def test_a_keys_file_that_cannot_be_read(settings):
    settings.keys_file.unlink()

    assert (await finding(settings, "encryption_keys")).severity == "error"


async def test_no_worker_lives(settings, sql):
    nobody = await finding(settings, "workers")
    await add_worker(sql, silent=HEARD_FOR_LONG)

    somebody = await finding(settings, "workers")

    assert (nobody.severity, nobody.remedy) == ("error", "Start one: mojito work")
    assert somebody.severity == "ok"


async def test_a_worker_that_died(settings, sql):
    await add_worker(sql, silent=HEARD_FOR_LONG)
    began = time.monotonic()
    await add_worker(sql, silent=timedelta(minutes=5))

    found = await finding(settings, "workers")

    took = time.monotonic() - began
    told = re.search(r"machine-7 \(process 42, silent for (\d+) s, 0 jobs\)", found.message)
    assert found.severity == "warning"
    assert 300 <= int(told[1]) <= 300 + took


@pytest.mark.parametrize(("age", "severity"), [(30, "ok"), (120, "warning"), (1200, "error")])
async def test_a_job_that_nobody_takes(settings, sql, age, severity):
    await sql.execute(
        "insert into campaign_jobs (id, ad_account_id, platform_type, mode, due_at) "
        "values ($1, $2, 'META', 'sandbox', now() - $3::interval)",
        uuid7(),
        await add_account(sql),
        timedelta(seconds=age),
    )

    assert (await finding(settings, "oldest_job")).severity == severity


async def test_an_account_that_needs_new_credentials(settings, sql):
    account_id = await add_account(sql, status="REQUIRES_REAUTH")

    found = await finding(settings, "accounts")

    assert found.severity == "warning"
    assert f"Client X (act_{account_id.int}, {account_id})" in found.message


@pytest.mark.parametrize(
    ("version", "today", "severity"),
    [
        ("v26.0", date(2026, 11, 20), "ok"),
        ("v24.0", date(2026, 11, 20), "error"),
        ("v24.0", date(2026, 10, 6), "warning"),
        ("v24.0", date(2026, 7, 9), "warning"),
        ("v24.0", date(2026, 7, 8), "ok"),
        ("v99.0", date(2026, 11, 20), "warning"),
    ],
)
async def test_a_version_of_meta_that_ends(settings, version, today, severity):
    spoken = msgspec.structs.replace(settings, meta_api_version=version)

    found = await finding(spoken, "meta_api_version", today=lambda: today)

    assert found.severity == severity


def test_the_version_in_use_is_in_the_table_with_its_source():
    rows = {row.version: row for row in VERSIONS if row.platform_type == "META"}

    assert rows[Settings().meta_api_version].last_day is None
    assert all(row.source.startswith("https://developers.facebook.com/") for row in rows.values())


@pytest.mark.parametrize(("megabytes", "severity"), [(64, "error"), (512, "warning")])
async def test_a_disk_that_fills_up(settings, tmp_path, megabytes, severity):
    with mounted(tmp_path / "disk", megabytes=megabytes) as disk:
        there = msgspec.structs.replace(settings, data_dir=disk.folder / "not-made-yet")

        found = await finding(there, "disk")

    assert found.severity == severity


@pytest.fixture
def durable():
    """A server as one would run it."""
    home = Path(tempfile.mkdtemp(prefix="mojito-doctor-"))
    home.chmod(0o755)
    try:
        with EmbeddedPostgres(home / "postgres") as server:
            server.create_database("mojito")
            yield server.url("mojito")
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def ask(url, folder, *arguments, **changes):
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MOJITO_")}
    environment |= {
        "MOJITO_DATABASE_URL": url,
        "MOJITO_DATA_DIR": str(folder),
        "PYTHONPATH": f"{ROOT / 'cmd'}:{ROOT}",
        **changes,
    }
    command = [sys.executable, "-m", "mojito", "doctor", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


async def test_the_exit_code_is_the_worst_finding(durable, tmp_path):
    await migrate(durable)
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    sql = await asyncpg.connect(durable)

    idle = await ask(durable, tmp_path, "--json")
    await add_worker(sql, silent=HEARD_FOR_LONG)
    well = await ask(durable, tmp_path, "--json")
    await add_account(sql, status="REQUIRES_REAUTH")
    uneasy = await ask(durable, tmp_path)
    await sql.close()
    faulty = await ask(durable, tmp_path, "--json", MOJITO_PROT="1")

    assert idle[0] == 2
    assert well[0] == 0, well[1]
    told = json.loads(well[1])
    assert told["severity"] == "ok"
    assert [one["check"] for one in told["findings"]] == [
        "database", "disk", "meta_api_version", "postgresql", "writes", "durability", "connections",
        "clock", "notifications", "migrations", "identity", "encryption_keys", "workers",
        "oldest_job", "accounts",
    ]  # fmt: skip
    assert uneasy[0] == 1
    assert "-> PUT /api/v1/ad_accounts" in uneasy[1]
    assert faulty[0] == 2
    assert json.loads(faulty[1])["findings"][0]["message"].startswith("MOJITO_PROT")

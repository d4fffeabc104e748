"""A command on a database that is not its own, or that refuses it, says so in a sentence."""

import asyncio
import json
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from common.keyring import new_key_line
from config.settings import Settings
from models.migrate import load, migrate
from mojito.configuration import _data_dir as check_data_dir
from mojito.doctor import Surroundings, disk_space, examine
from mojito.main import main
from tests.mojito.test_main import require_sentence, run

NEWEST = load()[-1]
COMMANDS = [
    ("keys", "list"),
    ("keys", "create", "--team", "t"),
    ("keys", "revoke", str(uuid4())),
    ("accounts", "list"),
    ("accounts", "verify", "act_1"),
    ("audit", "export"),
    ("encryption", "status"),
    ("encryption", "rotate"),
    ("retention",),
    ("retention", "--dry-run"),
    ("restored",),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("state", ["empty", "older", "newer"])
async def test_tables_of_another_program(
    folder, database, sql, command, state, monkeypatch, capsys
):
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(folder))
    if state == "newer":
        await sql.execute("insert into schema_migrations (version) values ('9999')")
    else:
        await migrate(database, to="0000" if state == "empty" else "0003")

    code = await asyncio.to_thread(main, list(command))

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("mojito: the database ")
    assert ("9999" if state == "newer" else NEWEST.name) in said


@pytest.fixture
async def stranger(database, sql):
    """The address for a role that may connect and read what has been migrated, and nothing else."""
    role = f"stranger_{uuid4().hex[:12]}"
    await sql.execute(
        f"create role {role} login; grant usage on schema public to {role}; "
        f"grant select on schema_migrations to {role}"
    )
    yield database.replace("//mojito@", f"//{role}@")
    await sql.execute(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize("command", [("keys", "list"), ("audit", "export"), ("retention",)])
async def test_rights_that_are_missing(folder, stranger, command):
    done = await asyncio.to_thread(run, folder, *command, url=stranger)

    require_sentence(done)
    assert "permission denied" in done.stderr
    assert "roles.sql" in done.stderr


async def test_the_doctor_keeps_what_it_found_before_it_was_refused(folder, stranger):
    done = await asyncio.to_thread(run, folder, "doctor", "--json", url=stranger)

    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 2
    assert found["migrations"]["severity"] == found["notifications"]["severity"] == "ok"
    told = [one for one in json.loads(done.stdout)["findings"] if "roles.sql" in one["message"]]
    assert [one["severity"] for one in told] == ["error"]


async def test_the_doctor_is_told_of_a_newer_program_as_of_migrations(folder, database, sql):
    await sql.execute("insert into schema_migrations (version) values ('9999')")
    settings = Settings(database_url=database, data_dir=folder)

    found = await examine(settings, Surroundings())

    (one,) = [one for one in found if one.check == "migrations"]
    assert one.severity == "error"
    assert "9999" in one.message
    assert "upgrade.md" in one.remedy


async def test_the_doctor_does_not_wait_for_a_migration_that_runs(folder, database, sql):
    await sql.execute("select pg_advisory_lock(7092416)")
    settings = Settings(database_url=database, data_dir=folder)

    found = await examine(settings, Surroundings())

    (one,) = [one for one in found if one.check == "migrations"]
    assert one.severity == "ok"
    assert [one.check for one in found if one.check == "database"] == ["database"]


async def test_the_doctor_names_a_database_that_refuses_us(folder, database):
    elsewhere = urlsplit(database)._replace(path="/nowhere").geturl()
    settings = Settings(database_url=elsewhere, data_dir=folder)

    found = await examine(settings, Surroundings())

    (one,) = [one for one in found if one.severity == "error"]
    assert one.check == "database"
    assert '"nowhere" does not exist' in one.message
    assert "MOJITO_DATABASE_URL" in one.remedy


async def test_the_doctor_finds_the_installation_that_runs_in_its_folder(folder, database):
    written = {"MOJITO_DATABASE_URL": database, "MOJITO_DATA_DIR": str(folder)}
    (folder / "environment.json").write_text(json.dumps(written))
    before = await asyncio.to_thread(run, folder, "doctor", "--json", url="")
    (folder / "processes.json").write_text(json.dumps({"api": os.getpid()}))

    beside = await asyncio.to_thread(run, folder, "doctor", "--json", url="")

    (missing,) = [o for o in json.loads(before.stdout)["findings"] if o["check"] == "database"]
    (reached,) = [o for o in json.loads(beside.stdout)["findings"] if o["check"] == "database"]
    assert "MOJITO_DATABASE_URL is not set" in missing["message"]
    assert "mojito up" in missing["remedy"]
    assert reached["severity"] == "ok"


@pytest.fixture
def ordinary():
    """Acts as an ordinary user from here on, also where the tests run as root; a folder that he can enter."""
    folder = Path(tempfile.mkdtemp(prefix="mojito-folder-"))
    inner = folder / "closed"
    inner.mkdir()
    inner.chmod(0)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)
        inner.chmod(0o700)
        shutil.rmtree(folder)


def test_a_data_folder_that_cannot_be_entered(ordinary):
    there = ordinary / "closed" / "data"

    found = disk_space(there)
    (checked,) = check_data_dir(there)

    assert (found.severity, checked.severity) == ("error", "error")
    assert f"{there} cannot be entered" in found.message
    assert found.remedy


def test_a_data_folder_that_cannot_be_written_to(ordinary):
    found = disk_space(ordinary / "data")

    assert found.severity == "error"
    assert f"{ordinary} cannot be written to" in found.message
    assert found.remedy


@pytest.mark.parametrize("command", [("sandbox",), ("up",)])
def test_a_data_folder_that_cannot_be_made(command, tmp_path):
    (tmp_path / "file").write_text("")

    done = run(tmp_path / "file" / "below", *command, url="")

    require_sentence(done)
    assert str(tmp_path / "file") in done.stderr


def test_an_output_that_knows_fewer_letters(tmp_path, database, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    run(tmp_path, "keys", "create", "--team", "Café", url=database)

    done = run(tmp_path, "keys", "list", url=database)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Caf\\xe9" in done.stdout


@pytest.mark.parametrize("after", [str(2**63), "-1", "x"])
def test_a_number_that_no_entry_has(tmp_path, database, after):
    done = run(tmp_path, "audit", "export", f"--after={after}", url=database)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr

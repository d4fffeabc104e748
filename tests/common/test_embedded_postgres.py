"""A private PostgreSQL: adopted and left by any number of users, well after any death."""

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from common.embedded_postgres import EmbeddedPostgres
from common.errors import ConfigurationError
from common.postgres_binaries import Binaries, find_binaries, server_account

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home():
    with tempfile.TemporaryDirectory(prefix="mojito-pg-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


def make(home, **options):
    return EmbeddedPostgres(home, durable=False, **options)


async def rows(server):
    connection = await asyncpg.connect(server.url("kept"))
    try:
        return await connection.fetchval("select count(*) from kept")
    finally:
        await connection.close()


async def keep_a_row(server):
    server.create_database("kept")
    connection = await asyncpg.connect(server.url("kept"))
    await connection.execute("create table kept as select 1 as one")
    await connection.close()


async def test_the_last_one_out_stops_it_and_the_data_stays(home):
    first, second = make(home).start(), make(home).start()
    await keep_a_row(first)
    pid = first.pid

    stopped_by_first = first.stop()
    kept = await rows(second)
    stopped_by_second = second.stop()
    first.process.wait()
    with make(home) as third:
        kept_after = await rows(third)

    assert (stopped_by_first, stopped_by_second) == (False, True)
    assert (kept, kept_after) == (1, 1)
    assert pid is not None


async def test_a_killed_server_is_revived_with_its_rows(home):
    with EmbeddedPostgres(home) as server:
        await keep_a_row(server)
        assert server.revive() is False
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()

        revived = server.revive()

        assert revived is True
        assert await rows(server) == 1


@pytest.fixture
def stranger():
    """A process of the server's account that is none."""
    process = subprocess.Popen(["/bin/sleep", "600"], **server_account().options)
    yield process
    process.kill()
    process.wait()


def test_the_number_of_a_killed_server_that_another_process_has_is_passed_over(home, stranger):
    with make(home) as server:
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait()
    file = home / f"pg{server.binaries.major}" / "postmaster.pid"
    rest = file.read_text().partition("\n")[2]
    file.write_text(f"{stranger.pid}\n{rest}")

    told = make(home).pid
    left_alone = make(home)
    left_alone.start(timeout_seconds=60)
    pid = left_alone.pid
    left_alone.stop()

    assert told is None
    assert pid not in (None, stranger.pid)
    assert stranger.poll() is None


async def test_making_a_database_twice_is_no_error(home):
    with make(home) as server:
        server.create_database("kept")
        server.create_database("kept")

        connection = await asyncpg.connect(server.url("kept"))
        await connection.close()


def test_it_ends_with_the_process_that_owns_it_and_starts_again_afterwards(home):
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from common.embedded_postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[2]), durable=False).start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )

    dead = subprocess.run(
        [sys.executable, "-c", script, str(ROOT), str(home)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert dead.returncode == -signal.SIGKILL
    with make(home) as server:
        assert server.pid not in (None, int(dead.stdout))


def test_a_long_path_moves_the_socket_only(home):
    with make(home / ("x" * 90)) as server:
        assert server.pid is not None
        assert len(server.url()) < 160


def test_data_of_an_older_version_is_refused_by_name(home):
    (home / "pg12").mkdir(parents=True)
    (home / "pg12" / "PG_VERSION").write_text("12")

    with pytest.raises(ConfigurationError, match="pg12"):
        make(home).start()


def test_without_programs_the_remedy_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("common.postgres_binaries._SYSTEM_FOLDERS", ())

    with pytest.raises(ConfigurationError, match=r"apt install postgresql.*MOJITO_DATABASE_URL"):
        find_binaries(tmp_path)


def test_a_named_folder_without_programs_is_not_passed_over(tmp_path):
    with pytest.raises(ConfigurationError, match=f"MOJITO_PG_BIN .{tmp_path}"):
        find_binaries(tmp_path)


@pytest.mark.parametrize("name", ["nobody-has-this-name", "0"])
def test_neither_is_a_named_account_that_there_is_not(monkeypatch, name):
    monkeypatch.setattr("os.geteuid", lambda: 0)

    with pytest.raises(ConfigurationError, match=f"'{name}' is nobody here.*MOJITO_PG_USER"):
        server_account(name)


def test_named_programs_come_first():
    usual = find_binaries()

    named = find_binaries(usual.folder)

    assert named.source == "MOJITO_PG_BIN"
    assert named.folder == usual.folder


def test_of_several_that_copy_the_programs_at_once_each_finds_all_of_them(home, monkeypatch):
    package = home.parent / "site-packages" / "programs"
    package.mkdir(parents=True)
    names = [f"program-{number:03}" for number in range(200)]
    for name in names:
        (package / name).touch()
    monkeypatch.setattr("common.embedded_postgres._FOR_ROOT", home.parent / "for-root")
    server = make(home)
    # nobody can enter what is not there
    server.binaries = Binaries(package / "installed" / "bin", 18, "18.0", "here")

    def found(_):
        return sorted(path.name for path in server._runnable().parents[1].iterdir())

    with ThreadPoolExecutor(8) as threads:
        copies = list(threads.map(found, range(8)))

    assert copies == [names] * 8

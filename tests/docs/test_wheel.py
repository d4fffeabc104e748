"""The wheel, built and installed as the image does it, works from an empty folder over a read-only system."""

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from common.keyring import new_key_line
from mojito.main import COMMANDS
from tests.free_ports import free_port
from tests.house.conftest import ROOT, until

CLEAN = {
    name: value for name, value in os.environ.items() if not name.startswith(("MOJITO_", "PY"))
}
READ_ONLY = """
mount --make-rprivate / && mount -o remount,bind,ro / \
&& mount --bind "$1" "$1" && mount -o remount,bind,rw "$1" && cd "$1" && shift && exec "$@"
"""


@pytest.fixture(scope="module")
def folder():
    """Where PostgreSQL's socket can be reached from, and anybody may look in."""
    folder = Path(tempfile.mkdtemp(prefix="mojito-wheel-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def wheel(folder):
    """Built from a copy, so that nothing is left in the checkout."""
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir"]
    command = [sys.executable, "-m", "pip", "wheel", *options, folder / "wheels", ROOT]
    subprocess.run(command, check=True, env=CLEAN)
    (wheel,) = (folder / "wheels").iterdir()
    return wheel


@pytest.fixture(scope="module")
def program(folder, wheel):
    """`mojito` in an environment of its own, which nobody may write; the rest comes from the pinned one."""
    home = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    own = next((home / "lib").iterdir()) / "site-packages"
    (own / "pinned.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--no-index", "--no-deps", "--quiet", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", *options]
    subprocess.run([*pip, wheel], check=True, env=CLEAN)
    for path in (own, *own.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield home / "bin" / "mojito"
    for path in (own, *(path for path in own.rglob("*") if path.is_dir())):
        path.chmod(0o755)


@pytest.fixture
def empty(folder):
    """The one folder that may be written."""
    return Path(tempfile.mkdtemp(dir=folder))


@pytest.fixture
def command(program, empty):
    """How it is started from there; root sees the whole system read-only, others cannot write it."""
    if os.geteuid() == 0 and sys.platform == "linux":
        return ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(empty), str(program)]
    return [str(program)]


@pytest.fixture
def run(command, empty):
    def run(*arguments, **settings):
        told = {f"MOJITO_{name.upper()}": str(value) for name, value in settings.items()}
        return subprocess.run(
            [*command, *arguments],
            cwd=empty,
            env={**CLEAN, **told},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def start(command, empty):
    """Starts a program that goes on."""
    started = []

    def start(*arguments, **settings):
        told = {f"MOJITO_{name.upper()}": str(value) for name, value in settings.items()}
        started.append(subprocess.Popen([*command, *arguments], cwd=empty, env={**CLEAN, **told}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
async def bare(server, admin):
    """A database without any table."""
    name = f"wheel_{uuid4().hex[:12]}"
    await admin.execute(f"create database {name}")
    yield server.url(name)
    await admin.execute(f"drop database {name} with (force)")


def test_the_wheel_asks_for_nothing_that_is_not_pinned(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = archive.read(path).decode()
        top = {name.split("/")[0] for name in archive.namelist()}
    asked = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", told, re.MULTILINE)
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert len(asked) > 10
    assert set(asked) <= set(pinned)
    assert top == {"mojito", path.split("/")[0]}


def test_every_command_of_the_wheel_is_listed(run):
    done = run("--help")

    assert done.returncode == 0, done.stderr
    assert re.findall(r"^    (\w+)(?:  |$)", done.stdout, re.MULTILINE) == list(COMMANDS)


def test_the_wheel_says_the_version_that_it_was_made_of(run, wheel):
    done = run("--version")

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"mojito {wheel.name.split('-')[1]}\n"


def test_settings_are_checked(run, empty, bare):
    (empty / "keys").write_text(new_key_line("k1"))
    (empty / "keys").chmod(0o600)

    well = run("config", "check", database_url=bare, encryption_keys_file=empty / "keys")
    wrong = run("config", "check", database_url=bare, dance="tango")

    assert well.returncode == 0, well.stdout + well.stderr
    assert wrong.returncode != 0
    assert "MOJITO_DANCE" in wrong.stdout + wrong.stderr


async def test_it_migrates_and_serves_and_drains_and_writes_nowhere_else(run, start, empty, bare):
    (empty / "keys").write_text(new_key_line("k1"))
    port = free_port()
    told = {"database_url": bare, "encryption_keys_file": empty / "keys", "data_dir": empty}

    early = run("serve", **told, port=port)
    migrated = run("migrate", **told)
    api = start("serve", **told, port=port)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60
    ) as client:

        async def is_ready():
            assert api.poll() is None
            with contextlib.suppress(httpx.TransportError):
                return (await client.get("/readyz")).status_code == 200
            return False

        await until(is_ready)
        page = await client.get("/docs")
    api.terminate()

    assert api.wait(timeout=60) == 0
    assert early.returncode == 1
    assert "run `mojito migrate` of this version first" in early.stderr
    assert migrated.returncode == 0, migrated.stderr
    assert page.status_code == 200
    assert [path.name for path in empty.iterdir()] == ["keys"]


def test_the_environment_cannot_be_written(command, program, empty):
    inside = program.parents[1] / "lib"
    site_packages = next(inside.iterdir()) / "site-packages"

    done = subprocess.run(
        [*command[:-1], "touch", f"{site_packages}/x"], capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert re.search("Read-only file system|Permission denied", done.stderr)

"""Whatever is wrong around a command, it says so in a sentence: no traceback, no secret."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from common.errors import Invalid
from models.api_keys import create_key
from models.database import open_pool
from mojito.main import main

ROOT = Path(__file__).parents[2]
AWAY = "postgresql://someone:verysecret@127.0.0.1:9/none"
NO_PORT = "postgresql://someone:verysecret@host:abc/none"
NO_HOST = "postgresql://[::1"
NO_SUCH_HOST = "postgresql://someone:verysecret@nowhere.invalid/none"
NO_SOCKET = "postgresql://someone:verysecret@/none?host=/nowhere"
KEYS = ("keys", "list")


def run(
    tmp_path: Path,
    *arguments: str,
    url: str = AWAY,
    outputs: str = "",
    settings: Mapping[str, str] | None = None,
):
    """The command, as a process of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MOJITO_")},
        "PYTHONPATH": str(ROOT / "cmd"),
        "MOJITO_DATA_DIR": str(tmp_path),
        "MOJITO_DATABASE_URL": url,
        **(settings or {}),
    }
    command = [sys.executable, "-m", "mojito", *arguments]
    if outputs:
        command = ["/bin/sh", "-c", f'exec "$@" {outputs}', "sh", *command]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def require_sentence(done) -> None:
    assert done.returncode in (1, 2), done.stderr
    assert done.stderr.startswith("mojito: "), done.stderr
    assert "Traceback" not in done.stderr
    assert "verysecret" not in done.stdout + done.stderr


@pytest.mark.parametrize("url", [AWAY, NO_PORT, NO_HOST, NO_SUCH_HOST, NO_SOCKET])
@pytest.mark.parametrize("command", [KEYS, ("migrate",), ("audit", "export")])
def test_a_database_that_cannot_be_reached_is_told(tmp_path, command, url):
    done = run(tmp_path, *command, url=url)

    require_sentence(done)
    assert "database" in done.stderr.lower()


@pytest.mark.parametrize("url", [NO_PORT, NO_HOST])
def test_the_doctor_finds_an_address_that_is_none(tmp_path, url):
    done = run(tmp_path, "doctor", "--json", url=url)

    assert done.returncode == 2
    assert "MOJITO_DATABASE_URL cannot be used" in done.stdout


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"no json"])
def test_files_that_hold_something_else_are_named(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    account = ("--team", "t", "--account", "act_5", "--mode", "sandbox")

    for command in (
        ("accounts", "add", *account, "--credentials", str(path)),
        ("submit", str(path)),
    ):
        require_sentence(run(tmp_path, *command))


@pytest.mark.parametrize(
    "given", [("--url", "http://[::1"), ("--idempotency-key", "Frühling")], ids=lambda one: one[0]
)
def test_what_cannot_be_sent_is_named(tmp_path, given):
    (tmp_path / "dev-key").write_text("mj_test_x")

    done = run(tmp_path, "submit", "examples/meta_existing_post.json", *given)

    require_sentence(done)
    assert done.returncode == 2


def test_a_folder_whose_name_is_no_text_can_be_shown(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff")

    done = run(folder, "config", "show", "--json")

    shown = {one["name"]: one["value"] for one in json.loads(done.stdout)}
    assert done.returncode == 0
    assert shown["MOJITO_DATA_DIR"] == str(folder)


def test_the_program_says_its_version_as_the_project_has_it(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    done = run(tmp_path, "--version")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"mojito {project['version']}\n"


def test_a_key_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")

    done = run(tmp_path, "submit", "examples/meta_link_ad.json", "--key-file", str(path))

    require_sentence(done)


def test_a_full_disk_is_told(tmp_path, database):
    require_sentence(run(tmp_path, *KEYS, "--json", url=database, outputs=">/dev/full"))


@pytest.mark.parametrize("outputs", [">&-", ">&- 2>&-"])
def test_closed_outputs_are_wanted_by_nobody(tmp_path, database, outputs):
    done = run(tmp_path, *KEYS, "--json", url=database, outputs=outputs)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("team", "name"),
    [
        ("", "n"),
        ("  ", "n"),
        ("a\x1b[2J", "n"),
        ("\udcff", "n"),
        ("t", "a\x1b[2J"),
        ("t", "\udcff"),
    ],
)
async def test_names_of_keys_and_teams_are_printable(database, team, name):
    pool = await open_pool(database, size=1, name="test")

    with pytest.raises(Invalid):
        await create_key(pool, team=team, name=name)

    await pool.close()


async def test_a_name_that_a_caller_chose_commands_no_terminal(tmp_path, database):
    pool = await open_pool(database, size=1, name="test")
    made = await create_key(pool, team="t", name="n")
    await pool.execute(
        "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
        "credentials_key_id, credentials_fingerprint, mode, max_running, team_id, additional_config) "
        "values (gen_random_uuid(), $1, 'META', 'act_5', '', 'k', 'f', 'sandbox', 4, $2, '{}')",
        "x\x1b[2Jy",
        made.team_id,
    )
    await pool.close()

    done = run(tmp_path, "accounts", "list", url=database)

    assert "x\\x1b[2Jy" in done.stdout
    assert "\x1b" not in done.stdout


def test_help_spells_names_as_everywhere_else(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["up", "--help"])

    assert "Run everything on this machine: PostgreSQL, sandbox, API" in capsys.readouterr().out


def test_an_option_that_is_none_is_named_also_without_a_command(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--verbose"])

    assert "unrecognised arguments: --verbose" in capsys.readouterr().err

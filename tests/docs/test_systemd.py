"""The systemd units say what the programs need, and systemd itself finds nothing wrong with them."""

import configparser
import re
import shutil
import subprocess

import pytest

from config.settings import Settings, examine
from mojito.main import COMMANDS
from tests.house.conftest import ROOT

FOLDER = ROOT / "docs" / "operations" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
COMMAND = re.compile(r"ExecStart=/opt/mojito/bin/mojito (\w+)$", re.MULTILINE)


def service(unit):
    """The values of [Service]; a name may stand several times."""
    text = unit.read_text().partition("[Service]")[2].partition("\n[")[0]
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_there_is_a_unit_for_each_role():
    commands = [COMMAND.search(unit.read_text())[1] for unit in UNITS]

    assert sorted(commands) == ["migrate", "serve", "work"]
    assert set(commands) <= set(COMMANDS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_an_ordinary_user_over_a_read_only_system(unit):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(unit)
    told = service(unit)
    settings = dict(one.split("=", 1) for one in told["Environment"])

    assert {"Unit", "Service"} <= set(parser.sections())
    assert told["User"] == ["mojito"]
    assert told["ProtectSystem"] == ["strict"]
    assert told["NoNewPrivileges"] == ["yes"]
    # the files that are named are the operator's
    given = {name: value for name, value in settings.items() if not name.endswith("_FILE")}
    assert examine(given)[1] == []
    assert "MOJITO_DATABASE_URL_FILE" in settings


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_that_goes_on_is_given_longer_than_the_grace_time(unit):
    told = service(unit)

    if told["Type"] == ["oneshot"]:
        assert "Restart" not in told
    else:
        assert told["Restart"] == ["always"]
        assert int(told["TimeoutStopSec"][0]) >= Settings().grace_seconds + 10


def test_systemd_finds_nothing_wrong(tmp_path):
    for unit in UNITS:
        # it wants to see the program, which is elsewhere on this machine
        text = unit.read_text().replace("/opt/mojito/bin/mojito", "/bin/sh")
        (tmp_path / unit.name).write_text(text)
    verify = shutil.which("systemd-analyze")

    if verify is None:
        names = {line.split("=")[0] for unit in UNITS for line in unit.read_text().splitlines()}
        assert {"ExecStart", "EnvironmentFile", "User"} <= names
        return
    done = subprocess.run(
        [verify, "verify", "--man=no", *tmp_path.iterdir()],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")

"""What an installation keeps in its folder, and how it is spoken to."""

import json
import os
import subprocess
import sys

import pytest

from config.settings import Settings
from mojito.installation import Installation, api_address, joined
from mojito.main import main
from mojito.up import _refuse_taken_ports as refuse_taken_ports
from tests.free_ports import free_port


def test_a_development_key_that_is_no_text_is_none(tmp_path):
    installation = Installation(tmp_path)
    installation.key_file.write_bytes(b"\xff\xfe")

    assert installation.read_key() is None


def test_keys_that_replace_a_lost_file_are_not_taken_for_the_lost_ones(tmp_path):
    installation = Installation(tmp_path)
    lost = installation.ensure_encryption_keys(None).read_text()
    kept = installation.ensure_encryption_keys(None).read_text()
    installation.encryption_keys_file.unlink()

    made = installation.ensure_encryption_keys(None).read_text()

    assert kept == lost
    assert made.partition(":")[0] != lost.partition(":")[0]


@pytest.fixture
def ended():
    """The number of a process that lives no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_an_installation_that_runs_lends_its_settings(tmp_path, ended, capsys, monkeypatch):
    """One that was killed has left all its files behind."""
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    (tmp_path / "environment.json").write_text('{"MOJITO_PORT": "8123"}')
    processes = tmp_path / "processes.json"

    never = (main(["env"]), capsys.readouterr())
    processes.write_text(json.dumps({"api": ended, "workers": [ended]}))
    killed = (main(["env"]), capsys.readouterr())
    lent_by_none = joined({"MOJITO_DATA_DIR": str(tmp_path)})
    processes.write_text(json.dumps({"api": ended, "workers": [os.getpid()]}))
    runs = (main(["env"]), capsys.readouterr())

    assert [(code, said.out) for code, said in (never, killed)] == [(1, "")] * 2
    assert f"no installation runs in {tmp_path}" in killed[1].err
    assert "MOJITO_PORT" not in lent_by_none
    assert (runs[0], runs[1].out) == (0, "export MOJITO_PORT=8123\n")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - where it listens
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("api.test", "http://api.test:8000"),
    ],
)
def test_an_api_is_spoken_to_where_it_listens(host, address):
    assert api_address(host, 8000) == address


def test_ports_of_the_newer_protocol_can_be_had():
    refuse_taken_ports(Settings(host="::1", port=free_port(), sandbox_port=free_port()))

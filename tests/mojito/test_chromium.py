"""Chromium is found or brought; without it, whoever needs it is told what to install."""

import os
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from mojito.chromium import bring_chromium, find_chromium


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The only folder with programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def write(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_without_a_browser_one_is_told_what_to_install(programs):
    with pytest.raises(ConfigurationError, match="apt install chromium"):
        find_chromium(places=())


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_a_browser_on_the_path_is_found(programs, name):
    path = write(programs / name, "exit 0")

    assert find_chromium() == path


def test_a_browser_at_a_usual_place_is_found(programs, tmp_path):
    place = write(tmp_path / "Google Chrome", "exit 0")

    assert find_chromium(places=("/nowhere/Chromium", place)) == place


def test_as_root_on_debian_it_is_installed_and_others_are_told_how(programs, capsys):
    calls = programs / "calls"
    write(programs / "apt-get", f'echo "$@" >> {calls}')

    bring_chromium()

    install = "-y --no-install-recommends chromium fonts-liberation"
    if os.geteuid() == 0:
        assert calls.read_text() == f"update -qq\n-qq install {install}\n"
    else:
        assert f"sudo apt-get install {install}" in capsys.readouterr().err


def test_a_browser_that_is_there_is_not_installed_again(programs):
    write(programs / "apt-get", f"touch {programs / 'called'}")
    write(programs / "chromium", "exit 0")

    bring_chromium()

    assert not (programs / "called").exists()

"""The house as it is meant to be: where files lie, how long they are, that every command helps."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mojito.main import COMMANDS, main

ROOT = Path(__file__).parents[1]
FOLDERS = ("cmd", "common", "config", "middleware", "models", "routes", "workers", "tests", "bench")
LONGEST = 400
FILES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "gen" not in path.relative_to(ROOT).parts
]
LONGER_FOR_A_REASON = {
    "models/meta.py": "every field of a request with its documentation",
    "workers/ledger.py": "one protocol, read as one piece",
    "tests/house/test_bad_days.py": "one list of bad days",
    "tests/sandbox/rules/test_rules.py": "one table",
}


def test_cmd_is_a_folder_and_never_a_package():
    assert not (ROOT / "cmd" / "__init__.py").exists()

    done = subprocess.run([sys.executable, "-c", "import pdb"], cwd=ROOT, check=False)

    assert done.returncode == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_for_and_is_not_too_long(path):
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text)), "it opens with a sentence that says what it is for"
    if str(path.relative_to(ROOT)) not in LONGER_FOR_A_REASON:
        longest = LONGEST + 100 * (path.parts[len(ROOT.parts)] == "tests")
        assert text.count("\n") <= longest


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert "usage: mojito" in capsys.readouterr().out


def test_a_wrong_command_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dance"])

    assert ended.value.code == 2
    assert main([]) == 2


def test_no_lock_file_names_package_hosts():
    assert not (ROOT / "uv.lock").exists()
    for name in ("requirements.txt", "requirements.dev.txt", "requirements.build.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_every_doctest_is_run():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    places = [ROOT / path for path in settings["tool"]["pytest"]["ini_options"]["testpaths"]]

    missed = [
        str(path.relative_to(ROOT))
        for path in FILES
        if "    >>> " in path.read_text() and not any(path.is_relative_to(p) for p in places)
    ]

    assert missed == []

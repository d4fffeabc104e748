"""The start script makes its environment anew when packages change, wherever Python comes from."""

import os
import shutil
import subprocess
from pathlib import Path
from threading import Timer

import pytest

ROOT = Path(__file__).parents[2]


def started(folder, *before, cwd=None, arguments=()):
    """By an account without a home."""
    path = os.pathsep.join([*map(str, before), str(folder / "tools"), os.environ["PATH"]])
    left_out = ("MOJITO_PYTHON", "HOME")
    environment = {k: v for k, v in os.environ.items() if k not in left_out} | {"PATH": path}
    return subprocess.Popen(
        [folder / "mojito", *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process):
    """What it said."""
    with process:
        return process.communicate(timeout=180)


@pytest.fixture
def checkout(tmp_path):
    """The script, with a program that only says that it runs."""
    shutil.copy(ROOT / "mojito", tmp_path)
    (tmp_path / "tools").mkdir()
    installer = tmp_path / "tools" / "uv"
    installer.write_text("#!/bin/sh\nexit 0\n")
    installer.chmod(0o755)
    for name in ("requirements.txt", "requirements.dev.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    program = tmp_path / "cmd" / "mojito" / "__main__.py"
    program.parent.mkdir(parents=True)
    program.write_text("print('started')\n")
    return tmp_path


def test_an_activated_environment_is_made_anew_too(checkout):
    """The first start is called from a folder that holds other things; the second has to wait.

    The number in a lock that was left behind may be any program's.
    """
    (elsewhere := checkout / "elsewhere").mkdir()
    (elsewhere / "mojito.py").write_text("print('another program')\n")
    lock = checkout / ".venv.lock"

    first = end_of(started(checkout, cwd=elsewhere))
    (checkout / "requirements.txt").write_text("# another release\n")
    lock.symlink_to(str(os.getpid()))
    waiting = started(checkout, checkout / ".venv" / "bin")
    patience = Timer(180, lock.unlink)
    patience.start()
    told = waiting.stderr.readline()
    patience.cancel()
    lock.unlink(missing_ok=True)
    second = end_of(waiting)

    assert first[0] == "started\n", first
    assert f"waiting for process {os.getpid()} " in told
    assert f"remove {lock}" in told
    assert "preparing" in second[1]
    assert second[0] == "started\n", second


def test_packages_of_tests_come_beside_those_that_a_running_program_uses(checkout):
    end_of(started(checkout))
    (used := checkout / ".venv" / "used").touch()

    added = end_of(started(checkout, arguments=["test"]))
    kept = used.exists()
    (checkout / "requirements.dev.txt").write_text("# another release\n")
    renewed = end_of(started(checkout, arguments=["test"]))

    assert "adding the packages of tests" in added[1]
    assert kept
    assert "preparing" in renewed[1]
    assert not used.exists()

"""Installs packages of Debian that tests need: as root; to everybody else it says the command."""

import os
import shutil
import subprocess
import sys


def install(packages: list[str], why: str) -> bool:
    """Whether they are installed now."""
    if shutil.which("apt-get") is None:
        return False
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0:
        sys.stderr.write(f"mojito: {why}: sudo {line}\n")
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "-qq", *line.split()[1:]]):
        if subprocess.run(
            command, env=environment, check=False, stdout=subprocess.DEVNULL
        ).returncode:
            return False
    return True

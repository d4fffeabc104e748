"""Finds nginx, or brings it: a test puts it before the API as the operators' guide says."""

import os
import shutil
import sys

from common.errors import ConfigurationError
from mojito.debian import install

DEBIAN_PACKAGES = ["nginx-light"]
_PLACES = f"{os.defpath}:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Debian keeps it where only root looks."""


def find_nginx() -> str:
    """The path of the program. Raises ConfigurationError saying what to install."""
    found = _found()
    if found is None:
        raise ConfigurationError(
            "nginx is needed for the test of docs/operations/nginx.conf and is not there: install it "
            f"(Debian: apt install {' '.join(DEBIAN_PACKAGES)}; macOS: brew install nginx)"
        )
    return found


def bring_nginx() -> None:
    """Installs it where that needs nobody's leave; without it the test that needs it fails."""
    if _found() is None:
        sys.stderr.write("mojito: nginx is not there; where packages can be installed, it is\n")
        install(DEBIAN_PACKAGES, "a test puts nginx before the API")


def _found() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path=_PLACES)

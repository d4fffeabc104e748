"""Finds Chromium, or brings it: a test looks at `/docs` in it."""

import shutil
import sys
from pathlib import Path

from common.errors import ConfigurationError
from mojito.debian import install

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
DEBIAN_PACKAGES = ["chromium", "fonts-liberation"]


def find_chromium(places: tuple[str, ...] = PLACES) -> str:
    """The path of a browser. Raises ConfigurationError saying what to install."""
    found = _found(places)
    if found is None:
        raise ConfigurationError(
            "Chromium is needed for the tests of /docs and is not on PATH: install it (Debian: apt "
            f"install {' '.join(DEBIAN_PACKAGES)}; macOS: brew install --cask chromium; any: Google Chrome)"
        )
    return found


def bring_chromium() -> None:
    """Installs it where that needs nobody's leave; without it the tests that need it fail."""
    if _found(PLACES) is None:
        sys.stderr.write(
            "mojito: Chromium is not on PATH; where packages can be installed, it is\n"
        )
        install(DEBIAN_PACKAGES, "tests look at /docs in Chromium")


def _found(places: tuple[str, ...]) -> str | None:
    on_path = (shutil.which(name) for name in PROGRAMS)
    elsewhere = (place for place in places if Path(place).is_file())
    return next((path for path in (*on_path, *elsewhere) if path is not None), None)

"""Finds hurl, or brings it: PATH, our cache, the release by checksum, cargo."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from common.errors import ConfigurationError
from mojito.debian import install

VERSION = "8.0.1"
OLDEST_MAJOR = 6
RELEASES = "https://github.com/Orange-OpenSource/hurl/releases/download"
ARCHIVES = {
    ("Linux", "x86_64"): (
        "x86_64-unknown-linux-gnu",
        "cac7c4670d69444db120edb21fe06c97ba8c80dcc52279957c8dd18f05fb0c06",
    ),
    ("Linux", "aarch64"): (
        "aarch64-unknown-linux-gnu",
        "bc4732df4754748e9bf296aa3832ec019f798afb399f1279b72ed37b6e04525c",
    ),
    ("Darwin", "x86_64"): (
        "x86_64-apple-darwin",
        "55e95bb7a8d61ae6919eaaf96f260f0836f5b34c1b0f7731e38be803f6984367",
    ),
    ("Darwin", "arm64"): (
        "aarch64-apple-darwin",
        "b57928e246617df73cb1b2157f31f507dcbde6ae12e828cc53dde0e40e05bbbb",
    ),
}
DEBIAN_PACKAGES = [
    "build-essential",
    "pkg-config",
    "libssl-dev",
    "libcurl4-openssl-dev",
    "libxml2-dev",
    "libclang-dev",
]
LIBRARIES = ("libxml-2.0", "libcurl", "openssl")
_NEEDS = "hurl is built from source and needs libraries"


def find_hurl() -> str:
    """The path of a hurl that runs. Raises ConfigurationError saying what to install."""
    for way in _ways():
        found = way()
        if found is not None and _runs(found):
            return found
    raise ConfigurationError(
        "hurl 6 or newer is needed for the tests and could not be had: install it (Debian 14, Ubuntu "
        f"25.10: apt install hurl; macOS: brew install hurl; any: cargo install --locked hurl@{VERSION}, "
        f"which on Debian needs apt install {' '.join(DEBIAN_PACKAGES)})"
    )


def cache() -> Path:
    """Where what was brought once is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "mojito" / "tools" / f"hurl-{VERSION}"


def _ways() -> Iterator[Callable[[], str | None]]:
    yield lambda: shutil.which("hurl")
    yield lambda: str(cache() / "bin" / "hurl")
    yield _from_release
    yield _from_cargo


def _runs(path: str) -> bool:
    try:
        text = subprocess.check_output([path, "--version"], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    version = re.match(r"hurl (\d+)\.", text)
    return version is not None and int(version[1]) >= OLDEST_MAJOR


def _from_release() -> str | None:
    archive = ARCHIVES.get((platform.system(), platform.machine()))
    if archive is None:
        return None
    target, checksum = archive
    url = f"{RELEASES}/{VERSION}/hurl-{VERSION}-{target}.tar.gz"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - a constant address
            content = answer.read()
    except (OSError, urllib.error.URLError):
        return None
    if hashlib.sha256(content).hexdigest() != checksum:
        sys.stderr.write(
            "mojito: the archive of hurl has another checksum than expected; not used\n"
        )
        return None
    cache().mkdir(parents=True, exist_ok=True)
    packed = cache() / "hurl.tar.gz"
    packed.write_bytes(content)
    with tarfile.open(packed) as tar:
        tar.extractall(cache(), filter="data")
    packed.unlink()
    unpacked = next(cache().glob("*/bin/hurl"), None)
    return None if unpacked is None else str(unpacked)


def _from_cargo() -> str | None:
    if shutil.which("cargo") is None:
        return None
    if not _has_libraries() and not install(DEBIAN_PACKAGES, _NEEDS):
        return None
    sys.stderr.write(f"mojito: building hurl {VERSION} once; this takes a minute or two\n")
    command = ["cargo", "install", "--quiet", "--locked", "--root", str(cache()), f"hurl@{VERSION}"]
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL)
    return str(cache() / "bin" / "hurl") if done.returncode == 0 else None


def _has_libraries() -> bool:
    command = ["pkg-config", "--exists", *LIBRARIES]
    return (
        shutil.which("pkg-config") is not None
        and not subprocess.run(command, check=False).returncode
    )

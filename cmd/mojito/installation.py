"""The data folder of an installation on one machine: its files, and who may have it."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from common.errors import ConfigurationError
from common.keyring import new_key_line
from config.settings import PREFIX, Settings, examine

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - recognised, not bound


class Processes(msgspec.Struct):
    """`processes.json`: who runs."""

    api: int = 0
    sandbox: int = 0
    workers: list[int] = []
    postgres: int | None = None


class Installation:
    """Paths and contents; every file is written aside and then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self.key_file = self.folder / "dev-key"
        self.accounts_file = self.folder / "dev-accounts.json"
        self.processes_file = self.folder / "processes.json"
        self.environment_file = self.folder / "environment.json"
        self.encryption_keys_file = self.folder / "encryption-keys"
        self._lock: int | None = None

    def take(self) -> None:
        """Makes the folder ours until this process ends. Raises ConfigurationError if it is another's."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"cannot use the data folder {self.folder} ({error.strerror}); "
                "choose another with MOJITO_DATA_DIR"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"another `mojito up` uses {self.folder}; stop it, or choose another folder with "
                "MOJITO_DATA_DIR (and ports with MOJITO_PORT and MOJITO_SANDBOX_PORT)"
            ) from None

    def forget_processes(self) -> None:
        """What an earlier run wrote is not true any more."""
        self.processes_file.unlink(missing_ok=True)

    def ensure_encryption_keys(self, named: Path | None) -> Path:
        """The file that was named, or our own, made on first use."""
        if named is not None:
            return named.absolute()
        if not self.encryption_keys_file.exists():
            # an id of its own: secrets of a file that was lost are not taken for this one's
            line = new_key_line(f"k-{secrets.token_hex(4)}")
            write_secret(self.encryption_keys_file, f"{line}\n")
        return self.encryption_keys_file

    def environment(self, settings: Settings, url: str, keys: Path) -> dict[str, str]:
        """The settings that make another process part of this installation."""
        given = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
        own = {
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": url,
            "HOST": settings.host,
            "PORT": str(settings.port),
            "SANDBOX_PORT": str(settings.sandbox_port),
            "SANDBOX_GRPC_PORT": str(settings.sandbox_grpc_port),
            "SANDBOX_URL": settings.sandbox_address,
            "ENCRYPTION_KEYS_FILE": str(keys),
            "ALLOWED_PRIVATE_TARGETS": ",".join(
                settings.allowed_private_targets or ("127.0.0.0/8", "::1/128", "localhost")
            ),
        }
        return given | {PREFIX + name: value for name, value in own.items()}

    def read_json(self, path: Path) -> Any:
        """A file of ours, None when it is not there or not whole."""
        try:
            return msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    @property
    def is_running(self) -> bool:
        """Whether one of its processes lives; a killed `up` leaves its file behind."""
        try:
            told = msgspec.json.decode(self.processes_file.read_bytes(), type=Processes)
        except (OSError, msgspec.MsgspecError):
            return False
        pids = (told.api, told.sandbox, told.postgres, *told.workers)
        return any(_lives(pid) for pid in pids if pid)

    def read_key(self) -> str | None:
        """The development key."""
        try:
            return self.key_file.read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None


def api_address(host: str, port: int | str) -> str:
    """Where an API that listens there is spoken to from this machine."""
    reached = _EVERYWHERE.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def joined(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment; where it names no database, with the settings of the `up` that runs in its folder."""
    if any(environment.get(f"{PREFIX}DATABASE_URL{suffix}") for suffix in ("", "_FILE")):
        return environment
    installation = Installation(examine(environment)[0].data_dir)
    written = installation.read_json(installation.environment_file)
    if not (installation.is_running and isinstance(written, dict)):
        return environment
    return {**written, **{name: value for name, value in environment.items() if value}}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def write_secret(path: Path, text: str) -> None:
    """Readable by its owner alone from its first byte on."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def write_json(path: Path, value: object) -> None:
    """The same for JSON."""
    write_secret(path, msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")

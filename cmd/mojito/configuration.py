"""Checks the settings before anything runs with them, and shows where each comes from."""

import argparse
import contextlib
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from common.errors import ConfigurationError
from common.keyring import read_keys
from config.settings import PREFIX, SECRETS, Settings, examine, source_of
from mojito.database_address import ENCODE, is_cut_wrongly, require_usable
from mojito.findings import Finding, report, show
from mojito.printing import print_json, print_lines

EXAMPLES = """examples:
  mojito config check
  mojito config show --json

exit codes of check: 0 nothing that would stop or endanger the program (warnings are shown)
                     1 at least one error, each named"""
_SHOWN = ("host", "port", "service", "sslmode", "target_session_attrs")
"""Of an address's parameters: what tells where it leads; any other might be a secret."""


class Shown(msgspec.Struct, frozen=True):
    """One setting as it is in force."""

    name: str
    value: object
    source: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """check, show."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help="name everything that is wrong with the settings")
    shown = actions.add_parser("show", help="every setting, its value, and where that comes from")
    for action in (check, shown):
        action.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Checks or shows."""
    settings, faults = examine(environment)
    if arguments.action == "check":
        found = report(_check(settings, faults, environment))
        show(found, as_json=arguments.json)
        return 1 if found.severity == "error" else 0
    if faults:
        raise ConfigurationError("; ".join(faults))
    _show(settings, environment, as_json=arguments.json)
    return 0


def _check(settings: Settings, faults: list[str], environment: Mapping[str, str]) -> list[Finding]:
    remedy = "config/example.env lists every setting with its default."
    found = [Finding("setting", "error", fault, remedy) for fault in faults]
    found += _database(settings, environment)
    found += _keys_file(settings)
    found += _metrics_token(environment)
    found += _data_dir(settings.data_dir)
    return found or [Finding("settings", "ok", "every setting is valid")]


def _database(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    file = environment.get(f"{PREFIX}DATABASE_URL_FILE", "")
    found = _permissions("database_url_file", Path(file)) if file else []
    if file and environment.get(f"{PREFIX}DATABASE_URL"):
        message = "MOJITO_DATABASE_URL and MOJITO_DATABASE_URL_FILE are both set; the first counts"
        found.append(Finding("database_url", "warning", message, "Set one of them."))
    if settings.database_url is None:
        message = "MOJITO_DATABASE_URL is not set; only `mojito up` brings a database along"
        found.append(Finding("database_url", "error", message, "Name a PostgreSQL server."))
    elif is_cut_wrongly(settings.database_url):
        message = "MOJITO_DATABASE_URL ends in the middle of its password"
        found.append(Finding("database_url", "error", message, f"{ENCODE}."))
    elif not _is_address(settings.database_url):
        message = "MOJITO_DATABASE_URL is not an address of PostgreSQL"
        found.append(
            Finding("database_url", "error", message, "Write postgresql://user:password@host/name.")
        )
    else:
        found += _files_of_database(settings.database_url)
    return found


def _files_of_database(url: str) -> list[Finding]:
    """What its address names beside the server: certificates, a service, a file of passwords."""
    try:
        require_usable(url)
    except ConfigurationError as error:
        return [Finding("database_url", "error", error.message, "Look at MOJITO_DATABASE_URL.")]
    return []


def _is_address(url: str) -> bool:
    """Whether PostgreSQL's driver can read it; several hosts have commas between."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [host.rpartition(":")[2] for host in hosts if ":" in host and not host.endswith("]")]
    return parts.scheme in ("postgres", "postgresql") and all(map(str.isdecimal, ports))


def _keys_file(settings: Settings) -> list[Finding]:
    path = settings.keys_file
    try:
        read_keys(path)
    except ConfigurationError as error:
        remedy = "Write lines id:base64 of 32 random bytes; `mojito up` makes a file of its own."
        return [Finding("encryption_keys_file", "error", error.message, remedy)]
    return _permissions("encryption_keys_file", path)


def _metrics_token(environment: Mapping[str, str]) -> list[Finding]:
    file = environment.get(f"{PREFIX}METRICS_TOKEN_FILE", "")
    return _permissions("metrics_token_file", Path(file)) if file else []


def _permissions(check: str, path: Path) -> list[Finding]:
    """A secret is for its owner; a group may read it where containers need that, others never."""
    try:
        mode = stat.S_IMODE(path.expanduser().stat().st_mode)
    except (OSError, RuntimeError):
        return []  # told already: it cannot be read
    if not mode & 0o077:
        return []
    severity = "error" if mode & 0o007 or mode & 0o020 else "warning"
    who = "everybody" if mode & 0o007 else "its group"
    return [Finding(check, severity, f"{path} is open to {who} ({mode:04o})", f"chmod 600 {path}")]


def _data_dir(folder: Path) -> list[Finding]:
    with contextlib.suppress(PermissionError):
        if not folder.exists():
            return []  # made when something is kept there
        if folder.is_dir() and _is_writable(folder):
            return []
    message = f"MOJITO_DATA_DIR {folder} is not a folder that can be written to"
    return [Finding("data_dir", "error", message, "Name another, or mend its owner.")]


def _is_writable(folder: Path) -> bool:
    try:
        with (folder / ".written-by-config-check").open("xb"):
            pass
        (folder / ".written-by-config-check").unlink()
    except OSError:
        return False
    return True


def _show(settings: Settings, environment: Mapping[str, str], *, as_json: bool) -> None:
    shown = [
        Shown(f"{PREFIX}{name.upper()}", _value(name, settings), source_of(name, environment))
        for name in Settings.__struct_fields__
    ]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        value = "" if one.value is None else one.value
        print_lines([f"{one.name:40}{value!s:40} {one.source}"])


def _value(name: str, settings: Settings) -> object:
    value: object = getattr(settings, name)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, tuple):
        return ",".join(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # the one tuple holds texts
    return without_password(str(value)) if name in SECRETS or "://" in str(value) else str(value)


def without_password(url: str) -> str:
    """Where it leads, and as whom; a secret that is no address is hidden whole.

    >>> without_password("postgresql://app:hush@db:5432/ads?sslmode=require&password=hush")
    'postgresql://app:***@db:5432/ads?sslmode=require'
    >>> without_password("postgresql:///ads?host=/run/postgresql")
    'postgresql:///ads?host=/run/postgresql'
    >>> without_password("hush")
    '***'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "***"
    shown = urlencode([one for one in parse_qsl(parts.query) if one[0] in _SHOWN], safe="/,")
    if not parts.scheme or not (parts.netloc or shown):
        return "***"
    user = (
        f"{parts.username or ''}:***@"
        if parts.password
        else f"{parts.username}@" * bool(parts.username)
    )
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}{shown and f'?{shown}'}"

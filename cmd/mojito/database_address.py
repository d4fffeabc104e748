"""Looks at the address of the database before it is used: a mistake in it is told as that, not as silence."""

import configparser
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from common.errors import ConfigurationError

_OF_CLIENTS = ("sslcert", "sslkey")
_OF_SERVERS = ("sslrootcert", "sslcrl")
_PROVEN = {"require", "verify-ca", "verify-full"}
"""Modes in which the server's certificate is looked at."""


ENCODE = "Write @ : / ? # % of a name or a password as %40 %3A %2F %3F %23 %25"


def require_usable(url: str) -> None:
    """Raises ConfigurationError."""
    if is_cut_wrongly(url):
        raise ConfigurationError(f"MOJITO_DATABASE_URL cannot be used. {ENCODE}")
    try:
        named = dict(parse_qsl(urlsplit(url).query))
        is_elsewhere = bool(urlsplit(url).netloc.rpartition("@")[2]) or "host" in named
    except ValueError:
        return  # no address at all, which is told where it is used
    _require_service(named, os.environ, is_elsewhere=is_elsewhere)
    if path := named.get("passfile"):
        _require("passfile", Path(path))
    _require_tls_files(named, os.environ)


def is_cut_wrongly(url: str) -> bool:
    """Whether a character that ends a part of an address stands in a password.

    >>> [is_cut_wrongly(f"postgresql://app:{it}@db/ads") for it in ("h", "h%40", "h@", "1/h", "1#h", "1?h")]
    [False, False, True, True, True, True]
    >>> is_cut_wrongly("postgresql:///ads?host=/run/postgresql&user=me")
    False
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False  # no address at all, which is told where it is used
    ats = parts.netloc.count("@")
    behind = parts.path + parts.query.partition("=")[0]
    return ats > 1 or bool(parts.fragment) or (not ats and "@" in behind)


def _require_service(
    named: Mapping[str, str], environment: Mapping[str, str], *, is_elsewhere: bool
) -> None:
    """Raises ConfigurationError: what the driver does not find it passes over, for a server that is here."""
    name = named.get("service")
    if name is None:
        if environment.get("PGSERVICE") and not (is_elsewhere or environment.get("PGHOST")):
            raise ConfigurationError(
                "MOJITO_DATABASE_URL names no server, and PGSERVICE is not read; "
                "write postgresql:///?service=NAME"
            )
        return
    path = _service_file(environment)
    _require("service file", path)
    if not _has_service(path, name):
        raise ConfigurationError(
            f"MOJITO_DATABASE_URL cannot be used: {path} has no service [{name}] that can be read "
            "(lines are name=value, % is written %%)"
        )


def _service_file(environment: Mapping[str, str]) -> Path:
    if named := environment.get("PGSERVICEFILE"):
        return Path(named)
    try:
        return Path.home() / ".pg_service.conf"
    except RuntimeError:  # an account without a home
        return Path("~/.pg_service.conf")


def _has_service(path: Path, name: str) -> bool:
    """As the driver reads it. The parser's own words are told nobody: they repeat what stands there."""
    parser = configparser.ConfigParser()
    try:
        parser.read(path)
        return parser.has_section(name) and bool(parser.items(name))
    except (configparser.Error, UnicodeDecodeError):
        return False


def _require_tls_files(named: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Raises ConfigurationError naming the first one that cannot be used."""
    mode = named.get("sslmode") or environment.get("PGSSLMODE") or "prefer"
    if mode == "disable":
        return
    for name in (*_OF_CLIENTS, *(_OF_SERVERS if mode in _PROVEN else ())):
        if path := named.get(name) or environment.get(f"PG{name.upper()}"):
            _require(name, Path(path))


def _require(name: str, path: Path) -> None:
    try:
        path.read_bytes()
        if name in _OF_SERVERS:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"MOJITO_DATABASE_URL cannot be used: {name} {path} cannot be read ({why})"
        ) from None

"""Looks at the address of the database before it is used: a mistake in it is told as that, not as silence."""

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
    _require_tls_files(url, os.environ)


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


def _require_tls_files(url: str, environment: Mapping[str, str]) -> None:
    """Raises ConfigurationError naming the first one that cannot be used."""
    try:
        named = dict(parse_qsl(urlsplit(url).query))
    except ValueError:
        return  # no address at all, which is told where it is used
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

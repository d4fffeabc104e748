"""API keys (`mj_test_…`, `mj_live_…`): how they are made, recognised and hashed."""

import hashlib
import re
import secrets
import zlib
from typing import Literal

type KeyMode = Literal["live", "sandbox"]

SCOPES = ("accounts:read", "accounts:write", "jobs:read", "jobs:write")
"""Everything that a key can be allowed."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(r"(mj_(test|live)_[0-9A-Za-z]{32})([0-9A-Za-z]{6})")
_PREFIX_LENGTH = len("mj_test_") + 4


def make_key(mode: KeyMode) -> str:
    """A new key with 190 random bits.

    >>> parse_key(make_key("sandbox"))
    'sandbox'
    """
    word = "live" if mode == "live" else "test"
    start = f"mj_{word}_" + "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return start + _checksum(start)


def parse_key(text: str) -> KeyMode | None:
    """What a well-formed key is for; None when it is none, so that a typing error costs no look-up.

    >>> parse_key("mj_test_abc") is None
    True
    """
    found = _KEY.fullmatch(text)
    if found is None or found[3] != _checksum(found[1]):
        return None
    return "live" if found[2] == "live" else "sandbox"


def hash_key(key: str) -> bytes:
    """What is stored. A key has more than 128 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).digest()


def key_prefix(key: str) -> str:
    """The first characters, by which people tell keys apart."""
    return key[:_PREFIX_LENGTH]


def _checksum(start: str) -> str:
    rest, digits = zlib.crc32(start.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = _ALPHABET[digit] + digits
    return digits

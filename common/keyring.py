"""Seals and opens secrets: a data key for each secret, wrapped by a key that lives outside the database.

A sealed secret reads `mj1 | length of key id | key id | nonce | wrapped data key | nonce | secret`, all
of it AES-256-GCM. Table, row id and field are associated data of both layers, so what was copied to
another row does not open. Rotation re-wraps the data key and never sees the secret.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import ConfigurationError, MojitoError

_MAGIC = b"mj1"
_NONCE = 12
_TAG = 16
_WRAPPED = 32 + _TAG
_KEY_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")


class CannotOpen(MojitoError):
    """The secret does not open. Never says why, so that nobody learns from trying."""

    def __init__(self) -> None:
        super().__init__("the secret cannot be opened", code="cannot_open")


class Sealed(NamedTuple):
    """What is stored: the sealed bytes, and the id of the key that wraps their data key."""

    ciphertext: bytes
    key_id: str


class Keyring:
    """The first key seals, all of them open."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ConfigurationError("encryption keys: at least one is needed, each of 32 bytes")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.key_id = next(iter(keys))
        self._fingerprints = hmac.digest(keys[self.key_id], b"mojito fingerprints", hashlib.sha256)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @classmethod
    def from_file(cls, path: Path) -> "Keyring":
        """Reads lines of `id:base64`; blank lines and those that begin with # do not count."""
        try:
            text = path.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"MOJITO_ENCRYPTION_KEYS_FILE: {path} cannot be read ({type(error).__name__})"
            ) from None
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                key_id, key = _parse(line.strip(), f"{path}, line {number}")
                if key_id in keys:
                    raise ConfigurationError(f"{path}, line {number}: key id {key_id} occurs twice")
                keys[key_id] = key
        if not keys:
            raise ConfigurationError(f"MOJITO_ENCRYPTION_KEYS_FILE: {path} holds no key")
        return cls(keys)

    def seal(self, plain: bytes, table: str, row_id: UUID, field: str) -> Sealed:
        """The secret, bound to its place, under the first key."""
        place = _place(table, row_id, field)
        data_key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE)
        body = nonce + AESGCM(data_key).encrypt(nonce, plain, _MAGIC + place)
        return self._wrap(data_key, body, place)

    def open(self, ciphertext: bytes, table: str, row_id: UUID, field: str) -> bytes:
        """The secret. Raises CannotOpen for a missing key, another place or a changed byte."""
        place = _place(table, row_id, field)
        data_key, body = self._unwrap(ciphertext, place)
        return _decrypt(AESGCM(data_key), body[:_NONCE], body[_NONCE:], _MAGIC + place)

    def rewrap(self, ciphertext: bytes, table: str, row_id: UUID, field: str) -> Sealed:
        """The same secret under the first key; only the data key is opened."""
        place = _place(table, row_id, field)
        data_key, body = self._unwrap(ciphertext, place)
        return self._wrap(data_key, body, place)

    def missing(self, key_ids: Iterable[str]) -> list[str]:
        """Those of the ids in use that no key is here for."""
        return sorted(set(key_ids) - set(self._keys))

    def fingerprint(self, plain: bytes) -> str:
        """Tells equal secrets from different ones; keyed, so that it cannot be found by guessing."""
        return hmac.digest(self._fingerprints, plain, hashlib.sha256).hex()[:16]

    def _wrap(self, data_key: bytes, body: bytes, place: bytes) -> Sealed:
        key_id = self.key_id.encode()
        head, nonce = _MAGIC + bytes([len(key_id)]) + key_id, os.urandom(_NONCE)
        wrapped = self._keys[self.key_id].encrypt(nonce, data_key, head + place)
        return Sealed(head + nonce + wrapped + body, self.key_id)

    def _unwrap(self, ciphertext: bytes, place: bytes) -> tuple[bytes, bytes]:
        """The data key and the rest, which it opens."""
        end = 4 + (ciphertext[3] if len(ciphertext) > 3 else 0)
        key = self._keys.get(ciphertext[4:end].decode("ascii", "replace"))
        if ciphertext[:3] != _MAGIC or key is None or len(ciphertext) < end + 2 * _NONCE + 64:
            raise CannotOpen
        nonce, start = ciphertext[end : end + _NONCE], end + _NONCE
        wrapped = ciphertext[start : start + _WRAPPED]
        data_key = _decrypt(key, nonce, wrapped, ciphertext[:end] + place)
        return data_key, ciphertext[start + _WRAPPED :]


def new_key_line(key_id: str) -> str:
    """One line of a keys file with a fresh random key."""
    return f"{key_id}:{base64.b64encode(os.urandom(32)).decode()}"


def _parse(line: str, where: str) -> tuple[str, bytes]:
    key_id, _, encoded = line.partition(":")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        key = b""
    if not _KEY_ID.match(key_id) or len(key) != 32:
        raise ConfigurationError(f"{where}: expected id:base64 with a key of 32 bytes")
    return key_id, key


def _place(table: str, row_id: UUID, field: str) -> bytes:
    """Unambiguous: each part behind its length."""
    parts = (table.encode(), row_id.bytes, field.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _decrypt(key: AESGCM, nonce: bytes, ciphertext: bytes, place: bytes) -> bytes:
    try:
        return key.decrypt(nonce, ciphertext, place)
    except InvalidTag:
        raise CannotOpen from None

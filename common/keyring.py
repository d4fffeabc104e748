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

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import ConfigurationError, Unavailable

log = structlog.get_logger()

_MAGIC = b"mj1"
_NONCE = 12
_TAG = 16
_WRAPPED = 32 + _TAG
_KEY_ID = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")


class CannotOpen(Unavailable):
    """The secret does not open. Never says why, so that nobody learns from trying."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be opened here. Whoever runs this must look at the encryption keys.",
            code="secret_not_opened",
            headers={"Retry-After": "60"},
        )


class KeyMissing(CannotOpen):
    """No key of this id is here. The id is no secret: it stands beside every sealed one."""

    def __init__(self, key_id: str) -> None:
        super().__init__()
        self.key_id = key_id


class Sealed(NamedTuple):
    """What is stored: the sealed bytes, and the id of the key that wraps their data key."""

    ciphertext: bytes
    key_id: str


class Keyring:
    """The first key seals, all of them open."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys: dict[str, AESGCM] = {}
        self._prints: dict[str, bytes] = {}
        self._take(keys)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._keys)})"

    @staticmethod
    def from_file(path: Path) -> "Keyring":
        """Reads lines of `id:base64`; blank lines and those that begin with # do not count."""
        return Keyring(read_keys(path))

    @property
    def key_ids(self) -> list[str]:
        """Of every key that can open, the one that seals first."""
        return [self.key_id, *(key_id for key_id in self._keys if key_id != self.key_id)]

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

    def fits(self, ciphertext: bytes, table: str, row_id: UUID, field: str) -> bool:
        """Whether the key that it names is here and the right one; the secret itself stays closed."""
        try:
            self._unwrap(ciphertext, _place(table, row_id, field))
        except CannotOpen:
            return False
        return True

    def missing(self, key_ids: Iterable[str]) -> list[str]:
        """Those of the ids in use that no key is here for."""
        return sorted(set(key_ids) - set(self._keys))

    def fingerprint(self, plain: bytes) -> str:
        """Tells equal secrets from different ones; keyed, so that it cannot be found by guessing."""
        return hmac.digest(self._fingerprints, plain, hashlib.sha256).hex()[:16]

    def _take(self, keys: dict[str, bytes]) -> None:
        """The first of these seals from now on; what was here before still opens."""
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ConfigurationError("encryption keys: at least one is needed, each of 32 bytes")
        prints = {key_id: hashlib.sha256(key).digest() for key_id, key in keys.items()}
        if others := [one for one in keys if self._prints.get(one, prints[one]) != prints[one]]:
            raise ConfigurationError(
                f"encryption keys: {', '.join(others)} became another key; each key has an id of its own"
            )
        self._prints |= prints
        self._keys |= {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.key_id = next(iter(keys))
        self._fingerprints = hmac.digest(keys[self.key_id], b"mojito fingerprints", hashlib.sha256)

    def _wrap(self, data_key: bytes, body: bytes, place: bytes) -> Sealed:
        key_id = self.key_id.encode()
        head, nonce = _MAGIC + bytes([len(key_id)]) + key_id, os.urandom(_NONCE)
        wrapped = self._keys[self.key_id].encrypt(nonce, data_key, head + place)
        return Sealed(head + nonce + wrapped + body, self.key_id)

    def _unwrap(self, ciphertext: bytes, place: bytes) -> tuple[bytes, bytes]:
        """The data key and the rest, which it opens."""
        end = 4 + (ciphertext[3] if len(ciphertext) > 3 else 0)
        if ciphertext[:3] != _MAGIC or len(ciphertext) < end + 2 * _NONCE + 64:
            raise CannotOpen
        key_id = ciphertext[4:end].decode("ascii", "replace")
        if (key := self._keys.get(key_id)) is None:
            raise KeyMissing(key_id)
        nonce, start = ciphertext[end : end + _NONCE], end + _NONCE
        wrapped = ciphertext[start : start + _WRAPPED]
        data_key = _decrypt(key, nonce, wrapped, ciphertext[:end] + place)
        return data_key, ciphertext[start + _WRAPPED :]


class FileKeyring(Keyring):
    """Looks at its file again before it seals, and when it meets a secret that its keys do not open.

    So a new first key is taken up by running processes. A key that was taken out of the file still
    opens until the process ends: rows that it remembers may be sealed with it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        super().__init__(read_keys(path))

    def seal(self, plain: bytes, table: str, row_id: UUID, field: str) -> Sealed:
        self._look_again()
        return super().seal(plain, table, row_id, field)

    def open(self, ciphertext: bytes, table: str, row_id: UUID, field: str) -> bytes:
        try:
            return super().open(ciphertext, table, row_id, field)
        except CannotOpen:
            if not self._look_again():
                raise
        return super().open(ciphertext, table, row_id, field)

    def _look_again(self) -> bool:
        """Whether the file was changed. One that cannot be read just now is told and left alone."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        try:
            self._take(read_keys(self._path))
        except ConfigurationError as error:
            log.warning("encryption_keys.not_read", problem=error.message)
            return False
        self._stamp = stamp
        log.info("encryption_keys.read_again", seals=self.key_id, opens=self.key_ids)
        return True


def read_keys(path: Path) -> dict[str, bytes]:
    """The keys of a file by id, in its order. Raises ConfigurationError naming the line."""
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
    return keys


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


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file does; None for a file that is not there."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino


def _place(table: str, row_id: UUID, field: str) -> bytes:
    """Unambiguous: each part behind its length."""
    parts = (table.encode(), row_id.bytes, field.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _decrypt(key: AESGCM, nonce: bytes, ciphertext: bytes, place: bytes) -> bytes:
    try:
        return key.decrypt(nonce, ciphertext, place)
    except InvalidTag:
        raise CannotOpen from None

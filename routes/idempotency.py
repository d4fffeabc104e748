"""Idempotency-Key: what a caller names a request by, so that sending it twice makes one job."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from common.errors import CallerError, Invalid
from models.gen.rows import CampaignRequest

LONGEST_KEY = 255
_ESCAPED = re.compile(r"""\\(["\\])""")


def idempotency_key(lines: Sequence[str]) -> str | None:
    r"""The key, bare or as the quoted string of a structured header. Raises CallerError (400), also for
    two lines: of two names nobody knows which one is meant.

    >>> idempotency_key(['"8e03978e-40d5"']) == idempotency_key(["8e03978e-40d5"])
    True
    >>> idempotency_key([r'"a \"quoted\" word"'])
    'a "quoted" word'
    """
    if not lines:
        return None
    key = lines[0].strip() if len(lines) == 1 else ""
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = _ESCAPED.sub(r"\1", key[1:-1])
    if 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    message = f"Idempotency-Key comes once, with 1 to {LONGEST_KEY} printable ASCII characters."
    error = {"parameter": "Idempotency-Key", "code": "invalid_header", "message": message}
    raise CallerError(message, code="invalid_idempotency_key", errors=[error])


def canonical(body: bytes) -> bytes:
    """The body without its spaces and the order of its fields."""
    values: Any = msgspec.json.decode(body)
    return msgspec.json.encode(values, order="deterministic")


def fingerprint(platform_type: str, canonical_body: bytes) -> bytes:
    """Equal for equal bodies to the same route."""
    return hashlib.sha256(platform_type.encode() + b"\n" + canonical_body).digest()


def require_same(earlier: CampaignRequest, request_fingerprint: bytes | None) -> None:
    """Raises Invalid when the key stood for another request."""
    if earlier.request_fingerprint == request_fingerprint:
        return
    raise Invalid(
        "This Idempotency-Key was used for another request; use a new key for a new request.",
        code="idempotency_key_reused",
    )

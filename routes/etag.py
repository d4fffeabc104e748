"""Entity tags: which version of an object a caller has seen, and whether it is still the one."""

import hashlib
from datetime import datetime

import msgspec

from common.errors import CallerError


class PreconditionFailed(CallerError):
    """The object is not the version that the caller named."""

    status = 412


def etag(updated_at: datetime) -> str:
    """A strong tag of the version that was written at this moment.

    >>> from datetime import UTC
    >>> etag(datetime(2026, 1, 1, tzinfo=UTC))
    '"6474846204000"'
    """
    return f'"{round(updated_at.timestamp() * 1_000_000):x}"'


def etag_of(view: msgspec.Struct) -> str:
    """A strong tag of what an answer shows; it changes when anything in it does."""
    return f'"{hashlib.sha256(msgspec.json.encode(view)).hexdigest()[:16]}"'


def is_known(if_none_match: str | None, current: str) -> bool:
    """Whether the header names this version, compared weakly; any version where it is `*`.

    >>> is_known('W/"a", "b"', '"a"'), is_known("*", '"a"'), is_known('"c"', '"a"'), is_known(None, '"a"')
    (True, True, False, False)
    """
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return current in tags or tags == ["*"]


def require_match(if_match: str | None, current: str) -> None:
    """Raises PreconditionFailed when the header is there and does not name the current version."""
    if if_match is None or if_match.strip() == "*":
        return
    if current not in [tag.strip() for tag in if_match.split(",")]:
        raise PreconditionFailed(
            "The object was changed since it was read; read it again.",
            code="precondition_failed",
            headers={"ETag": current},
        )

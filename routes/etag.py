"""Entity tags: which version of an object a caller has seen, and whether it is still the one."""

import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request

from common.errors import CallerError

_CHANGED = "The object was changed since it was read; read it again."
_WEAKENED = (
    "If-Match names this version with a weak tag, which never matches. What compresses answers on their way "
    "makes tags weak: send it without W/, or let the proxy not compress (docs/operations/proxy.md)."
)
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\uffff]*"')


class PreconditionFailed(CallerError):
    """The object is not the version that the caller named."""

    status = 412


class PreconditionRequired(CallerError):
    """The caller must name the version that it means to change."""

    status = 428


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


def known_tags(request: Request[Any, Any, Any]) -> str | None:
    """If-None-Match, whose lines are one list; None without the header."""
    lines = request.headers.getall("if-none-match", [])
    return ", ".join(lines) if lines else None


def is_known(if_none_match: str | None, current: str) -> bool:
    """Whether the header names this version, compared weakly; any version where it is `*`.

    >>> is_known('W/"a", "b"', '"a"'), is_known("*", '"a"'), is_known('"c"', '"a"'), is_known(None, '"a"')
    (True, True, False, False)
    """
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return current in tags or tags == ["*"]


def require_match(request: Request[Any, Any, Any], current: str, *, required: bool = False) -> None:
    """Raises PreconditionFailed when If-Match does not name the current version, or If-None-Match does.

    Tags of If-Match are compared strongly (RFC 9110): a weak one never matches. `*` means any version. Where
    that header is required, PreconditionRequired is raised without it.
    """
    lines = request.headers.getall("if-match", [])
    if required and not lines:
        raise PreconditionRequired(
            "Send If-Match with the ETag of the version that you have read, or * for any.",
            code="precondition_required",
        )
    tags = entity_tags(", ".join(lines)) if lines else ["*"]
    if current not in tags and tags != ["*"]:
        raise _failed(_WEAKENED if f"W/{current}" in tags else _CHANGED, current)
    if is_known(known_tags(request), current):
        raise _failed("The object is there, in a version that If-None-Match names.", current)


def entity_tags(header: str) -> list[str]:
    """The tags of a list, or the asterisk alone. Raises CallerError (400) for anything else.

    >>> entity_tags('"a", W/"b,c"'), entity_tags(" * ")
    (['"a"', 'W/"b,c"'], ['*'])
    """
    if header.strip() == "*":
        return ["*"]
    between = _TAG.sub("\n", header).split(",")
    tags = _TAG.findall(header)
    if tags and all(part.strip(" \t") in ("", "\n") for part in between):
        return tags
    message = "If-Match is a list of entity tags in double quotes, as ETag gave them, or *."
    error = {"parameter": "If-Match", "code": "invalid_header", "message": message}
    raise CallerError(message, code="invalid_header", errors=[error])


def _failed(message: str, current: str) -> PreconditionFailed:
    return PreconditionFailed(message, code="precondition_failed", headers={"ETag": current})

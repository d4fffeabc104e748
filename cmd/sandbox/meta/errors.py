"""Meta's error envelope, and the errors that do not depend on what an ad is made of."""

import secrets
from typing import Any

import msgspec

TRACE_PREFIX = "A"


class MetaError(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        user_title: str | None = None,
        user_message: str | None = None,
        blame: list[list[str]] | None = None,
        data: dict[str, Any] | None = None,
        status: int = 400,
        transient: bool = False,
        kind: str = "OAuthException",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self._message = message
        self._kind = kind
        self._transient = transient
        self._optional = {
            "error_data": data or _blamed(blame),
            "error_subcode": subcode,
            "error_user_title": user_title,
            "error_user_msg": user_message,
        }

    def envelope(self) -> dict[str, Any]:
        """The body of the answer."""
        error = {
            "message": self._message,
            "type": self._kind,
            "code": self.code,
            "is_transient": self._transient,
            **{name: value for name, value in self._optional.items() if value is not None},
            "fbtrace_id": TRACE_PREFIX + secrets.token_urlsafe(16),
        }
        return {"error": error}


def _blamed(blame: list[list[str]] | None) -> str | None:
    """Blamed fields come as JSON text; the offsets of uploads come as an object."""
    return msgspec.json.encode({"blame_field_specs": blame}).decode() if blame else None


def missing(object_id: str, verb: str = "get") -> MetaError:
    """Not there, or not to be seen with this token: Meta does not tell which."""
    return MetaError(
        100,
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation. Please read the Graph API "
        "documentation at https://developers.facebook.com/docs/graph-api",
        subcode=33,
        kind="GraphMethodException",
    )


def parameter(name: str, message: str, subcode: int | None = None) -> MetaError:
    """A parameter that is missing or of the wrong form."""
    return MetaError(100, f"(#100) {message}", subcode=subcode, blame=[[name]])


def not_imitated(what: str) -> MetaError:
    """Said out loud instead of a made-up answer; the code is one that nobody retries."""
    return MetaError(
        3,
        f"(#3) The sandbox does not imitate {what}. What it does stands at /_sandbox/fidelity",
        user_title="Not imitated",
        user_message=f"The sandbox does not imitate {what}.",
        status=501,
    )


def forbidden(code: int, message: str) -> MetaError:
    """A permission that the token or its owner lacks."""
    return MetaError(code, f"(#{code}) {message}", status=403)


def dead_token(message: str, subcode: int | None = None) -> MetaError:
    """Only a new token helps."""
    return MetaError(190, message, subcode=subcode, status=401)


def expired_token() -> MetaError:
    """As after sixty days."""
    return dead_token(
        "Error validating access token: Session has expired. The session has been invalidated "
        "because its time is over.",
        463,
    )


def retired_version(version: str, latest: str) -> MetaError:
    """Only the newest two are served."""
    return MetaError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API ({version}). "
        f"Please update to the latest version: {latest}.",
    )

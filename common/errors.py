"""Every error raised on purpose, as one tree.

MojitoError
  ConfigurationError           what an operator must set right; the program stops with its message
  CallerError                  what a caller did, shown to the caller with a status and a code
    Unauthorized 401   Forbidden 403   NotFound 404   Conflict 409   TooLarge 413
    UnsupportedMedia 415   Invalid 422   TooManyRequests 429   Unavailable 503
  PartDied                     a task that the program cannot do without; it stops, to be started again
  ClaimLost                    the job belongs to another worker now; write nothing more
  StepError                    what a step met, read by the ledger and the runner
    Retry      nothing can have happened; try again later, the attempt counts
    Unknown    the call was sent and its outcome is not known; ask the platform before doing it again
    Wait       not yet (throttle, encoding, re-authorisation); costs no attempt
    Reject     never; somebody must change something
"""

from typing import Any, Literal

type WaitingReason = Literal[
    "retry", "in_doubt", "throttled", "media_processing", "reauth_required", "not_ready"
]


class MojitoError(Exception):
    """The root: `code` is a stable word for programs, the message is for people."""

    def __init__(self, message: str, *, code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class ConfigurationError(MojitoError):
    """A setting is missing or wrong; the message names it and the remedy."""


class PartDied(MojitoError):
    """The program has ended what it could and stops; whoever watches it starts it again."""


class CallerError(MojitoError):
    """A request that cannot be carried out as it stands.

    `errors` are violations `{"pointer", "code", "message"}` with RFC 6901 pointers into the request.
    """

    status = 400

    def __init__(
        self,
        message: str,
        *,
        code: str = "bad_request",
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.errors = errors or []
        self.headers = headers or {}


class Unauthorized(CallerError):
    """No usable key."""

    status = 401


class Forbidden(CallerError):
    """The key is good and may not do this."""

    status = 403


class NotFound(CallerError):
    """It does not exist, or belongs to another team, which is the same to a caller."""

    status = 404


class Conflict(CallerError):
    """The state of things does not allow it; the code says which state."""

    status = 409


class TooLarge(CallerError):
    """The body is larger than the limit."""

    status = 413


class UnsupportedMedia(CallerError):
    """The content type, or what the bytes turned out to be, is not accepted."""

    status = 415


class Invalid(CallerError):
    """Well formed, and not acceptable; `errors` lists every violation."""

    status = 422


class TooManyRequests(CallerError):
    """Too often or too much at once; `Retry-After` says when it is worth another try."""

    status = 429


class Unavailable(CallerError):
    """Something we depend on does not answer; try again after `Retry-After`."""

    status = 503


class ClaimLost(MojitoError):
    """A fenced write changed no row: the claim token is no longer the job's."""


class StepError(MojitoError):
    """What a step met, in words a tired person can act on.

    `remedy` says what to do. `upstream` is the platform's own account of it: `platform, code,
    subcode, message, user_title, user_message, blame, trace_id`. `pointer` is the blamed place in the
    request (RFC 6901), where one is known. `may_have_happened` says that the call may have been carried
    out all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        remedy: str = "",
        upstream: dict[str, Any] | None = None,
        pointer: str | None = None,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(message, code=code)
        self.may_have_happened = may_have_happened
        self.remedy = remedy
        self.upstream = upstream
        self.pointer = pointer


class Retry(StepError):
    """Nothing can have happened; `after` seconds is the platform's own wish, None leaves it to us.

    `is_outage` says that the platform is down for everybody: time mends that, and nobody's request is why.
    """

    def __init__(
        self, message: str, *, after: float | None = None, is_outage: bool = False, **rest: Any
    ) -> None:
        super().__init__(message, **rest)
        self.after = after
        self.is_outage = is_outage


class Unknown(StepError):
    """A write was sent and its outcome is not known."""

    def __init__(self, message: str, **rest: Any) -> None:
        super().__init__(message, may_have_happened=True, **rest)


class Wait(StepError):
    """Not yet; `seconds` from now, or None for the longest wait of its reason."""

    def __init__(
        self, message: str, *, reason: WaitingReason, seconds: float | None, **rest: Any
    ) -> None:
        super().__init__(message, **rest)
        self.reason: WaitingReason = reason
        self.seconds = seconds


class Reject(StepError):
    """Never as it stands. `retryable` says whether the same request may work later on request."""

    def __init__(self, message: str, *, retryable: bool = False, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retryable = retryable

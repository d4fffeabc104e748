"""What each of Meta's error codes means for a step, as a table; `is_transient` decides nothing.

Sources: Marketing API error reference and rate limiting guide; rows marked "seen in the field" stand
in public reports and not in the reference.
"""

from typing import Any, Literal

import msgspec

from common.errors import Reject, Retry, StepError, Unknown, Wait
from workers.platforms.meta.strangers import mapping, parsed

type Kind = Literal["transient", "again", "throttle", "reauth", "reject"]

NEW_CREDENTIALS = "Replace the account's credentials; the job then goes on by itself."
PERMISSION = (
    "Give the token's user the named permission on the ad account and page, then ask for a retry."
)
FIELD = (
    "Change the blamed field and send a new request, with a new Idempotency-Key: it makes a campaign of "
    "its own, and what this job has made stays, paused."
)
THROTTLE = "Nothing; the job goes on when Meta allows it."
TRANSIENT = "Nothing; the job tries again by itself."
QUOTA_SECONDS = 3600.0
MOST_BLAMED = 20
"""Fields, and parts of the path of one: an error is kept with its job, and shown with it every time."""


class Row(msgspec.Struct, frozen=True):
    """One line of the table: which codes, what they mean, what to do."""

    codes: tuple[int, ...]
    subcodes: tuple[int, ...]
    kind: Kind
    word: str
    remedy: str
    seconds: float | None
    """For throttles: how long, when Meta does not say."""
    retryable: bool
    is_outage: bool = False
    """Whether time alone mends it."""


def row(
    codes: Any,
    subcodes: Any,
    kind: Kind,
    word: str,
    remedy: str,
    *,
    seconds: float | None = None,
    retryable: bool = False,
    is_outage: bool = False,
) -> Row:
    numbers = _numbers(codes), _numbers(subcodes)
    return Row(*numbers, kind, word, remedy, seconds, retryable, is_outage)


def _numbers(given: int | tuple[int, ...] | range | None) -> tuple[int, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, int) else tuple(given)


TABLE: tuple[Row, ...] = (
    # the exact pairs first
    row(17, 1885172, "throttle", "throttled_for_a_day", THROTTLE, seconds=3600),
    row(613, (1487632, 1487225), "throttle", "throttled_for_an_hour", THROTTLE, seconds=3600),
    row(613, 1487742, "throttle", "throttled", THROTTLE, seconds=60),
    row(613, 5044001, "throttle", "throttled", THROTTLE, seconds=5),
    row(100, 1487390, "again", "creative_not_made", TRANSIENT),  # flagged permanent, mostly is not
    # of videos whose frames are not made yet, seen in the field; no creative of ours lacks one for long
    row(
        100,
        (1443226, 1443048),
        "again",
        "video_frame_missing",
        "Ask for a retry later, or send a new request that names a thumbnail of its own.",
    ),
    row(
        100,
        33,
        "again",
        "object_not_visible",
        "If it persists: check the id and the token's rights.",
    ),
    row(
        100, (1504018, 1487534), "reject", "too_much_data", "Ask for less at once.", retryable=True
    ),
    row(2, 1504038, "reject", "too_much_data", "Ask for less at once.", retryable=True),
    row(2601, 1815107, "again", "report_not_ready", TRANSIENT),
    row(
        200,
        (1870034, 1870090, 1870092),
        "reject",
        "terms_not_accepted",
        "Accept Meta's terms for the account, then ask for a retry.",
        retryable=True,
    ),
    row(6001, 1363037, "again", "upload_offset_moved", TRANSIENT),
    row(None, (1363030,), "again", "upload_timed_out", TRANSIENT),
    row(
        None,
        (1404078, 2859015, 1404163, 3910001),
        "reject",
        "account_restricted",
        "Meta restricts this account: settle it in Account Quality, then ask for a retry.",
        retryable=True,
    ),
    row(None, 2446079, "throttle", "throttled", THROTTLE, seconds=60),
    # then whole codes
    # Meta says 1 of some requests for as long as they are sent, too; the others are outages
    row(1, None, "transient", "platform_failed", TRANSIENT),
    row((2, -1), None, "transient", "platform_failed", TRANSIENT, is_outage=True),
    row(4, None, "throttle", "throttled_app", THROTTLE, seconds=60),
    row(17, None, "throttle", "throttled", THROTTLE, seconds=60),
    row((32, 341, 613), None, "throttle", "throttled", THROTTLE, seconds=300),
    row(range(80000, 80015), None, "throttle", "throttled", THROTTLE, seconds=300),
    row((102, 190), None, "reauth", "token_rejected", NEW_CREDENTIALS),
    row(
        104,
        None,
        "reject",
        "proof_rejected",
        "The account's app_secret does not belong to the token's app; replace the credentials.",
        retryable=True,
    ),
    row((6000, 351), None, "again", "upload_failed", TRANSIENT),
    row(352, None, "reject", "video_format_refused", "Use an MP4 or MOV file."),
    row(382, None, "reject", "video_too_small", "Use a larger video."),
    row(389, None, "reject", "video_not_fetched", "Upload the video as an asset instead."),
    row(
        (368, 1404078),
        None,
        "reject",
        "account_blocked",
        "Meta blocks this account for now: a person must look at it before anything is sent again.",
    ),
    row(
        2654,
        None,
        "reject",
        "terms_not_accepted",
        "Accept Meta's terms, then ask for a retry.",
        retryable=True,
    ),
    row(
        2635,
        None,
        "reject",
        "version_retired",
        "Set MOJITO_META_API_VERSION to a version that Meta still serves, then ask for a retry.",
        retryable=True,
    ),
    row(
        (3, 10, 3191001),
        None,
        "reject",
        "permission_missing",
        PERMISSION,
        retryable=True,
    ),
    row(range(200, 300), None, "reject", "permission_missing", PERMISSION, retryable=True),
    row(
        (9, 506),
        None,
        "reject",
        "duplicate_refused",
        "Change what is repeated and send a new request, with a new Idempotency-Key.",
    ),
    # what stands in no line, as most of 100, is refused for good
)

FAILED = row((), (), "transient", "platform_failed", TRANSIENT)
STOPPED = row((), (), "throttle", "throttled", THROTTLE, seconds=60)
TOO_MANY_REQUESTS = 429


def find_row(code: int | None, subcode: int | None) -> Row | None:
    """The line for an error: the pair, the subcode alone, then the code."""
    pairs = (
        r
        for r in TABLE
        if r.subcodes and subcode in r.subcodes and (not r.codes or code in r.codes)
    )
    whole = (r for r in TABLE if not r.subcodes and code in r.codes)
    return next(pairs, None) or next(whole, None)


def outcome(
    error: dict[str, Any],
    *,
    is_write: bool,
    pointer: str | None,
    regain_seconds: float | None,
    status: int = 400,
) -> StepError:
    """The StepError that an error object of Meta means. With a status of 500 and more what was asked for
    may have been done, whatever the object says of it; a throttle is one under every status."""
    code, subcode = number(error.get("code")), number(error.get("error_subcode"))
    has_failed = status >= 500
    found = _under(status, find_row(code, subcode))
    rest: dict[str, Any] = {"upstream": upstream(error), "pointer": pointer}
    message = str(
        error.get("error_user_msg") or error.get("message") or "Meta refused without a word"
    )
    if found is None:
        return Reject(message, code="refused_by_platform", remedy=FIELD, **rest)
    rest |= {"code": found.word, "remedy": found.remedy}
    unsure = {"may_have_happened": has_failed or found.kind == "transient"}
    match found.kind:
        case "transient":
            return (
                Unknown(message, **rest)
                if is_write
                else Retry(message, is_outage=found.is_outage, **unsure, **rest)
            )
        case "again":
            return Retry(message, **rest)
        case "throttle":
            seconds = _throttled_for(found.seconds or 0.0, regain_seconds)
            return Wait(message, reason="throttled", seconds=seconds, **unsure, **rest)
        case "reauth":
            return Wait(message, reason="reauth_required", seconds=None, **unsure, **rest)
        case "reject":
            return Reject(message, retryable=found.retryable, **rest)


def _under(status: int, found: Row | None) -> Row | None:
    """What the line of an error is worth beside the status of its answer."""
    if status >= 500 and (found is None or found.kind in ("reject", "again")):
        return FAILED
    if status == TOO_MANY_REQUESTS and (found is None or found.kind == "transient"):
        return STOPPED
    return found


def _throttled_for(documented: float, told: float | None) -> float:
    """What Meta tells, but headers tell of rates: quotas of an hour and more are not in them."""
    if told is None:
        return documented
    return max(told, documented) if documented >= QUOTA_SECONDS else told


def upstream(error: dict[str, Any]) -> dict[str, Any]:
    """Meta's own account of an error; texts are cut where they are stored."""
    return {
        "platform": "META",
        "code": number(error.get("code")),
        "subcode": number(error.get("error_subcode")),
        "message": _text(error.get("message")),
        "user_title": _text(error.get("error_user_title")),
        "user_message": _text(error.get("error_user_msg")),
        "blame": blame(error) or None,
        "trace_id": _text(error.get("fbtrace_id")),
    }


def blame(error: dict[str, Any]) -> list[list[str]]:
    """Paths of the blamed fields; `error_data` is an object, or its JSON text."""
    data = error_data(error)
    paths = data.get("blame_field_specs")
    if not isinstance(paths, list):
        return []
    told = [path for path in paths if isinstance(path, list)][:MOST_BLAMED]  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger
    return [[str(part) for part in path[:MOST_BLAMED]] for path in told]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # likewise


def error_data(error: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the codes, whatever shape it came in."""
    data: Any = error.get("error_data")
    return mapping(parsed(data) if isinstance(data, str) else data)


def number(value: object) -> int | None:
    """A code of Meta's; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < 2**63 else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)

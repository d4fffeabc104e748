"""Every code with which requests are refused, with its status and one example of it.

A few codes have a second status, behind a point in the name of their example.
"""

import msgspec

from middleware.problems import Violation


class Refusal(msgspec.Struct, frozen=True):
    """One way to be refused."""

    status: int
    detail: str
    errors: tuple[Violation, ...] = ()
    only: tuple[str, ...] = ()
    """Names of the handlers that answer it; all of them when there are none."""
    needs: str = ""
    """What a route must take to answer it: `key`, `scope`, `body`, `query`, `list`, or a header's name."""


def code_of(name: str) -> str:
    """The code, without the status behind it by which a second meaning is told apart.

    >>> code_of("not_media.422"), code_of("not_media")
    ('not_media', 'not_media')
    """
    return name.partition(".")[0]


def _in_body(pointer: str, code: str, message: str) -> tuple[Violation, ...]:
    return (Violation(code, message, pointer=pointer),)


def _in_parameter(name: str, code: str, message: str) -> tuple[Violation, ...]:
    return (Violation(code, message, parameter=name),)


_ON_ACCOUNT = ("get_account", "change_account", "patch_account", "delete_account", "verify_account")
_ON_JOB = ("get_job", "cancel_job", "retry_job", "stream_job_events")
_ON_ASSET = ("get_asset", "get_asset_content")
_EDITS = ("change_account", "patch_account")
_JOBS = ("list_jobs", "get_job")
_ON_DELIVERY = ("get_webhook_delivery", "resend_webhook_delivery")
_SENDING = ("resend_webhook_delivery", "replay_webhooks", "ping_webhook_endpoint")
_ON_ENDPOINT = (
    "get_webhook_endpoint",
    "change_webhook_endpoint",
    "delete_webhook_endpoint",
    "rotate_webhook_secret",
    "list_webhook_deliveries",
    "get_webhook_delivery",
    *_SENDING,
)

REFUSALS: dict[str, Refusal] = {
    "bad_request": Refusal(400, "The request cannot be read."),
    "unknown_parameter": Refusal(
        400,
        "Query parameters are not acceptable.",
        _in_parameter("color", "unknown_parameter", "There is no such parameter here."),
        needs="key",
    ),
    "repeated_parameter": Refusal(
        400,
        "Query parameters are not acceptable.",
        _in_parameter("limit", "repeated_parameter", "It may be given once."),
        needs="query",
    ),
    "invalid_parameter": Refusal(
        400,
        "Query parameters are not acceptable.",
        _in_parameter("limit", "invalid_parameter", "Expected at most 200."),
        needs="query",
    ),
    "unknown_value": Refusal(
        400,
        "Query parameters are not acceptable.",
        _in_parameter("expand", "unknown_value", "'team' is not one of steps, ad_account."),
        only=_JOBS,
    ),
    "invalid_cursor": Refusal(
        400,
        "No page gave out this cursor.",
        _in_parameter("cursor", "invalid_cursor", "No page gave out this cursor."),
        needs="list",
    ),
    "cursor_of_another_list": Refusal(
        400,
        "The cursor belongs to another list, or to other filters; begin without one.",
        _in_parameter(
            "cursor",
            "cursor_of_another_list",
            "The cursor belongs to another list, or to other filters; begin without one.",
        ),
        needs="list",
    ),
    "invalid_header": Refusal(
        400,
        "If-Match is a list of entity tags in double quotes, as ETag gave them, or *.",
        _in_parameter(
            "If-Match",
            "invalid_header",
            "If-Match is a list of entity tags in double quotes, as ETag gave them, or *.",
        ),
        needs="If-Match",
    ),
    "invalid_idempotency_key": Refusal(
        400,
        "Idempotency-Key comes once, with 1 to 255 printable ASCII characters.",
        _in_parameter(
            "Idempotency-Key",
            "invalid_header",
            "Idempotency-Key comes once, with 1 to 255 printable ASCII characters.",
        ),
        needs="Idempotency-Key",
    ),
    "invalid_last_event_id": Refusal(
        400,
        "Last-Event-ID is not the number of an event.",
        _in_parameter(
            "Last-Event-ID",
            "invalid_last_event_id",
            "Send the id of the last event as it was given, or none to begin anew.",
        ),
        needs="Last-Event-ID",
    ),
    "not_json": Refusal(
        400, "The body is not JSON: JSON is malformed: invalid character (byte 0).", needs="body"
    ),
    "incomplete_body": Refusal(400, "The body did not arrive whole.", needs="body"),
    "not_multipart": Refusal(400, "The body is no whole multipart form.", only=("create_asset",)),
    "unauthorized": Refusal(401, "Send a key: Authorization: Bearer mj_…", needs="key"),
    "missing_scope": Refusal(403, "The key lacks the scope accounts:write.", needs="scope"),
    "test_key_live_account": Refusal(
        403,
        "A test key works with sandbox accounts only.",
        only=(
            *_ON_ACCOUNT,
            *_ON_JOB,
            *_ON_ENDPOINT,
            "create_account",
            "list_accounts",
            "build_on_meta",
            "list_webhook_endpoints",
        ),
    ),
    "ad_account_not_found": Refusal(
        404, "There is no such ad account.", only=(*_ON_ACCOUNT, "build_on_meta")
    ),
    "campaign_job_not_found": Refusal(404, "There is no such campaign job.", only=_ON_JOB),
    "webhook_endpoint_not_found": Refusal(
        404, "There is no such webhook endpoint.", only=_ON_ENDPOINT
    ),
    "webhook_delivery_not_found": Refusal(
        404, "There is no such webhook delivery.", only=_ON_DELIVERY
    ),
    "asset_not_found": Refusal(404, "There is no such asset.", only=_ON_ASSET),
    "asset_bytes_missing": Refusal(
        404,
        "The asset is known, but its bytes are not kept here any more; store it again.",
        only=("get_asset_content",),
    ),
    "ad_account_exists": Refusal(
        409, "The team holds this account already.", only=("create_account",)
    ),
    "ad_account_has_open_jobs": Refusal(
        409,
        "Jobs of the account are open; cancel them or wait for their end.",
        only=("delete_account",),
    ),
    "ad_account_requires_reauth": Refusal(
        409,
        "The platform refuses the account's credentials; replace them.",
        only=(*_EDITS, "build_on_meta", "retry_job"),
    ),
    "ad_account_suspended": Refusal(
        409, "The account is SUSPENDED; only new credentials change that.", only=_EDITS
    ),
    "ad_account_not_active": Refusal(
        409, "The account is INACTIVE.", only=("build_on_meta", "retry_job")
    ),
    "ad_account_not_found.409": Refusal(
        409, "The job's ad account was deleted.", only=("retry_job",)
    ),
    "ad_account_changed": Refusal(
        409,
        "The ad account is being changed again and again. Send the request once more.",
        only=("build_on_meta", "verify_account"),
    ),
    "verification_not_available": Refusal(
        409, "Accounts of TIKTOK_ADS cannot be verified.", only=("verify_account",)
    ),
    "job_already_finished": Refusal(409, "The job has ended: it is SUCCESS.", only=("cancel_job",)),
    "job_already_processing": Refusal(
        409,
        "The job is still PROCESSING; cancel it first, or wait for its end.",
        only=("retry_job",),
    ),
    "job_not_retryable": Refusal(
        409, "The job is SUCCESS; nothing is left to do.", only=("retry_job",)
    ),
    "too_many_webhook_endpoints": Refusal(
        409, "A team has at most 20 endpoints; remove one first.", only=("create_webhook_endpoint",)
    ),
    "webhook_endpoint_exists": Refusal(
        409,
        "The endpoint 01990000-0000-7000-8000-000000000000 posts to this url already: change its events, or "
        "remove it first. If its secret was lost with an answer, rotate_secret makes a new one.",
        only=("create_webhook_endpoint", "change_webhook_endpoint"),
    ),
    "webhook_endpoint_disabled": Refusal(
        409, "The endpoint is disabled; enable it first.", only=_SENDING
    ),
    "precondition_failed": Refusal(
        412, "The object was changed since it was read; read it again.", needs="If-Match"
    ),
    "body_too_large": Refusal(413, "The body is larger than 1,048,576 bytes.", needs="body"),
    "unsupported_media_type": Refusal(415, "Send Content-Type: application/json.", needs="body"),
    "not_media": Refusal(
        415, "The bytes are no image, video or audio that is taken here.", only=("create_asset",)
    ),
    "invalid_request": Refusal(
        422,
        "One thing in the body is not acceptable.",
        _in_body("/name", "too_short", "Expected at least 1 character."),
        needs="body",
    ),
    "platform_not_available": Refusal(
        422,
        "One thing in the body is not acceptable.",
        _in_body(
            "/platform_type",
            "platform_not_available",
            "Accounts of TIKTOK_ADS are not available yet.",
        ),
        only=("create_account",),
    ),
    "idempotency_key_reused": Refusal(
        422,
        "This Idempotency-Key was used for another request; use a new key for a new request.",
        needs="Idempotency-Key",
    ),
    "file_missing": Refusal(
        422,
        "The form has no field 'file' with a file.",
        _in_body("/file", "missing", "Send one file in this field."),
        only=("create_asset",),
    ),
    "media_address_refused": Refusal(
        422,
        "The address is not public.",
        _in_body("/url", "media_address_refused", "The address is not public."),
        only=("create_asset",),
    ),
    **{
        code: Refusal(422, text, _in_body("/url", code_of(code), text), only=("create_asset",))
        for code, text in {
            "media_redirected": "The address redirects, and redirects are not followed.",
            "media_too_large": "It is larger than 1073741824 bytes.",
            "media_unreachable": "The address did not answer in time.",
            "media_status_404": "The address answered with status 404.",
            "not_media.422": "The bytes are no image, video or audio that is taken here.",
        }.items()
    },
    "asset_not_found.422": Refusal(
        422,
        "One thing in the body is not acceptable.",
        _in_body("/media/hero/asset_id", "asset_not_found", "There is no such asset."),
        only=("build_on_meta",),
    ),
    "too_many_webhooks": Refusal(
        422,
        "More than 5000 messages; choose a shorter time.",
        _in_body("/since", "too_many_webhooks", "Begin later."),
        only=("replay_webhooks",),
    ),
    "precondition_required": Refusal(
        428,
        "Send If-Match with the ETag of the version that you have read, or * for any.",
        only=("patch_account",),
    ),
    "rate_limited": Refusal(
        429,
        "The key asks more often than 1000 times a second (at most 10000 at once). Wait 1 s.",
        needs="key",
    ),
    "too_many_open_jobs_account": Refusal(
        429,
        "The account has 100000 open jobs or more. Wait until some of them have ended, or cancel some.",
        only=("build_on_meta", "retry_job"),
    ),
    "too_many_open_jobs_team": Refusal(
        429,
        "The team has 200000 open jobs or more. Wait until some of them have ended, or cancel some.",
        only=("build_on_meta", "retry_job"),
    ),
    "too_many_streams": Refusal(
        429,
        "The team has 2000 streams open. Close some; `GET /api/v1/events` tells of all jobs.",
        only=("stream_job_events", "stream_events"),
    ),
    "too_many_held_answers": Refusal(
        429,
        "The team has 2000 held answers open. Close some; `GET /api/v1/events` tells of all jobs.",
        only=("get_job",),
    ),
    "platform_unreachable": Refusal(
        503,
        "The platform answers too slowly. Nothing was learnt and nothing was changed.",
        only=("verify_account",),
    ),
    "platform_throttled": Refusal(
        503,
        "The platform asks for a pause. Nothing was learnt and nothing was changed.",
        only=("verify_account",),
    ),
    "secret_not_opened": Refusal(
        503,
        "A stored secret cannot be opened here. Whoever runs this must look at the encryption keys.",
        only=("verify_account", "rotate_webhook_secret"),
    ),
    "asset_not_kept": Refusal(
        503, "The file cannot be kept just now; nothing was stored.", only=("create_asset",)
    ),
    "database_unavailable": Refusal(
        503,
        "The database does not answer. Repeat the request: under one Idempotency-Key it counts once.",
        needs="key",
    ),
    "database_busy": Refusal(
        503,
        "What this request needs was held for too long. Repeat it: under one Idempotency-Key it counts once.",
        needs="key",
    ),
    "stopping": Refusal(
        503, "The server is stopping. Repeat the request in a moment.", needs="key"
    ),
}
"""In the order of their statuses; all of them answer as problem documents."""

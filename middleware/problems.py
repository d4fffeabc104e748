"""Answers every error as a problem document (RFC 9457), and tells nobody outside what broke inside."""

from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, ExceptionHandlersMap
from msgspec import UNSET, Meta, UnsetType

from common.errors import CallerError
from common.keyring import KeyMissing

type AnyRequest = Request[Any, Any, Any]

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger()


class Violation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing in a request that is not acceptable."""

    code: Annotated[str, Meta(description="A stable word for programs.")]
    message: Annotated[str, Meta(description="What is wrong, for people.")]
    pointer: Annotated[
        str | UnsetType, Meta(description="Where in the body, as a JSON pointer (RFC 6901).")
    ] = UNSET
    parameter: Annotated[
        str | UnsetType,
        Meta(description="Which query parameter or header, where it is not the body."),
    ] = UNSET


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was not carried out (RFC 9457)."""

    type: Annotated[str, Meta(description="A stable name of the kind of problem.")]
    title: Annotated[str, Meta(description="The HTTP status in words.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What happened this time.")]
    instance: Annotated[str, Meta(description="The id of the request, to quote when asking.")]
    code: Annotated[str, Meta(description="A stable word for programs.")]
    errors: Annotated[
        list[Violation] | UnsetType, Meta(description="Every violation of the request at once.")
    ] = UNSET


def problem(
    request: AnyRequest,
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """The one form of every refusal and failure."""
    document = Problem(
        type=f"urn:mojito:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.scope["state"].get("request_id", "unknown"),
        code=code,
        errors=msgspec.convert(errors, list[Violation]) if errors else UNSET,
    )
    return Response(
        msgspec.json.encode(document), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def answer_to(request: AnyRequest, error: Exception) -> ASGIApp:
    """The same as Litestar makes of an error."""
    kind = next(kind for kind in type(error).__mro__ if kind in EXCEPTION_HANDLERS)
    response = EXCEPTION_HANDLERS[kind](request, error)
    return response.to_asgi_response(app=None, request=request)


def _refused(request: AnyRequest, error: CallerError) -> Response[bytes]:
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request.unavailable", code=error.code)
    return problem(
        request,
        error.status,
        error.code,
        error.message,
        errors=error.errors,
        headers=error.headers,
    )


def _by_litestar(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    code, detail = _WORDS.get(error.status_code, ("bad_request", "The request cannot be read."))
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _broken(request, error)
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = f"The body is larger than {_most_bytes(request):,} bytes."
    return problem(request, error.status_code, code, detail, headers=error.headers)


def _most_bytes(request: AnyRequest) -> int:
    """Of a body, where one was refused for its size."""
    return request.route_handler.resolve_request_max_body_size() or 0


def _unavailable(request: AnyRequest, error: Exception) -> Response[bytes]:
    log.warning("database.unavailable", error=type(error).__name__)
    return problem(
        request,
        503,
        "database_unavailable",
        "The database does not answer. Repeat the request: under one Idempotency-Key it counts once.",
        headers={"Retry-After": "2"},
    )


def _busy(request: AnyRequest, error: Exception) -> Response[bytes]:
    log.warning("database.busy", error=type(error).__name__)
    return problem(
        request,
        503,
        "database_busy",
        "What this request needs was held for too long. Repeat it: under one Idempotency-Key it counts once.",
        headers={"Retry-After": "1"},
    )


def _keyless(request: AnyRequest, error: KeyMissing) -> Response[bytes]:
    log.error("encryption_key.missing", key_id=error.key_id)
    return _refused(request, error)


def _broken(request: AnyRequest, error: Exception) -> Response[bytes]:
    log.error("request.failed", exc_info=error)
    return problem(
        request,
        500,
        "internal_error",
        "Something broke here, not in the request. Quote the instance when asking about it.",
    )


_WORDS = {
    400: ("bad_request", "The request cannot be read."),
    404: (
        "route_not_found",
        "There is nothing at this address; /api/v1/openapi.json lists those that there are.",
    ),
    405: (
        "method_not_allowed",
        "This address does not know that method; Allow names those it does.",
    ),
    413: ("body_too_large", "The body is too large."),
    415: ("unsupported_media_type", "The content type is not taken here."),
}

EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    CallerError: _refused,
    HTTPException: _by_litestar,
    asyncpg.PostgresConnectionError: _unavailable,
    asyncpg.OperatorInterventionError: _unavailable,
    asyncpg.InsufficientResourcesError: _unavailable,
    asyncpg.InterfaceError: _unavailable,
    asyncpg.InternalClientError: _unavailable,
    asyncpg.ObjectNotInPrerequisiteStateError: _unavailable,
    asyncpg.ReadOnlySQLTransactionError: _unavailable,
    asyncpg.InvalidAuthorizationSpecificationError: _unavailable,
    asyncpg.InvalidCatalogNameError: _unavailable,
    asyncpg.QueryCanceledError: _busy,
    asyncpg.LockNotAvailableError: _busy,
    asyncpg.SerializationError: _busy,
    asyncpg.DeadlockDetectedError: _busy,
    KeyMissing: _keyless,
    ConnectionError: _unavailable,
    TimeoutError: _busy,
    Exception: _broken,
}
"""For Litestar. The most exact class of an error wins."""

"""The answer to what is no request at all, which no route ever sees: a problem document all the same."""

import os
from http import HTTPStatus

import msgspec
import structlog

from middleware.problems import MEDIA_TYPE, Problem

log = structlog.get_logger()


def not_http() -> bytes:
    """To bytes that are no HTTP."""
    return _refused(HTTPStatus.BAD_REQUEST, "not_http", "This is no request as HTTP/1.1 knows it.")


def head_too_long(most: int) -> bytes:
    """To a request whose head has no end."""
    message = (
        f"The head of the request, its address and its headers, is longer than {most:,} bytes."
    )
    return _refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_long", message)


def _refused(status: HTTPStatus, code: str, detail: str) -> bytes:
    request_id = os.urandom(16).hex()
    log.info("request.unreadable", code=code, request_id=request_id)
    body = msgspec.json.encode(
        Problem(
            type=f"urn:mojito:problem:{code}",
            title=status.phrase,
            status=status.value,
            detail=detail,
            instance=request_id,
            code=code,
        )
    )
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        f"x-request-id: {request_id}",
        "connection: close\r\n\r\n",
    )
    return "\r\n".join(lines).encode() + body

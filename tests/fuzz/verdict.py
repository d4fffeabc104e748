"""What every answer must be, whatever was asked: documented, whole, in time, and silent about secrets."""

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import msgspec
from schemathesis import Case
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from middleware.problems import MEDIA_TYPE, Problem
from tests.fuzz.wire import Answer

LONGEST_SECONDS = 10.0
DOCUMENTED = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
REFUSED = [negative_data_rejection]


def complaints(
    case: Case[Any], answer: Answer, secrets: list[str], *, must_be_refused: bool
) -> Iterator[str]:
    """Everything wrong with the answer to a request for the case's operation."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        yield f"status {answer.status}"
    if answer.seconds > LONGEST_SECONDS:
        yield f"took {answer.seconds:.1f} s"
    whole = answer.body + repr(answer.headers).encode()
    if any(secret.encode() in whole for secret in secrets):
        yield "tells a secret"
    if answer.status >= HTTPStatus.BAD_REQUEST:
        yield from _of_problem(answer)
    yield from _of_document(case, answer, DOCUMENTED + (REFUSED if must_be_refused else []))


def _of_problem(answer: Answer) -> Iterator[str]:
    headers = {name.lower(): value for name, value in answer.headers}
    if headers.get("content-type") != MEDIA_TYPE:
        yield f"a refusal is {headers.get('content-type')!r}"
        return
    try:
        problem = msgspec.json.decode(answer.body, type=Problem)
    except msgspec.MsgspecError as error:
        yield f"no problem document: {error}"
        return
    expected = {
        "type": f"urn:mojito:problem:{problem.code}",
        "title": HTTPStatus(answer.status).phrase,
        "status": answer.status,
        "instance": headers.get("x-request-id"),
    }
    for name, value in expected.items():
        if getattr(problem, name) != value:
            yield f"{name} is {getattr(problem, name)!r}, not {value!r}"
    if not (problem.detail and problem.code):
        yield "detail or code is empty"
    if answer.status == HTTPStatus.UNAUTHORIZED and "www-authenticate" not in headers:
        yield "no WWW-Authenticate"


def _of_document(case: Case[Any], answer: Answer, checks: list[Any]) -> Iterator[str]:
    response = httpx.Response(
        answer.status,
        headers=answer.headers,
        content=answer.body,
        request=httpx.Request(case.operation.method.upper(), "http://127.0.0.1/"),
    )
    response.elapsed = timedelta(seconds=answer.seconds)
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as group:
        for failure in group.exceptions:
            yield f"{failure.title}: {' '.join(failure.message.split())[:300]}"

"""The judge of the fuzzing finds each thing that it looks for, and nothing in a good answer."""

import json

import pytest
import schemathesis

from tests.fuzz.verdict import complaints
from tests.fuzz.wire import Answer

SECRET = "thing0123456789"
THING = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/thing": {
            "get": {
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {"application/json": {"schema": THING}},
                    },
                    "404": {"description": "None", "content": {"application/problem+json": {}}},
                }
            }
        }
    },
}
JSON = [("Content-Type", "application/json"), ("X-Request-Id", "r1")]
PROBLEM = [("Content-Type", "application/problem+json"), ("X-Request-Id", "r1")]
NOT_FOUND = {
    "type": "urn:mojito:problem:thing_not_found",
    "title": "Not Found",
    "status": 404,
    "detail": "There is no such thing.",
    "instance": "r1",
    "code": "thing_not_found",
}


def judged(status, headers, document, seconds=0.1):
    case = schemathesis.openapi.from_dict(DOCUMENT)["/thing"]["GET"].Case()
    answer = Answer(status, headers, json.dumps(document).encode(), seconds)
    return " | ".join(complaints(case, answer, [SECRET], must_be_refused=False))


@pytest.mark.parametrize(
    "status, headers, document", [(200, JSON, {"id": 1}), (404, PROBLEM, NOT_FOUND)]
)
def test_good_answers_are_good(status, headers, document):
    assert judged(status, headers, document) == ""


@pytest.mark.parametrize(
    "status, headers, document, complaint",
    [
        (500, PROBLEM, {**NOT_FOUND, "status": 500}, "status 500"),
        (409, PROBLEM, {**NOT_FOUND, "status": 409}, "Undocumented status code"),
        (200, JSON, {"id": "1"}, "Response violates schema"),
        (200, [("Content-Type", "text/html")], {"id": 1}, "Undocumented Content-Type"),
        (200, JSON, {"id": 1, "token": SECRET}, "tells a secret"),
        (200, [*JSON, ("X-Token", SECRET)], {"id": 1}, "tells a secret"),
        (404, JSON, NOT_FOUND, "a refusal is 'application/json'"),
        (404, PROBLEM, {"detail": "no"}, "no problem document"),
        (404, PROBLEM, {**NOT_FOUND, "instance": "r2"}, "instance is 'r2'"),
        (404, PROBLEM, {**NOT_FOUND, "title": "None"}, "title is 'None'"),
        (404, PROBLEM, {**NOT_FOUND, "status": 400}, "status is 400"),
        (404, PROBLEM, {**NOT_FOUND, "detail": ""}, "detail or code is empty"),
        (401, PROBLEM, {**NOT_FOUND, "status": 401}, "no WWW-Authenticate"),
    ],
)
def test_a_bad_answer_is_found(status, headers, document, complaint):
    assert complaint in judged(status, headers, document)


def test_a_slow_answer_is_found():
    assert "took 11.0 s" in judged(200, JSON, {"id": 1}, seconds=11)

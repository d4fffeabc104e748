"""Every refusal and failure has one form, and tells nothing of the inside."""

import gzip

import asyncpg
import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath

from common.errors import Conflict
from middleware.problems import EXCEPTION_HANDLERS
from middleware.request_id import RequestIds
from tests.routes.conftest import Api, account_body

URL = "/api/v1/ad_accounts"


@get("/fail/{name:str}")
async def fail(name: FromPath[str]) -> None:
    raise FAILURES[name]


FAILURES: dict[str, Exception] = {
    "bug": ZeroDivisionError("secret detail"),
    "assertion": AssertionError("secret detail"),
    "gone": asyncpg.ConnectionDoesNotExistError("secret detail"),
    "stopping": asyncpg.AdminShutdownError("secret detail"),
    "starting": asyncpg.CannotConnectNowError("secret detail"),
    "crowded": asyncpg.TooManyConnectionsError("secret detail"),
    "closing": asyncpg.InterfaceError("secret detail"),
    "refused": ConnectionRefusedError("secret detail"),
    "slow": TimeoutError("secret detail"),
    "cancelled": asyncpg.QueryCanceledError("secret detail"),
    "locked": asyncpg.LockNotAvailableError("secret detail"),
    "conflict": Conflict("No.", code="no", headers={"X-Why": "so"}),
}


def failing() -> httpx.AsyncClient:
    app = Litestar(
        [fail], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None
    )
    app.asgi_handler = RequestIds(app.asgi_handler)
    transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
    return httpx.AsyncClient(transport=transport, base_url="http://api")


@pytest.mark.parametrize("name", ["bug", "assertion"])
async def test_a_mistake_of_ours_is_a_500_without_detail(name):
    answer = await failing().get(f"/fail/{name}")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["gone", "stopping", "starting", "crowded", "closing", "refused"])
async def test_a_database_that_does_not_answer_is_a_503_with_a_time_to_come_back(name):
    answer = await failing().get(f"/fail/{name}")

    assert answer.status_code == 503
    assert answer.json()["code"] == "database_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["slow", "cancelled", "locked"])
async def test_waiting_too_long_for_others_is_a_503_too(name):
    answer = await failing().get(f"/fail/{name}")

    assert answer.status_code == 503
    assert answer.json()["code"] == "database_busy"


async def test_a_refusal_carries_its_own_code_and_headers():
    answer = await failing().get("/fail/conflict", headers={"X-Request-Id": "r-1"})

    assert answer.status_code == 409
    assert answer.headers["x-why"] == "so"
    assert answer.json() == {
        "type": "urn:mojito:problem:no",
        "title": "Conflict",
        "status": 409,
        "detail": "No.",
        "instance": "r-1",
        "code": "no",
    }


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api/v1/nowhere", "/api/v1", "/api/v1/ad_accounts/a/nothing"]
)
async def test_unknown_routes_answer_in_the_same_form(api: Api, path):
    answer = await api.client.post(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "route_not_found"


async def test_wrong_methods_are_told_which_are_right(api: Api):
    answer = await api.client.patch(URL)

    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"a": NaN}',
        b"{}{}",
        b'"\\ud800"',
    ],
)
async def test_what_is_not_json_is_a_400(caller, body):
    answer = await caller.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "not_json"


async def test_a_body_that_was_forgotten_is_told_so(caller):
    answer = await caller.post(URL)

    assert answer.status_code == 400
    assert answer.json()["detail"] == "The body is not JSON: it is empty."


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark; send UTF-8 without one"),
        ("{}".encode("utf-16"), "it is UTF-16; send UTF-8"),
        ("{}".encode("utf-16-le"), "it is UTF-16 or UTF-32; send UTF-8"),
        (gzip.compress(b"{}"), "it is packed by gzip; send it as it is"),
        ('{"name": "Frühling"}'.encode("latin-1"), "it is not UTF-8 (byte 12)"),
        (
            b'{"a": -Infinity}',
            "JSON is malformed: invalid character (byte 7); NaN and Infinity are no numbers of JSON",
        ),
        (
            b"{'a': 1}",
            "JSON is malformed: object keys must be strings (byte 1); "
            "text and names stand in plain double quotes",
        ),
        (
            b'{"a": True}',
            "JSON is malformed: invalid character (byte 6); JSON writes true, false and null",
        ),
    ],
)
async def test_who_sends_something_else_than_json_hears_what_it_is(caller, body, told):
    answer = await caller.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["detail"] == f"The body is not JSON: {told}."


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7"])
async def test_json_that_is_no_object_is_a_422(caller, body):
    answer = await caller.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "*/*"],
)
async def test_other_content_types_are_a_415(caller, kind):
    answer = await caller.post(URL, content=b"{}", headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("path", [URL, "/api/v1/ads/meta", "/api/v1/assets"])
@pytest.mark.parametrize("second", ["application/json", "text/plain"])
async def test_a_body_of_two_types_is_a_415(caller, path, second):
    headers = [("Content-Type", "application/json"), ("Content-Type", second)]

    answer = await caller.post(path, content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", [URL, "/api/v1/ads/meta", "/api/v1/assets"])
async def test_a_packed_body_is_a_415_that_says_so(caller, path):
    headers = {"Content-Type": "application/json"}
    packed = gzip.compress(b"{}")

    refused = [
        await caller.post(path, content=packed, headers={**headers, "Content-Encoding": coding})
        for coding in ("gzip", "identity, GZIP")
    ]
    plain = await caller.post(
        path, content=b"{}", headers={**headers, "Content-Encoding": "identity"}
    )

    assert [answer.status_code for answer in refused] == [415, 415]
    assert {answer.json()["code"] for answer in refused} == {"unsupported_media_type"}
    assert {answer.headers["accept-encoding"] for answer in refused} == {"identity"}
    assert plain.status_code == 422


async def test_parameters_of_a_content_type_do_not_matter(caller):
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    answer = await caller.post(
        URL, content=httpx.Request("POST", "http://x", json=account_body()).content, headers=headers
    )

    assert answer.status_code == 201


async def test_json_bodies_end_at_one_mebibyte(caller):
    edge = b'"' + b"a" * (1024 * 1024 - 2) + b'"'
    headers = {"Content-Type": "application/json"}

    fits = await caller.post(URL, content=edge, headers=headers)
    exceeds = await caller.post(URL, content=edge + b" ", headers=headers)

    assert fits.status_code == 422
    assert exceeds.status_code == 413
    assert exceeds.json()["code"] == "body_too_large"
    assert exceeds.json()["detail"] == "The body is larger than 1,048,576 bytes."


async def test_a_body_that_does_not_say_its_length_ends_there_too(caller):
    async def endless():
        while True:
            yield b"a" * 65536

    answer = await caller.post(URL, content=endless(), headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


async def test_routes_without_parameters_take_none(caller):
    answer = await caller.post(f"{URL}?dry_run=true", json=account_body())

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {
            "code": "unknown_parameter",
            "message": "There is no such parameter here.",
            "parameter": "dry_run",
        }
    ]


FORM = b"multipart/form-data; boundary=b"
HALF_A_FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'


@pytest.mark.parametrize(
    ("path", "kind", "begun"),
    [
        (URL, b"application/json", b""),
        (URL, b"application/json", b'{"name'),
        ("/api/v1/ads/meta", b"application/json", b"{"),
        ("/api/v1/assets", b"application/json", b'{"url'),
        ("/api/v1/assets", FORM, b""),
        ("/api/v1/assets", FORM, b"--b\r\n"),
        ("/api/v1/assets", FORM, HALF_A_FILE),
    ],
)
async def test_a_caller_who_hangs_up_is_no_failure_of_ours(api: Api, path, kind, begun):
    key = (await api.caller()).headers["Authorization"].encode()
    sent: list[dict] = []
    received = [{"type": "http.request", "body": begun, "more_body": True}] if begun else []

    async def receive() -> dict:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"api"), (b"authorization", key), (b"content-type", kind)],
    }
    await api.app(scope, receive, send)  # pyright: ignore[reportArgumentType]  # plain dicts are what servers send

    assert sent[0]["status"] == 400
    assert b'"code":"incomplete_body"' in sent[1]["body"]

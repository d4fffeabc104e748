"""The short way answers as the long one does, and what is out of the ordinary goes the long way."""

import asyncio
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, post
from litestar.di import NamedDependency, Provide
from litestar.types import ASGIApp

from common.errors import Conflict
from middleware.problems import EXCEPTION_HANDLERS
from middleware.request_id import RequestIds
from routes.answer import Answer
from routes.shortcut import Shortcut
from tests.routes.conftest import Api, add_account
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"
LONG_WAY = f"{URL}/"
JSON = {"Content-Type": "application/json"}
OPT = {"shortcut": True, "patience_seconds": 1.0}


@post("/busy", opt=OPT, status_code=200)
async def busy(request: Request, parts: NamedDependency[str]) -> ASGIApp:
    match await request.body():
        case b"conflict":
            raise Conflict("No.", code="no", headers={"X-Why": "so"})
        case b"stuck":
            await asyncio.Event().wait()
        case b"broken":
            return broken
    return Answer(parts, status_code=200)


async def broken(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ZeroDivisionError


async def admit(request: Request[Any, Any, Any]) -> None:
    if "refused" in request.headers:
        raise Conflict("Not today.", code="not_today")


def client() -> httpx.AsyncClient:
    """Its one route tells by which way it was reached."""
    app = Litestar(
        [busy],
        dependencies={"parts": Provide(lambda: "long", sync_to_thread=False)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = RequestIds(Shortcut(app, admit, "short"))  # pyright: ignore[reportArgumentType]  # enough to be told apart
    transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
    return httpx.AsyncClient(transport=transport, base_url="http://api")


async def test_a_request_for_the_exact_address_goes_the_short_way():
    answer = await client().post("/busy")

    assert (answer.status_code, answer.json()) == (200, "short")
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/busy/", {}), ("//busy", {}), ("/busy", {"Origin": "https://app.example.com"})],
)
async def test_other_spellings_and_pages_of_other_origins_go_the_long_way(path, headers):
    answer = await client().post(f"http://api{path}", headers=headers)

    assert (answer.status_code, answer.json()) == (200, "long")


async def test_a_host_that_is_none_and_other_methods_are_refused_as_everywhere():
    odd = await client().post("/busy", headers={"Host": '"a"'})
    other = await client().get("/busy")

    assert (odd.status_code, odd.json()["code"]) == (400, "bad_request")
    assert (other.status_code, other.json()["code"]) == (405, "method_not_allowed")


async def test_nobody_is_let_in_who_is_not_admitted():
    answer = await client().post("/busy", headers={"Refused": "yes"})

    assert (answer.status_code, answer.json()["code"]) == (409, "not_today")


async def test_errors_and_too_long_a_wait_are_told_in_the_one_form():
    refused = await client().post("/busy", content=b"conflict")
    stuck = await client().post("/busy", content=b"stuck")

    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, refused.headers["x-why"]) == (409, "so")
    assert refused.json()["instance"] == refused.headers["x-request-id"]
    assert (stuck.status_code, stuck.json()["code"]) == (503, "database_busy")


async def test_an_answer_that_has_begun_is_not_begun_again():
    with pytest.raises(ZeroDivisionError):
        await client().post("/busy", content=b"broken")


def without_what_is_new(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """All of an answer but what no two answers have in common."""
    unique = {"x-request-id", "location", "ratelimit", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in unique}
    body = answer.json()
    for name in ("instance", "id", "campaign_job_id", "created_at", "updated_at"):
        body.pop(name, None)
    return answer.status_code, headers, body


@pytest.mark.parametrize(
    ("status", "query", "sent"),
    [
        (202, "", {"json": meta_request()}),
        (200, "?validate_only=true", {"json": meta_request()}),
        (400, "?dry_run=true", {"json": meta_request()}),
        (400, "", {"content": b"{", "headers": JSON}),
        (400, "", {"json": meta_request(), "headers": {"Idempotency-Key": "x" * 256}}),
        (401, "", {"json": meta_request(), "headers": {"Authorization": "Bearer mj_test_no"}}),
        (404, "", {"json": meta_request(platform_account_id="act_2")}),
        (413, "", {"content": b" " * (1024 * 1024 + 1), "headers": JSON}),
        (415, "", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        (422, "", {"json": meta_request(ad_sets=[])}),
    ],
)
async def test_both_ways_to_a_campaign_answer_alike(api: Api, caller, status, query, sent):
    await add_account(caller)

    short = await caller.post(URL + query, **sent)
    long = await caller.post(LONG_WAY + query, **sent)

    assert short.status_code == status, short.text
    assert without_what_is_new(short) == without_what_is_new(long)

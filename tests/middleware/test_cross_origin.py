"""Pages of named origins may ask; a browser hears it before a key is sent, and others hear nothing."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from middleware.cross_origin import cross_origin
from middleware.request_id import RequestIds
from tests.routes.conftest import Api

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}
URL = "/api/v1/ads/meta"


@pytest.fixture
async def client(api: Api) -> AsyncGenerator[httpx.AsyncClient]:
    """The same application with one origin let in."""
    api.app.cors_config = cross_origin([ORIGIN])
    api.app.asgi_handler = RequestIds(api.app._create_asgi_handler())
    yield api.client


async def test_a_preflight_of_a_named_origin_needs_no_key(client: httpx.AsyncClient):
    answer = await client.options(URL, headers=PREFLIGHT)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    assert "idempotency-key" in answer.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_answers_and_refusals_may_be_read_with_their_headers(client: httpx.AsyncClient):
    answer = await client.get(URL.replace("ads/meta", "ad_accounts"), headers={"Origin": ORIGIN})

    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    shown = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"RateLimit", "RateLimit-Policy", "ETag", "Location", "Retry-After"} <= shown
    assert "X-Request-Id" in shown


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.com", f"{ORIGIN}.evil.example", "null"]
)
async def test_other_origins_are_let_in_nowhere(client: httpx.AsyncClient, origin: str):
    asked = await client.options(URL, headers={**PREFLIGHT, "Origin": origin})
    answer = await client.get("/livez", headers={"Origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_without_origins_nothing_is_told_of_them(api: Api):
    answer = await api.client.get("/livez", headers={"Origin": ORIGIN})

    assert cross_origin([]) is None
    assert not [name for name in answer.headers if name.startswith("access-control")]

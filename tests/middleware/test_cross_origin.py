"""Pages of named origins may ask; a browser hears it before a key is sent, and others hear nothing."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from common.keyring import Keyring
from middleware.cross_origin import cross_origin
from models.account_verification import AccountVerifier
from models.notifier import Notifier
from routes.app import create_app
from routes.assets import Assets
from routes.health import ServerReadiness
from routes.job_writes import JobWrites
from routes.watch import Watch
from tests.routes.conftest import Api

ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}
URL = "/api/v1/ads/meta"


@pytest.fixture
async def client(
    api: Api, keyring: Keyring, assets: Assets, verifier: AccountVerifier, database: str
) -> AsyncGenerator[httpx.AsyncClient]:
    """An application on the same database with one origin let in."""
    async with Notifier(database) as notifier, JobWrites(database) as job_writes:
        app = create_app(
            pool=api.pool,
            keyring=keyring,
            notifier=notifier,
            job_writes=job_writes,
            readiness=ServerReadiness(api.pool),
            assets=assets,
            verifier=verifier,
            watch=Watch(database, api.pool, asyncio.Event()),
            cors_origins=[ORIGIN],
        )
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client


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


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Origin": "https://evil.example"}, "the origin"),
        ({"Access-Control-Request-Method": "TRACE"}, "the method"),
        ({"Access-Control-Request-Headers": "authorization, X-Other"}, "the header x-other"),
    ],
)
async def test_a_refused_preflight_says_what_is_not_let_in(client, changes, named):
    answer = await client.options(URL, headers={**PREFLIGHT, **changes})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "cross_origin_refused"
    assert answer.json()["detail"].endswith(f": {named}.")
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert answer.headers["vary"] == "Origin"


async def test_without_origins_nothing_is_told_of_them(api: Api):
    answer = await api.client.get("/livez", headers={"Origin": ORIGIN})

    assert cross_origin([]) is None
    assert not [name for name in answer.headers if name.startswith("access-control")]

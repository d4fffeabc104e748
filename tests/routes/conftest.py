"""The whole application on a real database, spoken to in the same loop."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from common.api_keys import SCOPES
from common.asset_files import LocalAssetFiles
from common.guarded_http import GuardedClient
from common.keyring import Keyring, new_key_line
from models.account_verification import AccountVerifier
from models.api_keys import create_key
from models.database import Pool, open_pool
from models.notifier import Notifier
from routes.app import create_app
from routes.assets import Assets
from routes.health import ServerReadiness
from routes.job_writes import JobWrites
from routes.watch import Watch
from tests.routes.documented import Documented
from tests.routes.meta_requests import meta_request
from workers.platforms.meta import Meta

TOKEN = "EAAB" + "0" * 8 + "verysecrettoken"


class Api:
    """A client without a key, and a way to get clients with one."""

    def __init__(
        self,
        app: Litestar,
        pool: Pool,
        client: httpx.AsyncClient,
        keyring: Keyring,
        watch: Watch,
    ) -> None:
        self.app = app
        self.pool = pool
        self.client = client
        self.keyring = keyring
        self.watch = watch

    async def caller(
        self,
        *,
        team: str = "Team",
        scopes: Sequence[str] = SCOPES,
        live: bool = False,
        **rest: Any,
    ) -> httpx.AsyncClient:
        """A client that sends a fresh key of this team."""
        made = await create_key(self.pool, team=team, name="test", scopes=scopes, live=live, **rest)
        return httpx.AsyncClient(
            transport=self.client._transport,
            base_url=self.client.base_url,
            headers={"Authorization": f"Bearer {made.key}"},
            event_hooks=self.client.event_hooks,
        )


def account_body(**changes: Any) -> dict[str, Any]:
    """A body that POST /ad_accounts takes."""
    body = {
        "name": "Client X",
        "platform_type": "META",
        "platform_account_id": "act_1000000001",
        "mode": "sandbox",
        "credentials": {"access_token": TOKEN, "page_id": "1000000002"},
    }
    return {**body, **changes}


async def add_account(caller: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """An account that exists."""
    answer = await caller.post("/api/v1/ad_accounts", json=account_body(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def add_job(caller: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A job that nobody has begun."""
    answer = await caller.post("/api/v1/ads/meta", json=meta_request(**changes))
    assert answer.status_code == 202, answer.text
    return answer.json()


async def count_jobs(api: Api) -> int:
    """Of all teams, in every status."""
    return await api.pool.fetchval("select count(*) from campaign_jobs")


async def posted(api: Api, url: str, key: bytes, message: dict[str, Any]) -> int:
    """The status that one message brings, without a client, which would leave garbage of its own."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return message

    async def send(answer: dict[str, Any]) -> None:
        sent.append(answer)

    scope = {
        "type": "http",
        "method": "POST",
        "path": url,
        "raw_path": url.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"api"),
            (b"authorization", key),
            (b"content-type", b"application/json"),
        ],
    }
    await api.app(scope, receive, send)  # pyright: ignore[reportArgumentType]  # plain dicts are what servers send
    return sent[0]["status"]


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    opened = await open_pool(database, size=5, name="test")
    yield opened
    await opened.close()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    path = tmp_path / "encryption-keys"
    path.write_text(new_key_line("test-1"))
    return Keyring.from_file(path)


@pytest.fixture
async def assets(tmp_path: Path) -> AsyncGenerator[Assets]:
    """Small files are kept below the test's folder, and loopback may be fetched from."""
    client = GuardedClient(allowed_private_targets=["127.0.0.0/8"])
    yield Assets(files=LocalAssetFiles(tmp_path / "assets"), client=client, max_bytes=200_000)
    await client.aclose()


@pytest.fixture
def meta_address() -> str:
    """Where sandbox accounts are served; nobody listens there unless a test says otherwise."""
    return "http://127.0.0.1:9/meta"


@pytest.fixture
async def verifier(keyring: Keyring, meta_address: str) -> AsyncGenerator[AccountVerifier]:
    meta = Meta(
        live_base_url=f"{meta_address}-live",
        live_video_base_url=f"{meta_address}-live",
        sandbox_base_url=meta_address,
        api_version="v26.0",
    )
    yield AccountVerifier({"META": meta}, keyring.open, live_seconds=30, sandbox_seconds=30)
    await meta.close()


@pytest.fixture
async def api(
    pool: Pool, keyring: Keyring, database: str, assets: Assets, verifier: AccountVerifier
) -> AsyncGenerator[Api]:
    watch = Watch(database, pool, asyncio.Event(), keys_seconds=0.2)
    async with (
        Notifier(database) as notifier,
        JobWrites(database) as job_writes,
        watch.running(),
    ):
        app = create_app(
            pool=pool,
            keyring=keyring,
            notifier=notifier,
            job_writes=job_writes,
            readiness=ServerReadiness(pool),
            assets=assets,
            verifier=verifier,
            watch=watch,
        )
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
        hooks = {"response": [Documented(transport)]}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://api", event_hooks=hooks
        ) as client:
            yield Api(app, pool, client, keyring, watch)


@pytest.fixture
async def caller(api: Api) -> httpx.AsyncClient:
    """A client with a test key that may do everything."""
    return await api.caller()


@pytest.fixture
async def job(caller: httpx.AsyncClient) -> dict[str, Any]:
    """The caller's first one, of its first account."""
    await add_account(caller)
    return await add_job(caller)


@pytest.fixture
async def listener(database: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()

"""The whole house: API, workers and sandbox, as they run in an installation."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from common.keyring import new_key_line
from config.settings import Settings
from models.api_keys import create_key
from models.database import Pool
from models.gen import workers
from mojito.api_wiring import open_app
from mojito.pools import opened_pool
from mojito.wiring import open_worker
from tests.clear import CLEAR
from tests.house.receiver import Receiver
from workers.runner import Worker

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180.0
BUSY = 503
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'cmd'}:{ROOT}"}


async def until[T](ask: Callable[[], Awaitable[T]], seconds: float = PATIENCE_SECONDS) -> T:
    """Asks until the answer is true; fails loudly when that takes too long."""
    async with asyncio.timeout(seconds):
        while not (answer := await ask()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.03)
    return answer


def holds[T](look: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """For `until`, where there is nothing to await."""

    async def ask() -> T:
        return look()

    return ask


class Sandbox:
    """A sandbox process, seen through its control plane."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def call(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._client.request(method, f"{self.url}/_sandbox{path}", **options)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def objects(self, account: str, kind: str | None = None) -> list[dict[str, Any]]:
        params = {"account": account, **({} if kind is None else {"kind": kind})}
        return (await self.call("GET", "/objects", params=params))["data"]

    async def calls(self, after: int = 0) -> list[dict[str, Any]]:
        return (await self.call("GET", "/calls", params={"after": after}))["data"]

    async def fault(self, fault: str, path: str | None = None, **rest: Any) -> None:
        match = {"method": rest.pop("method", "POST"), **({} if path is None else {"path": path})}
        await self.call("POST", "/faults", json={"fault": fault, "match": match, **rest})

    async def faults(self) -> list[dict[str, Any]]:
        return (await self.call("GET", "/faults"))["data"]

    async def advance(self, seconds: float) -> None:
        await self.call("POST", "/clock", json={"advance_seconds": seconds})

    async def account(self, **options: Any) -> dict[str, Any]:
        return await self.call("POST", "/accounts", json={"platform": "META", **options})

    async def token(self, account: str) -> str:
        made = await self.call("POST", f"/accounts/{account}/token", json={"revoke_old": True})
        return made["access_token"]


@pytest.fixture(scope="session")
def sandbox_address() -> Generator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = None
    while found is None:
        line = process.stdout.readline()
        assert line, "the sandbox ended while starting"
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
    yield found[0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    process.stdout.close()


@pytest.fixture
async def sandbox(sandbox_address: str) -> AsyncGenerator[Sandbox]:
    async with httpx.AsyncClient(trust_env=False, timeout=60, verify=CLEAR) as client:
        sandbox = Sandbox(sandbox_address, client)
        await sandbox.call("POST", "/reset")
        yield sandbox


class Patient(httpx.ASGITransport):
    """Repeats what was refused because the database was busy, as callers are told to: so is the machine."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await super().handle_async_request(request)
                if answer.status_code != BUSY or b'"database_busy"' not in await answer.aread():
                    return answer


class House:
    """One team's client, an account on the sandbox, and ways to run workers."""

    def __init__(
        self, settings: Settings, pool: Pool, sandbox: Sandbox, client: httpx.AsyncClient
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.sandbox = sandbox
        self.client = client
        self.account: dict[str, Any] = {}
        self.account_id = ""
        self.assets: dict[str, str] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    async def move_in(self) -> None:
        self.account = await self.sandbox.account()
        self.account_id = await self.add(self.account)
        for kind, name in (("image", "hero.png"), ("video", "clip.mp4")):
            content = (ROOT / "examples" / name).read_bytes()
            answer = await self.client.post("/assets", files={"file": (name, content)})
            assert answer.status_code == 201, answer.text
            self.assets[kind] = answer.json()["id"]

    async def add(self, account: dict[str, Any], **changes: Any) -> str:
        """Registers an account of the sandbox."""
        credentials = {"access_token": account["access_token"], "page_id": account["page_id"]}
        body = {
            "name": "test",
            "platform_type": "META",
            "platform_account_id": account["id"],
            "mode": "sandbox",
            "credentials": credentials,
            **changes,
        }
        answer = await self.client.post("/ad_accounts", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def submit(self, body: dict[str, Any]) -> str:
        answer = await self.client.post("/ads/meta", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()["campaign_job_id"]

    async def job(self, job_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/campaign_jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def finished(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        async def ask() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if job["status"] not in ("PENDING", "PROCESSING") else None

        found = await until(ask, seconds)
        assert found is not None
        return found

    async def waiting(self, job_id: str, reason: str) -> dict[str, Any]:
        async def ask() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if job["waiting"] and job["waiting"]["reason"] == reason else None

        found = await until(ask)
        assert found is not None
        return found

    @contextlib.asynccontextmanager
    async def working(self, **changes: Any) -> AsyncGenerator[Worker]:
        """A worker in this process, drained at the end."""
        settings = msgspec.structs.replace(self.settings, **changes)
        async with open_worker(settings) as worker:
            task = asyncio.create_task(worker.run())
            await worker.started.wait()
            try:
                yield worker
            finally:
                worker.stop()
                await task

    def process(
        self, *command: str, worker_id: str | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        """A worker process of its own."""
        own = {"MOJITO_WORKER_ID": worker_id or str(uuid4()), **variables}
        environment = {**self.environment(), **own}
        self._processes.append(subprocess.Popen([sys.executable, *command], env=environment))
        return self._processes[-1]

    def leave(self) -> None:
        """Ends whatever a test that failed has left running: it would slow the others down."""
        for process in self._processes:
            process.kill()
            process.wait()

    def environment(self) -> dict[str, str]:
        """What worker processes need to know."""
        return {
            **ENVIRONMENT,
            "MOJITO_DATABASE_URL": str(self.settings.database_url),
            "MOJITO_DATA_DIR": str(self.settings.data_dir),
            "MOJITO_SANDBOX_URL": self.sandbox.url,
            "MOJITO_ALLOWED_PRIVATE_TARGETS": ",".join(self.settings.allowed_private_targets),
            "MOJITO_LOG_LEVEL": "error",
        }

    async def free(self, worker_id: str) -> None:
        """What `mojito up` does when it has seen a worker die."""
        await workers.release_worker_jobs(self.pool, worker_id=worker_id)  # pyright: ignore[reportArgumentType]  # text of a UUID

    def request(self, **options: Any) -> dict[str, Any]:
        return meta_request(self, **options)


def meta_request(
    house: House, *, name: str = "Spring sale", ads: int = 1, video: bool = False, **changes: Any
) -> dict[str, Any]:
    """A link ad with an image, or with a video; more ads are alike but for their names and texts."""
    page = house.account["page_id"]

    def creative(number: int) -> dict[str, Any]:
        shown = {"type": "video", "video": "clip"} if video else {"type": "link", "image": "hero"}
        return {
            **shown,
            "page_id": page,
            "link": "https://example.com/offer",
            "message": f"Offer {number}",
            "call_to_action": "LEARN_MORE",
        }

    ad_set = {
        "name": "US",
        "daily_budget": 5000,
        "optimization_goal": "LINK_CLICKS",
        "billing_event": "IMPRESSIONS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "targeting": {"geo_locations": {"countries": ["US"]}, "advantage_audience": False},
        "ads": [{"name": f"Ad {n}", "creative": creative(n)} for n in range(ads)],
    }
    media = (
        {"clip": {"asset_id": house.assets["video"]}}
        if video
        else {"hero": {"asset_id": house.assets["image"]}}
    )
    return {
        "ad_account_id": house.account_id,
        "campaign": {"name": name, "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []},
        "ad_sets": [ad_set],
        "media": media,
        **changes,
    }


@pytest.fixture
async def house(database: str, sandbox: Sandbox, tmp_path: Path) -> AsyncGenerator[House]:
    (tmp_path / "encryption-keys").write_text(new_key_line("test-1"))
    settings = Settings(
        database_url=database,
        data_dir=tmp_path,
        sandbox_url=sandbox.url,
        allowed_private_targets=("127.0.0.0/8",),
        poll_seconds=0.2,
    )
    async with opened_pool(settings, "test") as pool, open_app(settings) as app:
        made = await create_key(pool, team="house", name="test")
        async with httpx.AsyncClient(
            transport=Patient(app=app),  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
            base_url="http://api/api/v1",
            headers={"Authorization": f"Bearer {made.key}"},
        ) as client:
            house = House(settings, pool, sandbox, client)
            await house.move_in()
            yield house
            house.leave()


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    """A caller's server."""
    async with Receiver().open() as receiver:
        yield receiver

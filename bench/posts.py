"""POST /ads/meta over real HTTP, one process, beside a bare insert of the same rows and another framework."""

import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from bench.ground import Ground
from bench.processor import is_told, microseconds_between, spent
from bench.programs import ENVIRONMENT, ROOT, installation
from bench.request import REQUEST
from bench.table import QUICK, Line, medians, show
from common.uuid7 import uuid7
from models.api_keys import create_key
from models.gen import campaign_jobs

WARM_UP, POSTS, AT_A_TIME = 200, 2000, 16
LIMITS = (
    "RATE_LIMIT_KEY_PER_SECOND",
    "RATE_LIMIT_TEAM_PER_SECOND",
    "MAX_OPEN_JOBS_PER_ACCOUNT",
    "MAX_OPEN_JOBS_PER_TEAM",
)
ACCOUNT = {
    "name": "bench",
    "platform_type": "META",
    "platform_account_id": "act_99",
    "mode": "sandbox",
    "credentials": {"access_token": "bench"},
}


class Api(NamedTuple):
    """A process that takes requests, and what a caller needs."""

    url: str
    key: str
    account: str
    process_id: int

    @property
    def body(self) -> str:
        """A request for this account."""
        return json.dumps({**REQUEST, "ad_account_id": self.account})


async def posts(ground: Ground, repeats: int, peers: Path | None) -> None:
    """Accepted per second: full validation, auth, one durable transaction for each."""
    await ground.clear()
    await _what_limits_cost(ground, repeats)
    name = "POST /ads/meta accepted per second"
    async with _api(ground) as api:
        ours = partial(_accepted, ground, api)
        mine, limit = await medians(QUICK * repeats, ours, partial(_bare, ground, api))
        show(Line(name, mine, "bare asyncpg insert", limit, 0.5))
        if peers is None:
            return
        async with _fastapi(ground, peers) as other:

            async def theirs() -> float:
                return await _load(ground, f"{other.url}/ads/meta", other.key, other.body)

            mine, rate = await medians(QUICK * repeats, ours, theirs)
            show(Line(name, mine, "FastAPI, pydantic, SQLAlchemy; keys kept", rate, 6.0))


async def _what_limits_cost(ground: Ground, repeats: int) -> None:
    """Two processes of ours side by side, one without any limit. In processor time, as their rates lie
    closer to each other than two turns of one of them."""
    if not is_told():
        return
    none = {f"MOJITO_{name}": "0" for name in LIMITS}
    async with _api(ground) as limited, _api(ground, **none) as unlimited:

        async def cost(api: Api) -> float:
            before = await spent(ground, [api.process_id])
            await _accepted(ground, api)
            after = await spent(ground, [api.process_id])
            return microseconds_between(before, after) / (WARM_UP + POSTS)

        mine, free = await medians(
            QUICK * repeats, partial(cost, limited), partial(cost, unlimited)
        )
    name = "processor time of a POST, limits on, µs"
    show(Line(name, mine, "limits off", free, 1.05, more=False))


async def _accepted(ground: Ground, api: Api) -> float:
    """By ours, with a key of its own: what another one may ask at once has not grown back."""
    made = await create_key(ground.pool, team="bench", name="bench")
    return await _load(ground, f"{api.url}/api/v1/ads/meta", made.key, api.body)


async def _load(ground: Ground, url: str, key: str, body: str) -> float:
    """Requests per second as the load generator counts them, after a warm-up."""
    await ground.settle()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(body)
        file.flush()
        for requests in (WARM_UP, POSTS):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "bench/load.py", "--url", url, "--body-file", file.name),
                *("--header", f"Authorization: Bearer {key}", "--requests", str(requests)),
                *("--connections", str(AT_A_TIME)),
                cwd=ROOT,
                env=ENVIRONMENT,
                stdout=asyncio.subprocess.PIPE,
            )
            told, _ = await process.communicate()
            if process.returncode != 0:
                raise RuntimeError(f"the load generator refused: {told.decode()}")
    return float(json.loads(told)["requests_per_second"])


async def _bare(ground: Ground, api: Api) -> float:
    """The statement alone, as fast as sixteen connections can."""
    await ground.settle()
    updated_at = await ground.pool.fetchval(
        "select updated_at from ad_accounts where id = $1", api.account
    )
    body = api.body

    async def insert(times: int) -> None:
        for _ in range(times):
            await campaign_jobs.create_campaign_job(
                ground.pool,
                id=uuid7(),
                kind="BUILD_CAMPAIGN",
                ad_account_id=api.account,  # pyright: ignore[reportArgumentType]  # text of a UUID
                account_updated_at=updated_at,
                platform_type="META",
                mode="sandbox",
                payload=body,
                steps_total=5,
                lane=2,
            )

    began = time.perf_counter()
    await asyncio.gather(*(insert(POSTS // AT_A_TIME) for _ in range(AT_A_TIME)))
    return POSTS / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def _api(ground: Ground, **more: str) -> AsyncGenerator[Api]:
    """One API process of ours."""
    made = await create_key(ground.pool, team="bench", name="bench")
    with installation() as folder:
        settings = {
            "MOJITO_DATABASE_URL": ground.url,
            "MOJITO_DATA_DIR": folder,
            "MOJITO_LOG_LEVEL": "warning",
            "MOJITO_DATABASE_POOL_SIZE": str(AT_A_TIME),
            **more,
        }
        async with running("serve", settings) as (url, process_id):
            headers = {"Authorization": f"Bearer {made.key}"}
            async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
                account = {**ACCOUNT, "platform_account_id": f"act_{uuid7().int % 10**15}"}
                answer = await client.post(f"{url}/api/v1/ad_accounts", json=account)
            yield Api(url, made.key, answer.json()["id"], process_id)


@contextlib.asynccontextmanager
async def _fastapi(ground: Ground, python: Path) -> AsyncGenerator[Api]:
    process = await asyncio.create_subprocess_exec(
        *(
            str(python),
            "bench/peers/fastapi_app.py",
            ground.url,
            "--port",
            str(port := free_port()),
        ),
        *("--remember-keys", "30"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(await process.stdout.readline())
        await listening(port)
        key, account = map(str, told.values())
        yield Api(f"http://127.0.0.1:{port}", key, account, process.pid)
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def running(command: str, settings: dict[str, str]) -> AsyncGenerator[tuple[str, int]]:
    """A command of ours as a process: its address, if it has one, and its id."""
    port = free_port()
    name = "MOJITO_SANDBOX_PORT" if command == "sandbox" else "MOJITO_PORT"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mojito", command),
        cwd=ROOT,
        env={**ENVIRONMENT, name: str(port), **settings},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        if command != "work":
            await listening(port)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Returns when somebody does."""
    for _ in range(400):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"nobody listens on {port}")


def free_port() -> int:
    """One that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

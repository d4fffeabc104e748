"""POST /ads/meta over real HTTP, one process, beside a bare insert of the same rows and another framework."""

import asyncio
import contextlib
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx

from bench.ground import Ground
from bench.programs import ENVIRONMENT, ROOT, installation
from bench.request import REQUEST
from bench.table import QUICK, Line, medians, show
from common.uuid7 import uuid7
from models.api_keys import create_key
from models.gen import campaign_jobs

POSTS, AT_A_TIME = 4000, 16
POSTS_WITHIN_LIMITS = 2000
"""A turn beside limits: more would use up what a key may ask at once before it grows back."""
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


async def posts(ground: Ground, repeats: int, peers: Path | None) -> None:
    """Accepted per second: full validation, auth, one durable transaction for each."""
    await _what_limits_cost(ground, repeats)
    async with _api(ground) as (url, key, account):
        body = json.dumps({**REQUEST, "ad_account_id": account})

        async def ours() -> float:
            return await _load(f"{url}/api/v1/ads/meta", key, body)

        async def bare() -> float:
            return await _bare(ground, account, body)

        if peers is None:
            mine, limit = await medians(repeats, ours, bare)
        else:
            async with _fastapi(ground, peers) as (their_url, their_key, their_account):
                their_body = json.dumps({**REQUEST, "ad_account_id": their_account})

                async def theirs() -> float:
                    return await _load(f"{their_url}/ads/meta", their_key, their_body)

                mine, limit, other = await medians(repeats, ours, bare, theirs)
                name = "FastAPI, pydantic, SQLAlchemy; keys kept"
                show(Line("POST /ads/meta accepted per second", mine, name, other, 6.0))
        show(Line("POST /ads/meta accepted per second", mine, "bare asyncpg insert", limit, 0.5))


async def _what_limits_cost(ground: Ground, repeats: int) -> None:
    """The same process with its limits and without any, both at work side by side."""
    none = {f"MOJITO_{name}": "0" for name in LIMITS}
    async with _api(ground) as limited, _api(ground, **none) as unlimited:

        async def accepted(url: str, key: str, account: str) -> float:
            body = json.dumps({**REQUEST, "ad_account_id": account})
            return await _load(f"{url}/api/v1/ads/meta", key, body, POSTS_WITHIN_LIMITS)

        mine, free = await medians(
            QUICK * repeats, lambda: accepted(*limited), lambda: accepted(*unlimited)
        )
    show(Line("POST /ads/meta accepted per second, limits on", mine, "limits off", free, 0.95))


async def _load(url: str, key: str, body: str, posts: int = POSTS) -> float:
    """Requests per second as the load generator counts them, after a warm-up."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(body)
        file.flush()
        for requests in (200, posts):
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


async def _bare(ground: Ground, account: str, body: str) -> float:
    """The statement alone, as fast as sixteen connections can."""
    updated_at = await ground.pool.fetchval(
        "select updated_at from ad_accounts where id = $1", account
    )

    async def insert(times: int) -> None:
        for _ in range(times):
            await campaign_jobs.create_campaign_job(
                ground.pool,
                id=uuid7(),
                kind="BUILD_CAMPAIGN",
                ad_account_id=account,  # pyright: ignore[reportArgumentType]  # text of a UUID
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
async def _api(ground: Ground, **more: str) -> AsyncGenerator[tuple[str, str, str]]:
    """One API process of ours: its address, a key, and an account."""
    made = await create_key(ground.pool, team="bench", name="bench")
    with installation() as folder:
        settings = {
            "MOJITO_DATABASE_URL": ground.url,
            "MOJITO_DATA_DIR": folder,
            "MOJITO_LOG_LEVEL": "warning",
            "MOJITO_DATABASE_POOL_SIZE": str(AT_A_TIME),
            **more,
        }
        async with running("serve", settings) as url:
            headers = {"Authorization": f"Bearer {made.key}"}
            async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
                account = {**ACCOUNT, "platform_account_id": f"act_{uuid7().int % 10**15}"}
                answer = await client.post(f"{url}/api/v1/ad_accounts", json=account)
            yield url, made.key, answer.json()["id"]


@contextlib.asynccontextmanager
async def _fastapi(ground: Ground, python: Path) -> AsyncGenerator[tuple[str, str, str]]:
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
        yield f"http://127.0.0.1:{port}", *(str(value) for value in told.values())  # pyright: ignore[reportReturnType]  # key and account
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def running(command: str, settings: dict[str, str]) -> AsyncGenerator[str]:
    """A command of ours as a process, and its address if it has one."""
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
        yield f"http://127.0.0.1:{port}"
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

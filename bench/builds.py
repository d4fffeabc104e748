"""A whole campaign against the sandbox when each call takes 100 ms, beside its longest chain of calls."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.ground import Ground
from bench.posts import running
from bench.programs import installation
from bench.request import REQUEST
from bench.table import QUICK, Line, medians, show
from models.api_keys import create_key

CALL_SECONDS = 0.1
CHAIN = 3
"""Campaign, ad set, ad; or image, creative, ad: what waits for something else."""
IMAGE = Path(__file__).parents[1] / "examples" / "hero.png"


async def builds(ground: Ground, repeats: int) -> None:
    """One ad, and eight in four ad sets; from the moment a worker has the job until its end is written."""
    async with _installation(ground) as (client, account, image):

        async def built(ad_sets: int, ads: int) -> float:
            return await _built(ground, client, account, image, ad_sets, ads) * 1000

        one, many = await medians(QUICK * repeats, partial(built, 1, 1), partial(built, 4, 2))
        beside, limit = f"{CHAIN} dependent calls", CHAIN * CALL_SECONDS * 1000
        name = "100 ms per call, ms"
        show(Line(f"a campaign of 1 ad, {name}", one, beside, limit, 1.15, more=False))
        show(Line(f"a campaign of 4 ad sets, 8 ads, {name}", many, beside, limit, 1.15, more=False))


async def _built(
    ground: Ground,
    client: httpx.AsyncClient,
    account: Any,
    image: str,
    ad_sets: int,
    ads_each: int,
) -> float:
    ad = REQUEST["ad_sets"][0]["ads"][0]
    creative = {**ad["creative"], "page_id": account["page_id"]}
    ads = [
        {"name": f"Ad {n}", "creative": {**creative, "message": f"Offer {n}"}}
        for n in range(ads_each)
    ]
    body = {
        **REQUEST,
        "platform_account_id": account["id"],
        "ad_sets": [
            {**REQUEST["ad_sets"][0], "name": f"Set {n}", "ads": ads} for n in range(ad_sets)
        ],
        "media": {"hero": {"asset_id": image}},
    }
    answer = await client.post("/api/v1/ads/meta", json=body)
    job_id = answer.json()["campaign_job_id"]
    while True:
        (row,) = await ground.pool.fetch(
            "select status, extract(epoch from finished_at - started_at) as took "
            "from campaign_jobs where id = $1",
            job_id,
        )
        if row["status"] == "SUCCESS":
            return float(row["took"])
        if row["status"] not in ("PENDING", "PROCESSING"):
            raise RuntimeError(f"the build ended {row['status']}")
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def _installation(
    ground: Ground,
) -> AsyncGenerator[tuple[httpx.AsyncClient, dict[str, Any], str]]:
    """Sandbox, API and worker as processes; an account, and an image as an asset."""
    await ground.clear()
    made = await create_key(ground.pool, team="bench", name="bench")
    with installation() as folder:
        async with _sandbox(folder) as sandbox:
            settings = {
                "MOJITO_DATABASE_URL": ground.url,
                "MOJITO_DATA_DIR": folder,
                "MOJITO_SANDBOX_URL": sandbox,
                "MOJITO_LOG_LEVEL": "warning",
            }
            async with running("serve", settings) as (url, _), running("work", settings):
                client = httpx.AsyncClient(
                    base_url=url,
                    headers={"Authorization": f"Bearer {made.key}"},
                    trust_env=False,
                    timeout=30,
                )
                async with client:
                    account = await _account(client, sandbox)
                    answer = await client.post(
                        "/api/v1/assets", files={"file": ("hero.png", IMAGE.read_bytes())}
                    )
                    yield client, account, answer.json()["id"]


async def _account(client: httpx.AsyncClient, sandbox: str) -> dict[str, Any]:
    wanted = {"platform": "META", "tier": "unlimited"}
    account = (await client.post(f"{sandbox}/_sandbox/accounts", json=wanted)).json()
    body = {
        "name": "bench",
        "platform_type": "META",
        "platform_account_id": account["id"],
        "mode": "sandbox",
        "credentials": {"access_token": account["access_token"]},
    }
    answer = await client.post("/api/v1/ad_accounts", json=body)
    answer.raise_for_status()
    fault = {"fault": "slow", "seconds": CALL_SECONDS, "match": {}, "times": None}
    (await client.post(f"{sandbox}/_sandbox/faults", json=fault)).raise_for_status()
    return account


@contextlib.asynccontextmanager
async def _sandbox(folder: str) -> AsyncGenerator[str]:
    """With a memory of its own: the failures ordered by earlier runs would be looked at in each call."""
    async with running("sandbox", {"MOJITO_DATA_DIR": folder}) as (url, _):
        yield url

"""What a new installation gets: a key, an account on the sandbox, an image and a video to try things with."""

import asyncio
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import msgspec

from common.errors import ConfigurationError
from config.settings import Settings
from models.api_keys import create_key
from models.database import Pool
from mojito import ROOT
from mojito.installation import Installation, api_address, write_json, write_secret

TEAM = "development"
EXAMPLES = ROOT / "examples"
_PATIENCE_SECONDS = 60.0
SAMPLES = {"image": EXAMPLES / "hero.png", "video": EXAMPLES / "clip.mp4"}


async def ensure_key(pool: Pool, installation: Installation) -> str:
    """A test key, made on first start and kept."""
    key = installation.read_key()
    if key is not None and await _is_known(pool, key):
        return key
    made = await create_key(pool, team=TEAM, name="made by up")
    write_secret(installation.key_file, made.key + "\n")
    return made.key


async def _is_known(pool: Pool, key: str) -> bool:
    sql = (
        "select exists (select 1 from api_keys where key_hash = sha256($1) and revoked_at is null)"
    )
    return bool(await pool.fetchval(sql, key.encode()))


async def ensure_samples(
    settings: Settings, installation: Installation, key: str
) -> dict[str, Any]:
    """`dev-accounts.json`: through the API and the sandbox, as anybody would."""
    api = f"{api_address(settings.host, settings.port)}/api/v1"
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client:
        known = installation.read_json(installation.accounts_file)
        if isinstance(known, dict) and await _still_there(client, api, known):
            return known
        account = await _sandbox_account(settings)
        written = {
            "META": {
                "ad_account_id": await _account(client, api, account),
                "platform_account_id": account["id"],
                "access_token": account["access_token"],
                "page_id": account["page_id"],
            },
            "assets": {kind: await _asset(client, api, path) for kind, path in SAMPLES.items()},
        }
    write_json(installation.accounts_file, written)
    return written


async def _still_there(client: httpx.AsyncClient, api: str, known: dict[str, Any]) -> bool:
    try:
        paths = [
            f"/ad_accounts/{known['META']['ad_account_id']}",
            f"/assets/{known['assets']['image']}",
            f"/assets/{known['assets']['video']}",
        ]
    except (KeyError, TypeError):
        return False
    answers = [await _asked(client, "GET", api + path) for path in paths]
    return all(answer.status_code == 200 for answer in answers)


async def _sandbox_account(settings: Settings) -> dict[str, str]:
    """The ready-made account, with its token."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        answer = await client.get(f"{settings.sandbox_address}/_sandbox/accounts")
    _ensure(answer, 200)
    return next(a for a in answer.json()["data"] if a["platform"] == "META")


async def _account(client: httpx.AsyncClient, api: str, account: dict[str, str]) -> str:
    body = {
        "name": "Sandbox (Meta)",
        "platform_type": "META",
        "platform_account_id": account["id"],
        "mode": "sandbox",
        "credentials": {"access_token": account["access_token"], "page_id": account["page_id"]},
    }
    answer = await _asked(client, "POST", f"{api}/ad_accounts", json=body)
    if answer.status_code == 409:
        return await _renewed(client, api, body)
    _ensure(answer, 201)
    return answer.json()["id"]


async def _renewed(client: httpx.AsyncClient, api: str, body: dict[str, Any]) -> str:
    """The account is held already; the sandbox may have given it another token since."""
    account_id = await _held(client, api, body["platform_account_id"])
    kept = {name: body[name] for name in ("name", "credentials")}
    answer = await _asked(client, "PUT", f"{api}/ad_accounts/{account_id}", json=kept)
    _ensure(answer, 200)
    return account_id


async def _held(client: httpx.AsyncClient, api: str, wanted: str) -> str:
    """Ours of that id of the platform's, however many there are."""
    params: dict[str, Any] = {"limit": 200}
    while True:
        listing = await _asked(client, "GET", f"{api}/ad_accounts", params=params)
        _ensure(listing, 200)
        page = listing.json()
        for account in page["data"]:
            if account["platform_account_id"] == wanted:
                return account["id"]
        if page["next_cursor"] is None:
            raise ConfigurationError(f"the team {TEAM} holds {wanted} as a live account; remove it")
        params["cursor"] = page["next_cursor"]


async def _asset(client: httpx.AsyncClient, api: str, path: Path) -> str:
    content = await asyncio.to_thread(path.read_bytes)
    answer = await _asked(client, "POST", f"{api}/assets", files={"file": (path.name, content)})
    _ensure(answer, 201)
    return answer.json()["id"]


async def _asked(
    client: httpx.AsyncClient, method: str, url: str, **options: Any
) -> httpx.Response:
    """Again and again while the API says that it is busy: a machine that starts everything at once may be."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = await client.request(method, url, **options)
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > until:
            return answer
        await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))


def _ensure(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise ConfigurationError(
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: "
            f"{answer.text[:500]}"
        )


def example_request(written: dict[str, Any]) -> bytes:
    """A request that works on this installation, for the `curl` line."""
    meta, assets = written["META"], written["assets"]
    creative = {
        "type": "link",
        "page_id": meta["page_id"],
        "link": "https://example.com/offer",
        "message": "50 % off",
        "call_to_action": "LEARN_MORE",
        "image": "hero",
    }
    ad_set = {
        "name": "US 25-45",
        "daily_budget": 5000,
        "optimization_goal": "LINK_CLICKS",
        "billing_event": "IMPRESSIONS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "targeting": {
            "geo_locations": {"countries": ["US"]},
            "age_min": 25,
            "age_max": 45,
            "advantage_audience": False,
        },
        "ads": [{"name": "Hero", "creative": creative}],
    }
    campaign = {"name": "Spring sale", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []}
    return msgspec.json.encode(
        {
            "ad_account_id": meta["ad_account_id"],
            "campaign": campaign,
            "ad_sets": [ad_set],
            "media": {"hero": {"asset_id": assets["image"]}},
        }
    )

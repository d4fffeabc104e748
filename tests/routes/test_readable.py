"""Monitors that send HEAD hear the same as those that send GET, without the body."""

from pathlib import Path

import httpx
import pytest

from tests.routes.conftest import Api, add_account, add_job
from tests.routes.streaming import PATIENCE_SECONDS, served
from tests.routes.test_assets import send as send_asset

PATHS = ("/", "/livez", "/readyz", "/docs", "/docs/docs.js", "/api/v1/openapi.json", "/metrics")


async def test_open_routes_answer_head_as_they_answer_get(api: Api):
    options = {"trust_env": False, "timeout": PATIENCE_SECONDS}

    async with served(api) as live, httpx.AsyncClient(base_url=live.url, **options) as client:
        for path in PATHS:
            asked, read = await client.head(path), await client.get(path)

            assert (asked.status_code, asked.content) == (200, b""), path
            assert asked.headers["content-type"] == read.headers["content-type"]
            assert read.content


async def test_what_a_key_reads_answers_head_as_it_answers_get(api: Api, caller: httpx.AsyncClient):
    account = await add_account(caller)
    job = await add_job(caller)
    asset = await send_asset(caller)
    paths = [
        "/me",
        "/ad_accounts",
        f"/ad_accounts/{account['id']}",
        "/campaign_jobs?limit=1",
        f"/campaign_jobs/{job['id']}",
        "/assets",
        f"/assets/{asset['id']}",
        f"/assets/{asset['id']}/content",
        "/webhook_endpoints",
    ]

    async with served(api) as live, live.client(caller) as client:
        for path in paths:
            asked = await client.head(f"/api/v1{path}")
            read = await client.get(f"/api/v1{path}")

            assert (asked.status_code, asked.content) == (200, b""), path
            assert read.content
            for name in ("content-type", "content-length", "etag", "link"):
                assert asked.headers.get(name) == read.headers.get(name), (path, name)
        missing = await client.head("/api/v1/campaign_jobs/0")
        stream = await client.head("/api/v1/events")

    assert (missing.status_code, missing.content) == (404, b"")
    assert stream.status_code == 405
    assert "HEAD" not in stream.headers["allow"]


async def test_a_file_that_is_not_kept_any_more_is_missing_for_head_too(
    caller: httpx.AsyncClient, tmp_path: Path
):
    asset = await send_asset(caller)
    (file,) = (tmp_path / "assets").rglob(asset["sha256"])
    file.unlink()

    answer = await caller.head(f"/api/v1/assets/{asset['id']}/content")

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/livez", "/docs"])
async def test_other_methods_are_refused_with_those_that_are_known(api: Api, path):
    answer = await api.client.post(path)

    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))

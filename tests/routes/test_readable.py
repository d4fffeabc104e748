"""Monitors that send HEAD hear the same as those that send GET, without the body."""

import httpx
import pytest

from tests.routes.conftest import Api
from tests.routes.streaming import served

PATHS = ("/", "/livez", "/readyz", "/docs", "/docs/docs.js", "/api/v1/openapi.json", "/metrics")


async def test_open_routes_answer_head_as_they_answer_get(api: Api):
    async with served(api) as live, httpx.AsyncClient(base_url=live.url, trust_env=False) as client:
        for path in PATHS:
            asked, read = await client.head(path), await client.get(path)

            assert (asked.status_code, asked.content) == (200, b""), path
            assert asked.headers["content-type"] == read.headers["content-type"]
            assert read.content


@pytest.mark.parametrize("path", ["/livez", "/docs"])
async def test_other_methods_are_refused_with_those_that_are_known(api: Api, path):
    answer = await api.client.post(path)

    assert answer.status_code == 405
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))

"""Requests that name an address instead of sending a file, and are refused."""

from typing import Any

import httpx
import pytest

from tests.common.loopback import loopback, with_body

ASSETS = "/api/v1/assets"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": 7}, "/url"),
        ({"url": "ftp://example.com/hero.png"}, "/url"),
        ({"url": "https://example.com/hero.png", "name": "hero"}, "/name"),
        ({"url": "https://example.com/\x00"}, "/url"),
        ([], ""),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    caller: httpx.AsyncClient, body: Any, pointer: str
):
    answer = await caller.post(ASSETS, json=body)

    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


async def test_a_body_that_is_not_json_is_refused(caller: httpx.AsyncClient):
    answer = await caller.post(ASSETS, content=b"{", headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")


async def test_json_is_no_way_around_the_limit_of_bodies(caller: httpx.AsyncClient):
    answer = await caller.post(ASSETS, json={"url": "https://example.com/" + "a" * 1024 * 1024})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("served", "code"),
    [
        (with_body(b"", "Location: https://example.com/", status="302 Found"), "media_redirected"),
        (with_body(b"", status="404 Not Found"), "media_status_404"),
        (with_body(b"x" * 200_001), "media_too_large"),
        (with_body(b"<html>"), "not_media"),
        (b"", "media_unreachable"),
    ],
)
async def test_what_an_address_does_wrong_is_told(
    caller: httpx.AsyncClient, served: bytes, code: str
):
    async with loopback(served) as server:
        answer = await caller.post(ASSETS, json={"url": f"http://127.0.0.1:{server.port}/a.png"})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/url", code)]


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/a.png", "https://[::1]/a.png", "http://93.184.216.34/a.png"]
)
async def test_a_private_or_plain_address_is_refused(caller: httpx.AsyncClient, url: str):
    answer = await caller.post(ASSETS, json={"url": url})

    assert (answer.status_code, answer.json()["code"]) == (422, "media_address_refused")

"""Addresses and methods that the document does not name: refused in the same form, never with a failure."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from middleware.problems import MEDIA_TYPE
from tests.fuzz.nasty import TEXTS
from tests.fuzz.target import Target
from tests.fuzz.wire import Answer, Request, send

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
PREFIXES = ["/", "/api/v1/", "/api/v1/ad_accounts/x/", "/docs/", "/api/v1/assets/x/content/"]
KNOWN = ["/api/v1/ad_accounts", "/api/v1/ads/meta", "/api/v1/openapi.json", "/livez", "/docs", "/"]
UNUSUAL = [
    "//",
    "/api//v1",
    "/api/v1/../v1",
    "/%2e%2e/%2e%2e",
    "/%00",
    "/%ff%fe",
    "/%zz",
    "/?%00=%ff",
]
UNUSUAL += [
    "/api/v1/ad_accounts%2F",
    "/api/v1/ad_accounts/",
    "/livez/",
    "/" + "a" * 20_000,
    "/" * 500,
]


def requests() -> list[Request]:
    odd = [prefix + quote(text, safe="", errors="replace") for prefix in PREFIXES for text in TEXTS]
    addresses = [(method, path) for method in METHODS for path in [*KNOWN, *UNUSUAL]]
    addresses += [(METHODS[number % len(METHODS)], path) for number, path in enumerate(odd)]
    return [
        Request(method, path, [], b"")
        for method, path in addresses
        if (method, path) != ("GET", "/")
    ]


def wrong(request: Request, answer: Answer) -> list[str]:
    """What is wrong with the answer."""
    headers = {name.lower(): value for name, value in answer.headers}
    found = [f"status {answer.status}"] if answer.status >= 500 else []
    if answer.status >= 400 and headers.get("content-type") != MEDIA_TYPE:
        found.append(f"a refusal is {headers.get('content-type')!r}")
    if answer.status == 405 and "allow" not in headers:
        found.append("no Allow")
    return [f"{request.method} {request.path[:80]}: {what}" for what in found]


async def test_what_is_not_documented_is_refused_in_the_same_form(target: Target, log: Path):
    def ask() -> list[str]:
        return [
            complaint
            for authorization in (None, f"Bearer {target.keys.good}")
            for request in requests()
            for complaint in wrong(request, send(request, target, authorization))
        ]

    complaints = await asyncio.to_thread(ask)

    assert complaints == []
    assert b"request.failed" not in await asyncio.to_thread(log.read_bytes)

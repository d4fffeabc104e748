"""What accepting a request takes is free again as soon as it is answered."""

import gc
from typing import Any

import msgspec

from tests.routes.conftest import Api, add_account
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"
REQUESTS = 50


async def posted(api: Api, key: bytes, body: bytes) -> int:
    """The status, asked for without a client, which would leave garbage of its own."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", key), (b"content-type", b"application/json")],
    }
    await api.app(scope, receive, send)  # pyright: ignore[reportArgumentType]  # plain dicts are what servers send
    return sent[0]["status"]


async def test_accepted_requests_leave_nothing_to_the_collector_of_garbage(api: Api, caller):
    await add_account(caller)
    key = caller.headers["Authorization"].encode()
    body = msgspec.json.encode(meta_request())
    await posted(api, key, body)
    gc.collect()
    gc.disable()
    try:
        statuses = {await posted(api, key, body) for _ in range(REQUESTS)}
        left = gc.collect()
    finally:
        gc.enable()

    assert statuses == {202}
    assert left < REQUESTS

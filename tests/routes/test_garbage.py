"""What accepting a request takes is free again as soon as it is answered."""

import gc

import msgspec

from tests.routes.conftest import Api, add_account, posted
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"
REQUESTS = 50


async def test_accepted_requests_leave_nothing_to_the_collector_of_garbage(api: Api, caller):
    await add_account(caller)
    key = caller.headers["Authorization"].encode()
    body = msgspec.json.encode(meta_request())
    message = {"type": "http.request", "body": body, "more_body": False}
    await posted(api, URL, key, message)
    gc.collect()
    gc.disable()
    try:
        statuses = {await posted(api, URL, key, message) for _ in range(REQUESTS)}
        left = gc.collect()
    finally:
        gc.enable()

    assert statuses == {202}
    assert left < REQUESTS

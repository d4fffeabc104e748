"""However much is wrong with a request, so much of it is told, and finding it holds up nobody else."""

import pytest

from models.violation import MOST_TOLD
from tests.routes.conftest import account_body, add_account
from tests.routes.meta_requests import meta_request

MANY = 60_000


def with_ads(count):
    """Right in its types; each ad names a file that there is none of."""
    request = meta_request()
    (ad_set,) = request["ad_sets"]
    creative = {"type": "link", "page_id": "1", "link": "https://example.com/", "image": "none"}
    ads = [{"name": "A", "creative": creative}] * count
    return {**request, "ad_sets": [{**ad_set, "ads": ads}] * 100}


BODIES = {
    "unknown fields": ("ad_accounts", lambda: account_body(**{f"f{n}": 1 for n in range(MANY)})),
    "empty ad sets": ("ads/meta", lambda: {**meta_request(), "ad_sets": [{}] * MANY}),
    "wrong names of media": (
        "ads/meta",
        lambda: {**meta_request(), "media": {f"a b{n}": 1 for n in range(MANY)}},
    ),
    "wrong events": (
        "webhook_endpoints",
        lambda: {"url": "http://127.0.0.1:9/", "events": ["x"] * MANY},
    ),
    "NUL": (
        "ad_accounts",
        lambda: account_body(additional_config={"a": ["\x00"] * MANY}),
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_so_many_violations_are_told_and_no_more(caller, name):
    path, body = BODIES[name]

    answer = await caller.post(f"/api/v1/{path}", json=body())

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == MOST_TOLD
    assert answer.json()["detail"].startswith(f"{MOST_TOLD} things in the body or more are not")


async def test_of_parameters_a_hundred_are_told(caller):
    answer = await caller.get("/api/v1/campaign_jobs?" + "a=1&" * 5000)

    assert answer.status_code == 400
    assert len(answer.json()["errors"]) == 100


async def test_rules_tell_no_more_either(caller):
    await add_account(caller)

    few = await caller.post("/api/v1/ads/meta", json=with_ads(2))
    many = await caller.post("/api/v1/ads/meta", json=with_ads(20))

    assert (few.status_code, many.status_code) == (422, 422)
    assert 200 <= len(few.json()["errors"]) < MOST_TOLD
    assert len(many.json()["errors"]) == MOST_TOLD

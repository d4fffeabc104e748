"""A name that stands twice in one object is refused: nobody knows which of two budgets is meant."""

import json

import pytest

from tests.routes.conftest import account_body, add_account, count_jobs
from tests.routes.meta_requests import meta_request

JSON = {"Content-Type": "application/json"}


def twice(body: dict, name: str, value: str) -> bytes:
    """The body with another value of that name in front of the one it has."""
    text = json.dumps(body)
    return text.replace(f'"{name}":', f'"{name}": {value}, "{name}":', 1).encode()


@pytest.mark.parametrize("headers", [JSON, {**JSON, "Idempotency-Key": "twice"}])
@pytest.mark.parametrize(
    "name, value, pointer",
    [
        ("activate", "false", "/activate"),
        ("daily_budget", "1", "/ad_sets/0/daily_budget"),
        ("ad_sets", "[]", "/ad_sets"),
    ],
)
async def test_a_campaign_that_names_something_twice_is_refused(
    api, caller, name, value, pointer, headers
):
    await add_account(caller)
    body = twice(meta_request(activate=True), name, value)

    answer = await caller.post("/api/v1/ads/meta", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "repeated_field")
    assert await count_jobs(api) == 0


async def test_quotation_marks_and_colons_in_texts_are_no_names(caller):
    await add_account(caller)
    request = meta_request()
    request["campaign"]["name"] = 'He said "a": "a": and went'

    answer = await caller.post("/api/v1/ads/meta", json=request)

    assert answer.status_code == 202, answer.text


async def test_an_account_that_names_something_twice_is_refused(caller):
    body = twice(account_body(), "mode", '"live"')

    answer = await caller.post("/api/v1/ad_accounts", content=body, headers=JSON)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/mode"]

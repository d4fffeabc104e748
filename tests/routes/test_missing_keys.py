"""A process that lacks the key of a stored secret says so; its caller did nothing wrong."""

from uuid import UUID

import pytest

from common.keyring import Keyring
from tests.routes.conftest import add_account

HOOK = {"url": "http://127.0.0.1:9/hook", "events": ["job.*"]}


async def sealed_elsewhere(api, row_id):
    """As a process does that has read a newer file of keys."""
    elsewhere = Keyring({"newer": b"n" * 32})
    sealed = elsewhere.seal(b"{}", "ad_accounts", UUID(row_id), "credentials")
    await api.pool.execute(
        "update ad_accounts set credentials = $2, credentials_key_id = $3 where id = $1",
        row_id,
        *sealed,
    )


@pytest.fixture
async def opening(api, caller):
    """The requests that open a secret."""
    account = (await add_account(caller))["id"]
    endpoint = (await caller.post("/api/v1/webhook_endpoints", json=HOOK)).json()["id"]
    for row_id in (account, endpoint):
        await sealed_elsewhere(api, row_id)
    return (
        f"/api/v1/ad_accounts/{account}/verify",
        f"/api/v1/webhook_endpoints/{endpoint}/rotate_secret",
    )


async def test_a_secret_that_cannot_be_opened_here_is_asked_for_later(caller, opening):
    answers = [await caller.post(path) for path in opening]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "secret_not_opened")
        assert int(answer.headers["retry-after"]) >= 1
        assert "newer" not in answer.text

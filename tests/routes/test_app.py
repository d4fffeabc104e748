"""The application starts only with every key that stored secrets need, and guards every route."""

import pytest
from litestar.handlers import HTTPRouteHandler

from common.api_keys import SCOPES
from common.errors import ConfigurationError
from common.keyring import Keyring, new_key_line
from models.sealed import require_keys_in_use
from tests.routes.conftest import TOKEN, Api, account_body, add_account


async def test_a_missing_encryption_key_stops_the_program_with_its_name(api: Api, caller, tmp_path):
    await add_account(caller)
    path = tmp_path / "other-keys"
    path.write_text(new_key_line("another"))

    with pytest.raises(ConfigurationError, match="test-1"):
        await require_keys_in_use(api.pool, Keyring.from_file(path))

    await require_keys_in_use(api.pool, api.keyring)


async def test_another_key_under_the_id_of_the_lost_one_stops_the_program(
    api: Api, caller, tmp_path
):
    await add_account(caller)
    path = tmp_path / "other-keys"
    path.write_text(new_key_line("test-1"))

    with pytest.raises(ConfigurationError, match="another key under the id test-1"):
        await require_keys_in_use(api.pool, Keyring.from_file(path))


async def test_every_route_names_a_known_scope_or_says_that_it_is_open(api: Api):
    handlers = [
        handler
        for route in api.app.routes
        for handler in getattr(route, "route_handlers", [])
        if isinstance(handler, HTTPRouteHandler) and handler.http_methods != {"OPTIONS"}
    ]

    assert len(handlers) > 10
    for handler in handlers:
        assert handler.opt.get("open") or handler.opt["scope"] in (*SCOPES, None)


async def test_asking_for_the_options_of_a_route_needs_no_key(api: Api):
    answer = await api.client.options("/api/v1/ad_accounts")

    assert answer.status_code == 204


async def test_no_answer_and_no_row_but_the_sealed_one_holds_a_token(api: Api, caller):
    account = await add_account(caller)
    url = f"/api/v1/ad_accounts/{account['id']}"

    answers = [
        await caller.get(url),
        await caller.get("/api/v1/ad_accounts"),
        await caller.put(url, json={"credentials": {"access_token": TOKEN, "page_id": 1}}),
        await caller.post("/api/v1/ad_accounts", json=account_body(name=1)),
        await caller.post("/api/v1/ad_accounts", json=account_body()),
        await caller.get("/api/v1/openapi.json"),
    ]
    dump = [
        str([dict(row) for row in await api.pool.fetch(f"select * from {table}")])  # noqa: S608 - names written here
        for table in ("ad_accounts", "audit_log", "api_keys", "campaign_jobs", "job_events")
    ]

    assert all(TOKEN not in answer.text for answer in answers)
    assert all(TOKEN not in text for text in dump)
    assert all(caller.headers["Authorization"].split()[1] not in text for text in dump)

"""Every answer says which request it answers."""

import pytest
import structlog

from common.log import merge_ids
from tests.routes.conftest import Api


async def test_a_request_without_an_id_gets_one(api: Api):
    first, second = await api.client.get("/livez"), await api.client.get("/livez")

    assert len(first.headers["x-request-id"]) >= 16
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/livez", "/nowhere", "/api/v1/ad_accounts"])
async def test_a_usable_id_is_kept_also_in_refusals(api: Api, path):
    answer = await api.client.get(path, headers={"X-Request-Id": "order-66:a.b_c"})

    assert answer.headers.get_list("x-request-id") == ["order-66:a.b_c"]
    if answer.status_code >= 400:
        assert answer.json()["instance"] == "order-66:a.b_c"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", '"quoted"', "<script>"])
async def test_an_id_that_could_do_harm_is_replaced(api: Api, given):
    answer = await api.client.get("/livez", headers={"X-Request-Id": given.encode("latin-1")})

    assert answer.headers["x-request-id"] != given


async def test_the_id_is_in_every_line_of_the_log(api: Api):
    # every refusal is compared with the document, which is asked for at the first one
    await api.client.get("/api/v1/ad_accounts")

    with structlog.testing.capture_logs(processors=[merge_ids]) as lines:
        await api.client.get("/api/v1/ad_accounts", headers={"X-Request-Id": "r-7"})

    assert [line["event"] for line in lines] == ["request.answered"]
    assert lines[0]["request_id"] == "r-7"
    assert (lines[0]["method"], lines[0]["path"], lines[0]["status"]) == (
        "GET",
        "/api/v1/ad_accounts",
        401,
    )


async def test_looking_whether_it_lives_fills_no_log(api: Api):
    with structlog.testing.capture_logs() as lines:
        await api.client.get("/livez")
        await api.client.get("/readyz")

    assert lines == []


async def test_a_long_address_is_told_in_short(api: Api):
    with structlog.testing.capture_logs() as lines:
        await api.client.get("/" + "a" * 30_000)

    assert lines[0]["status"] == 404
    assert lines[0]["path"] == "/" + "a" * 499

"""Every list is read whole, page by page, whatever happens meanwhile; cursors belong to one list."""

import asyncio
import base64
import inspect
import typing

import httpx
import msgspec
import pytest
from litestar import Response

from routes.query import Page
from tests.routes.conftest import Api, add_account
from tests.routes.meta_requests import meta_request
from tests.routes.test_assets import send

ACCOUNTS = "/api/v1/ad_accounts"
ASSETS = "/api/v1/assets"
JOBS = "/api/v1/campaign_jobs"
REQUESTS = "/api/v1/ads/meta"


async def fill(caller: httpx.AsyncClient, count: int) -> None:
    """So many accounts, jobs and assets."""
    for number in range(count):
        await add_account(caller, platform_account_id=f"act_{1000000001 + number}")
        assert (await caller.post(REQUESTS, json=meta_request())).status_code == 202
        await send(caller, name=f"{number}.png")


async def one_more(caller: httpx.AsyncClient, url: str, number: int) -> str:
    match url:
        case "/api/v1/ad_accounts":
            return (await add_account(caller, platform_account_id=f"act_{number}"))["id"]
        case "/api/v1/campaign_jobs":
            return (await caller.post(REQUESTS, json=meta_request())).json()["id"]
        case _:
            return (await send(caller, name=f"{number}.png"))["id"]


def lists(api: Api) -> dict[str, typing.Any]:
    """Every handler that answers a list, by its address."""
    return {
        route.path: handler
        for route in api.app.routes
        for handler in getattr(route, "route_handlers", ())
        if inspect.isclass(handler.opt.get("query")) and issubclass(handler.opt["query"], Page)
    }


def answered(handler: typing.Any) -> dict[str, typing.Any]:
    returned = typing.get_type_hints(handler.fn)["return"]
    assert typing.get_origin(returned) is Response
    (kind,) = typing.get_args(returned)
    return {field.name: field.type for field in msgspec.structs.fields(kind)}


async def test_every_list_answers_in_the_same_form(api: Api):
    found = lists(api)

    assert {ACCOUNTS, ASSETS, JOBS} <= found.keys()
    for path, handler in found.items():
        assert {"data", "next_cursor", "livemode"} <= answered(handler).keys(), path
        assert "Link" in handler.opt["tells"], path


@pytest.mark.parametrize("url", [ACCOUNTS, JOBS, ASSETS])
async def test_the_link_leads_through_the_whole_list(caller, url):
    await fill(caller, 5)
    whole = [row["id"] for row in (await caller.get(url)).json()["data"]]

    answer = await caller.get(url, params={"limit": "2"})
    seen, sizes = [], []
    while True:
        page = answer.json()
        seen += [row["id"] for row in page["data"]]
        sizes.append(len(page["data"]))
        if "next" not in answer.links:
            break
        assert page["next_cursor"] in answer.links["next"]["url"]
        answer = await caller.get(answer.links["next"]["url"])

    assert page["next_cursor"] is None
    assert sizes == [2, 2, 1]
    assert seen == whole


async def test_the_link_keeps_the_filters(caller):
    await fill(caller, 3)
    filters = {"created_after": "2026-01-01T00:00:00+01:00", "limit": "1", "expand": "ad_account"}

    first = await caller.get(JOBS, params=filters)
    second = await caller.get(first.links["next"]["url"])
    third = await caller.get(second.links["next"]["url"])

    ids = [answer.json()["data"][0]["id"] for answer in (first, second, third)]
    assert len(set(ids)) == 3
    assert all("ad_account" in answer.json()["data"][0] for answer in (first, second, third))
    assert "next" not in third.links


async def test_a_full_last_page_has_no_link(caller):
    await fill(caller, 2)

    answer = await caller.get(ACCOUNTS, params={"limit": "2"})

    assert len(answer.json()["data"]) == 2
    assert answer.json()["next_cursor"] is None
    assert "link" not in answer.headers


async def test_pages_of_heavy_jobs_are_shorter_and_lead_through_all_of_them(api: Api, caller):
    await fill(caller, 4)
    await api.pool.execute("update campaign_jobs set steps_total = 4000")

    first = await caller.get(JOBS)
    second = await caller.get(first.links["next"]["url"])

    assert [len(page.json()["data"]) for page in (first, second)] == [2, 2]
    assert second.json()["next_cursor"] is None
    assert len({job["id"] for page in (first, second) for job in page.json()["data"]}) == 4


@pytest.mark.parametrize("url", [ACCOUNTS, JOBS, ASSETS])
async def test_what_is_added_meanwhile_shifts_nothing(caller, url):
    await fill(caller, 7)
    before = [row["id"] for row in (await caller.get(url)).json()["data"]]

    seen, address, number = [], f"{url}?limit=2", 0
    while address:
        answer, *_ = await asyncio.gather(
            caller.get(address),
            one_more(caller, url, 10 + number),
            one_more(caller, url, 50 + number),
        )
        seen += [row["id"] for row in answer.json()["data"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
        number += 1

    assert len(seen) == len(set(seen))
    assert [row for row in seen if row in before] == before


async def cursor_of(caller: httpx.AsyncClient, url: str) -> str:
    return (await caller.get(url, params={"limit": "1"})).json()["next_cursor"]


async def test_a_cursor_of_another_list_or_filter_is_refused(caller):
    await fill(caller, 2)
    cursor = await cursor_of(caller, JOBS)
    elsewhere = [
        (ACCOUNTS, {}),
        (ASSETS, {}),
        (JOBS, {"status": "PENDING"}),
        (JOBS, {"created_after": "2026-01-01T00:00:00Z"}),
    ]

    answers = [
        await caller.get(url, params={"cursor": cursor, **filters}) for url, filters in elsewhere
    ]

    for answer in answers:
        assert answer.status_code == 400
        assert answer.json()["code"] == "cursor_of_another_list"
        assert answer.json()["errors"][0]["parameter"] == "cursor"


async def test_the_same_filter_spelled_otherwise_is_the_same_list(caller):
    await fill(caller, 2)
    first = await caller.get(
        JOBS, params={"created_after": "2026-01-01T00:00:00Z", "limit": "1", "expand": "steps"}
    )

    second = await caller.get(
        JOBS,
        params={
            "created_after": "2026-01-01T01:00:00+01:00",
            "limit": "200",
            "cursor": first.json()["next_cursor"],
        },
    )

    assert second.status_code == 200
    assert len(second.json()["data"]) == 1


async def test_a_changed_cursor_is_refused(caller):
    await fill(caller, 2)
    cursor = await cursor_of(caller, ACCOUNTS)
    raw = base64.urlsafe_b64decode(cursor)
    changed = [
        base64.urlsafe_b64encode(bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])).decode()
        for at in range(len(raw))
    ]
    broken = [
        *changed,
        cursor[:-1],
        cursor[:-4],
        cursor + "AAAA",
        "",
        "é",
        " " + cursor,
        "A" * 9000,
    ]

    answers = [await caller.get(ACCOUNTS, params={"cursor": text}) for text in broken]

    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["code"] for answer in answers} == {"invalid_cursor"}

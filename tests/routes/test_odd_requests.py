"""Requests that once broke the API, each kept as the fuzzing found it."""

import json

import pytest

from common.uuid7 import uuid7
from tests.routes.conftest import TOKEN, account_body, add_account
from tests.routes.meta_requests import meta_request

JSON = {"Content-Type": "application/json"}
DEEP = 1100
"""Deeper than Python calls itself, not deeper than JSON is decoded."""


def with_tracking(value):
    request = meta_request()
    request["ad_sets"][0]["ads"][0]["tracking_specs"] = [{"fb_pixel": value}]
    return request


async def test_a_platform_that_is_no_text_is_a_wrong_type(caller):
    answer = await caller.post("/api/v1/ad_accounts", json=account_body(platform_type=[{}]))

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/platform_type"]


@pytest.mark.parametrize(
    "changes, pointer",
    [
        (
            {"credentials": {"access_token": TOKEN, "page_id": "1000000002\n"}},
            "/credentials/page_id",
        ),
        ({"additional_config": {"currency": "EUR\n"}}, "/additional_config/currency"),
    ],
)
async def test_a_line_break_behind_an_id_is_no_part_of_it(caller, changes, pointer):
    answer = await caller.post("/api/v1/ad_accounts", json=account_body(**changes))

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "wrong_format")


async def test_a_line_break_behind_a_hash_is_no_part_of_it(caller):
    answer = await caller.get("/api/v1/assets", params={"sha256": "0" * 64 + "\n"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


@pytest.mark.parametrize("broken", [b"\xff", b"\xed\xa0\x80"], ids=["no text", "half a character"])
async def test_a_campaign_that_is_not_utf_8_is_not_json(caller, broken):
    body = b'{"platform_account_id": "act_' + broken + b'"}'

    answer = await caller.post("/api/v1/ads/meta", content=body, headers=JSON)

    assert answer.status_code == 400
    assert answer.json()["code"] == "not_json"


@pytest.mark.parametrize("opened, closed", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("deep", [65, DEEP, 60_000])
@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "ad_accounts"),
        ("PUT", "ad_accounts/{id}"),
        ("POST", "assets"),
        ("POST", "ads/meta"),
    ],
)
async def test_a_body_nested_too_deeply_is_refused(caller, method, path, deep, opened, closed):
    account = await add_account(caller)
    nested = f"{opened * deep}1{closed * deep}".encode()
    body = b'{"additional_config": ' + nested + b"}"

    answer = await caller.request(
        method, f"/api/v1/{path.format(id=account['id'])}", content=body, headers=JSON
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "not_json"


async def test_tracking_nested_too_deeply_is_refused(caller):
    await add_account(caller)
    nested = 1
    for _ in range(900):
        nested = [nested]

    answer = await caller.post("/api/v1/ads/meta", json=with_tracking(nested))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "tracking_too_deep"


async def test_no_depth_lies_between_what_one_reader_takes_and_the_next_does_not(caller):
    await add_account(caller)
    body = await written(caller, with_tracking("@"))
    depths = [*range(980, 1010), *range(1460, 1480)]

    answers = [
        await caller.post("/api/v1/ads/meta", content=filled(body, deep), headers=JSON)
        for deep in depths
    ]

    assert {answer.status_code for answer in answers} == {400, 422}


async def test_a_request_with_very_many_places_is_not_a_deep_one(caller):
    await add_account(caller)
    flat = [[] for _ in range(2000)]

    answer = await caller.post("/api/v1/ads/meta", json=with_tracking(flat))

    assert answer.status_code == 202, answer.text


async def test_a_number_with_more_digits_than_the_database_keeps_is_refused(caller):
    await add_account(caller)
    body = (await written(caller, with_tracking("@"))).replace(
        b'"@"', b"0.1" + b"0" * 20_000 + b"1"
    )

    answer = await caller.post("/api/v1/ads/meta", content=body, headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid_number"


@pytest.mark.parametrize("number", ["1e31", "-1E+300", "4e-320", "0e-16000", "1e-0016000"])
async def test_a_short_number_that_is_written_out_at_length_is_refused(caller, number):
    await add_account(caller)
    body = (await written(caller, with_tracking("@"))).replace(b'"@"', number.encode())

    answer = await caller.post("/api/v1/ads/meta", content=body, headers=JSON)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["code"] == "invalid_number"
    assert error["pointer"] == "/ad_sets/0/ads/0/tracking_specs/0/fb_pixel"


@pytest.mark.parametrize("number", ["9" * 309 + ".5", "-" + "9" * 4301], ids=["float", "whole"])
async def test_a_number_that_no_reader_can_take_is_refused_where_it_stands(caller, number):
    await add_account(caller)
    job = (await written(caller, with_tracking("@"))).replace(b'"@"', number.encode())
    account = json.dumps(account_body(additional_config={"a": ["@"]})).replace('"@"', number)

    answers = [
        await caller.post(f"/api/v1/{path}", content=body, headers=JSON)
        for path, body in (("ads/meta", job), ("ad_accounts", account))
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["errors"][0]["code"] for answer in answers] == ["invalid_number"] * 2
    assert [answer.json()["errors"][0]["pointer"] for answer in answers] == [
        "/ad_sets/0/ads/0/tracking_specs/0/fb_pixel",
        "/additional_config/a/0",
    ]


@pytest.mark.parametrize("number", ["9" * 308 + ".5", "9" * 4300], ids=["float", "whole"])
async def test_a_number_that_every_reader_can_take_is_taken(caller, number):
    await add_account(caller)
    body = (await written(caller, with_tracking("@"))).replace(b'"@"', number.encode())

    answer = await caller.post("/api/v1/ads/meta", content=body, headers=JSON)

    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("value", ["1e30", "1e-030", '"1e308"', "18446744073709551617"])
async def test_a_number_of_bearable_length_is_taken(caller, value):
    await add_account(caller)
    body = (await written(caller, with_tracking("@"))).replace(b'"@"', value.encode())
    headers = {**JSON, "Idempotency-Key": "numbers"}

    answers = [
        await caller.post("/api/v1/ads/meta", content=body, headers=headers) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]


@pytest.mark.parametrize(
    "query",
    [
        {"created_after": "0001-01-01T00:00:00+23:59"},
        {"created_before": "9999-12-31T23:59:59-23:59"},
    ],
    ids=lambda query: next(iter(query)),
)
async def test_a_moment_that_utc_has_no_date_for_is_no_parameter(caller, query):
    answer = await caller.get("/api/v1/campaign_jobs", params=query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == next(iter(query))


@pytest.mark.parametrize(
    "path",
    [
        "campaign_jobs/{id}/cancel",
        "campaign_jobs/{id}/retry",
        "ad_accounts/{id}/verify",
        "webhook_endpoints/{id}/ping",
        "webhook_endpoints/{id}/rotate_secret",
        "webhook_endpoints/{id}/deliveries/{id}/resend",
    ],
)
async def test_what_stands_in_a_body_that_no_route_takes_is_refused(caller, path):
    url = f"/api/v1/{path.format(id=uuid7())}"
    wish = {"from_step": "ad_set[0]"}

    refused = await caller.post(url, json=wish)
    others = [await caller.post(url, content=body, headers=JSON) for body in (b"[]", b"a=b")]
    packed = await caller.post(url, content=b"{}", headers={"Content-Encoding": "gzip"})
    harmless = [await caller.post(url, content=body) for body in (b"", b"{}", b" { } ")]

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert refused.json()["errors"][0]["pointer"] == "/from_step"
    assert [one.status_code for one in (*others, packed)] == [422, 400, 415]
    assert {one.status_code for one in harmless} == {404}


@pytest.mark.parametrize("moment", ["1767225600", "1.7e9", "5"])
async def test_a_number_of_seconds_is_no_moment(caller, moment):
    answer = await caller.get("/api/v1/campaign_jobs", params={"created_after": moment})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == ("created_after", "invalid_parameter")
    assert "2026-12-01T00:00:00Z" in error["message"]


@pytest.mark.parametrize(
    "query, remedy",
    [
        ("created_after=2026-12-01T00:00:00+01:00", "%2B"),
        ("created_after=2026-12-01", "2026-12-01T00:00:00Z"),
        ("status=PENDING,FAILED", "Expected one of PENDING, PROCESSING, SUCCESS,"),
        ("status=pending", "Expected one of PENDING, PROCESSING, SUCCESS,"),
    ],
)
async def test_a_wrong_parameter_is_told_what_would_do(caller, query, remedy):
    answer = await caller.get(f"/api/v1/campaign_jobs?{query}")

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (400, "invalid_parameter")
    assert remedy in error["message"]


async def test_an_id_is_spelled_in_an_address_as_in_a_body(caller):
    account_id = (await add_account(caller))["id"]
    spellings = [account_id, account_id.upper(), account_id.replace("-", "")]
    others = [f"urn:uuid:{account_id}", f"{{{account_id}}}", account_id.replace("-", "", 1)]

    found = [await caller.get(f"/api/v1/ad_accounts/{one}") for one in spellings]
    missing = [await caller.get(f"/api/v1/ad_accounts/{one}") for one in others]
    bodies = [
        meta_request(ad_account_id=one, platform_account_id=None) for one in (*spellings, *others)
    ]
    in_bodies = [await caller.post("/api/v1/ads/meta", json=body) for body in bodies]

    assert {answer.status_code for answer in found} == {200}
    assert {answer.status_code for answer in missing} == {404}
    places = [[error["pointer"] for error in one.json().get("errors", [])] for one in in_bodies]
    assert [("/ad_account_id" in place) for place in places] == [False] * 3 + [True] * 3


@pytest.mark.parametrize(
    "path", ["ad_accounts/x", "campaign_jobs/x", "assets/x", "assets/x/content"]
)
async def test_what_every_route_with_a_key_may_answer_is_documented(caller, path):
    document = (await caller.get("/api/v1/openapi.json")).json()
    operations = [
        (path, operation)
        for path, item in document["paths"].items()
        if path.startswith("/api/v1")
        for operation in item.values()
    ]

    answer = await caller.get(f"/api/v1/{path}", params={"surprise": "1"})

    assert answer.status_code == 400
    for route, operation in operations:
        # every key may ask about itself
        refusals = {"400", "401", "503"} | ({"403"} if route != "/api/v1/me" else set())
        assert refusals <= operation["responses"].keys()


async def test_a_host_that_is_none_is_a_documented_refusal(api):
    document = (await api.client.get("/api/v1/openapi.json")).json()
    operations = [operation for item in document["paths"].values() for operation in item.values()]

    answer = await api.client.get("/readyz", headers={"Host": '"a"'})

    assert answer.status_code == 400
    assert all("400" in operation["responses"] for operation in operations)


def filled(body, deep):
    """The body with nested lists in its slot."""
    return body.replace(b'"@"', b"[" * deep + b"]" * deep)


async def written(caller, document):
    """The bytes that the client would send."""
    return caller.build_request("POST", "/", json=document).content

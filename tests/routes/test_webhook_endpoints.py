"""Endpoints for webhooks are added, shown, changed and removed; their secret is told once."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest

from common.uuid7 import uuid7
from models.webhook import EVENT_TYPES, WebhookSecrets

URL = "/api/v1/webhook_endpoints"
ROOT = Path(__file__).parents[2]
BODY = {"url": "http://127.0.0.1:9/hook", "events": ["job.*"]}


async def add(caller, **changes):
    """An endpoint at an address of its own."""
    url = f"{BODY['url']}/{uuid7()}"
    answer = await caller.post(URL, json={**BODY, "url": url, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def pointers(answer):
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


async def test_an_endpoint_is_added_and_its_secret_told_once(caller):
    made = await caller.post(URL, json=BODY)

    shown = made.json()
    got = await caller.get(f"{URL}/{shown['id']}")
    listed = await caller.get(URL)
    assert made.status_code == 201
    assert made.headers["location"] == f"{URL}/{shown['id']}"
    assert shown["secret"].startswith("whsec_")
    assert (shown["enabled"], shown["livemode"]) == (True, False)
    assert got.json() == {name: shown[name] for name in shown if name != "secret"}
    assert listed.json() == {"data": [got.json()], "next_cursor": None, "livemode": False}


async def test_nothing_on_the_way_keeps_an_answer_that_holds_a_secret(caller):
    made = await caller.post(URL, json=BODY)
    rotated = await caller.post(f"{URL}/{made.json()['id']}/rotate_secret")

    assert [one.status_code for one in (made, rotated)] == [201, 200]
    assert all("secret" in one.json() for one in (made, rotated))
    assert [one.headers.get("cache-control") for one in (made, rotated)] == ["no-store"] * 2


async def test_the_secret_is_stored_sealed_in_its_place_and_its_key_counts_as_used(api, caller):
    made = await add(caller)

    row = await api.pool.fetchrow("select * from ad_accounts where id = $1", made["id"])
    dump = str([tuple(r) for r in await api.pool.fetch("select * from audit_log")])
    plain = api.keyring.open(row["credentials"], "ad_accounts", row["id"], "credentials")
    assert msgspec.json.decode(plain, type=WebhookSecrets).current == made["secret"]
    assert made["secret"].encode() not in row["credentials"]
    assert made["secret"] not in dump
    assert row["credentials_key_id"] == api.keyring.key_id


async def test_every_change_leaves_an_audit_row(api, caller):
    made = await add(caller)
    address = f"{URL}/{made['id']}"
    await caller.patch(address, json={"events": ["job.finished"]})
    await caller.post(f"{address}/rotate_secret")
    await caller.post(f"{address}/replay", json={"since": "2026-01-01T00:00:00Z"})
    await caller.delete(address)

    rows = await api.pool.fetch(
        "select action, actor from audit_log where object_id = $1 order by id", made["id"]
    )

    assert [row["action"] for row in rows] == [
        "webhook_endpoint.created",
        "webhook_endpoint.updated",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.replayed",
        "webhook_endpoint.deleted",
    ]
    assert all(row["actor"].startswith("api_key:") for row in rows)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://93.184.216.34/hook", "url_not_allowed"),
        ("https://93.184.216.34:8443/hook", "url_not_allowed"),
        ("ftp://example.com/", "url_not_allowed"),
        ("https://user:password@93.184.216.34/", "url_not_allowed"),
        ("https://10.0.0.1/hook", "address_not_public"),
        ("https://169.254.169.254/latest", "address_not_public"),
        ("https://[::1]/hook", "address_not_public"),
        ("https://nothing.invalid/hook", "unreachable"),
        ("https://xn--/hook", "url_not_allowed"),
    ],
)
async def test_an_address_that_must_not_be_called_is_refused(caller, url, code):
    made = await add(caller)

    created = await caller.post(URL, json={**BODY, "url": url})
    changed = await caller.patch(f"{URL}/{made['id']}", json={"url": url})

    assert created.status_code == changed.status_code == 422
    assert pointers(created) == pointers(changed) == {"/url": code}


async def test_everything_wrong_is_told_at_once(caller):
    answer = await caller.post(
        URL, json={"url": "https://10.0.0.1/", "events": ["job.*", "job.ended", "*.done"], "x": 1}
    )

    assert answer.status_code == 422
    assert pointers(answer) == {
        "/url": "address_not_public",
        "/events/1": "unknown_event",
        "/events/2": "unknown_event",
        "/x": "unknown_field",
    }


async def test_endpoints_of_other_teams_are_not_there(api, caller):
    made = await add(caller)
    stranger = await api.caller(team="Strangers")
    address = f"{URL}/{made['id']}"

    answers = [
        await stranger.get(address),
        await stranger.patch(address, json={"enabled": False}),
        await stranger.post(f"{address}/rotate_secret"),
        await stranger.post(f"{address}/ping"),
        await stranger.post(f"{address}/replay", json={"since": "2026-01-01T00:00:00Z"}),
        await stranger.get(f"{address}/deliveries"),
        await stranger.get(f"{address}/deliveries/{uuid7()}"),
        await stranger.post(f"{address}/deliveries/{uuid7()}/resend"),
        await stranger.delete(address),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"webhook_endpoint_not_found"}
    assert (await stranger.get(URL)).json()["data"] == []


async def test_a_delivery_is_found_at_its_own_endpoint_only(caller):
    one, two = await add(caller), await add(caller)
    delivery = (await caller.post(f"{URL}/{one['id']}/ping")).json()

    found = await caller.get(f"{URL}/{one['id']}/deliveries/{delivery['id']}")
    lost = await caller.get(f"{URL}/{two['id']}/deliveries/{delivery['id']}")

    assert found.json() == delivery
    assert (lost.status_code, lost.json()["code"]) == (404, "webhook_delivery_not_found")


async def test_a_test_key_does_not_reach_live_endpoints(api, caller):
    live = await api.caller(live=True)
    made = await add(live)

    answer = await caller.get(f"{URL}/{made['id']}")

    assert made["livemode"] is True
    assert (answer.status_code, answer.json()["code"]) == (403, "test_key_live_account")
    assert (await caller.get(URL)).json()["data"] == []
    assert (await caller.get(URL, params={"livemode": "true"})).status_code == 403
    assert [one["id"] for one in (await live.get(URL)).json()["data"]] == [made["id"]]


async def test_scopes_of_jobs_are_asked_for(api):
    reader = await api.caller(scopes=["jobs:read"])

    assert (await reader.get(URL)).status_code == 200
    assert (await reader.post(URL, json=BODY)).json()["code"] == "missing_scope"


async def test_lists_are_pages(caller):
    made = [(await add(caller))["id"] for _ in range(3)]
    endpoint = f"{URL}/{made[0]}"
    sent = [(await caller.post(f"{endpoint}/ping")).json()["id"] for _ in range(3)]

    for address, ids in ((URL, made), (f"{endpoint}/deliveries", sent)):
        first = (await caller.get(address, params={"limit": 2})).json()
        rest = (await caller.get(address, params={"cursor": first["next_cursor"]})).json()

        assert [one["id"] for one in first["data"] + rest["data"]] == ids[::-1]
        assert rest["next_cursor"] is None


async def test_a_team_has_twenty_endpoints_at_most(caller):
    made = [await add(caller) for _ in range(20)]

    answer = await caller.post(URL, json=BODY)
    await caller.delete(f"{URL}/{made[0]['id']}")
    after = await caller.post(URL, json=BODY)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhook_endpoints")
    assert after.status_code == 201, "a removed one takes no place"


async def test_of_two_endpoints_at_one_address_the_second_is_refused_with_the_first(caller):
    made = await add(caller, url=BODY["url"])

    again = await caller.post(URL, json={**BODY, "events": ["job.finished"]})
    other = await add(caller)
    moved = await caller.patch(f"{URL}/{other['id']}", json={"url": BODY["url"]})
    same = await caller.patch(f"{URL}/{made['id']}", json={"url": BODY["url"], "events": ["*"]})
    await caller.delete(f"{URL}/{made['id']}")
    after = await caller.post(URL, json=BODY)

    for answer in (again, moved):
        assert (answer.status_code, answer.json()["code"]) == (409, "webhook_endpoint_exists")
        assert made["id"] in answer.json()["detail"]
    assert same.status_code == 200, "it is its own"
    assert after.status_code == 201, "a removed one posts nowhere"


async def test_many_who_take_one_address_at_one_time_make_one_endpoint(api, caller):
    answers = await asyncio.gather(*[caller.post(URL, json=BODY) for _ in range(5)])

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
    assert await api.pool.fetchval("select count(*) from webhook_endpoints") == 1


async def test_other_teams_and_the_other_mode_may_have_the_same_address(api, caller):
    await add(caller, url=BODY["url"])

    for other in (await api.caller(team="Other"), await api.caller(live=True)):
        assert (await other.post(URL, json=BODY)).status_code == 201


async def test_a_removed_endpoint_is_not_there_for_anything(caller):
    gone, kept = await add(caller), await add(caller)
    address = f"{URL}/{gone['id']}"

    removed = await caller.delete(address)
    answers = [
        await caller.get(address),
        await caller.patch(address, json={"enabled": True}),
        await caller.post(f"{address}/rotate_secret"),
        await caller.post(f"{address}/ping"),
        await caller.delete(address),
    ]

    assert removed.status_code == 204
    assert {answer.status_code for answer in answers} == {404}
    assert [one["id"] for one in (await caller.get(URL)).json()["data"]] == [kept["id"]]


async def test_other_teams_take_no_place(api, caller):
    other = await api.caller(team="Other")
    for _ in range(20):
        await add(other)

    assert (await caller.post(URL, json=BODY)).status_code == 201


async def test_many_who_add_at_one_time_make_no_more_than_twenty(api, caller):
    for _ in range(18):
        await add(caller)

    wanted = [{**BODY, "url": f"{BODY['url']}/{number}"} for number in range(10)]
    answers = await asyncio.gather(*[caller.post(URL, json=body) for body in wanted])

    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 8
    assert await api.pool.fetchval("select count(*) from webhook_endpoints") == 20


async def test_the_events_that_can_be_asked_for_are_those_that_are_written():
    sources = [*ROOT.glob("queries/*.sql"), *ROOT.glob("models/migrations/*.sql")]

    written = {
        kind for path in sources for kind in re.findall(r"'(job\.[a-z_.]+)'", path.read_text())
    }

    assert written == {name for name in EVENT_TYPES if name.startswith("job.")}


async def test_the_document_describes_every_message(caller):
    document = (await caller.get("/api/v1/openapi.json")).json()

    assert set(document["webhooks"]) == {*EVENT_TYPES, "webhook.ping"}
    body = document["webhooks"]["job.finished"]["post"]["requestBody"]["content"]
    assert body["application/json"]["schema"] == {"$ref": "#/components/schemas/JobMessage"}


async def test_a_change_may_be_sent_as_a_merge_patch_that_removes_nothing(caller):
    endpoint = await add(caller)
    patch = {"Content-Type": "application/merge-patch+json"}
    url = f"{URL}/{endpoint['id']}"

    changed = await caller.patch(url, json={"events": ["job.finished"]}, headers=patch)
    removed = await caller.patch(url, json={"url": None}, headers=patch)
    other = await caller.patch(
        url, json=[], headers={"Content-Type": "application/json-patch+json"}
    )

    assert (changed.status_code, changed.json()["events"]) == (200, ["job.finished"])
    assert (removed.status_code, pointers(removed)) == (422, {"/url": "wrong_type"})
    assert other.status_code == 415
    assert other.headers["accept-patch"] == "application/merge-patch+json, application/json"

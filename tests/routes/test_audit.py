"""Every change that a caller or a command makes is in the audit log: who, what, in which request."""

import asyncio
import io
import os
import pwd
import re
from pathlib import Path
from typing import Any

from models.api_keys import create_key, revoke_key
from tests.routes.conftest import account_body, add_account
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"
IMAGE = Path(__file__).parents[2] / "examples" / "hero.png"

ACCOUNT = "/api/v1/ad_accounts/{account_id}"
JOB = "/api/v1/campaign_jobs/{job_id}"
HOOK = "/api/v1/webhook_endpoints/{endpoint_id}"
UNREACHABLE = f"post {ACCOUNT}/verify"
"""Its platform does not answer here; that its secrets were opened is written down all the same."""
MAKES = {
    "post /api/v1/ad_accounts": "account_id",
    "post /api/v1/ads/meta": "job_id",
    "post /api/v1/webhook_endpoints": "endpoint_id",
    f"post {HOOK}/ping": "delivery_id",
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("post /api/v1/ad_accounts", {"json": account_body()}),
    (f"put {ACCOUNT}", {"json": {"name": "Client Y"}}),
    (f"patch {ACCOUNT}", {"json": {"name": "Client Z"}}),
    (UNREACHABLE, {}),
    ("post /api/v1/assets", {"files": {"file": ("hero.png", IMAGE.read_bytes())}}),
    ("post /api/v1/ads/meta", {"json": meta_request()}),
    (f"post {JOB}/cancel", {}),
    (f"post {JOB}/retry", {}),
    (f"post {JOB}/cancel", {}),
    (
        "post /api/v1/webhook_endpoints",
        {"json": {"url": "http://127.0.0.1:9/hook", "events": ["job.*"]}},
    ),
    (f"patch {HOOK}", {"json": {"events": ["*"]}}),
    (f"post {HOOK}/rotate_secret", {}),
    (f"post {HOOK}/ping", {}),
    (f"post {HOOK}/deliveries/{{delivery_id}}/resend", {}),
    (f"post {HOOK}/replay", {"json": {"since": "2026-01-01T00:00:00Z"}}),
    (f"delete {HOOK}", {}),
    (f"delete {ACCOUNT}", {}),
]


async def entries(api, action: str):
    return await api.pool.fetch("select * from audit_log where action = $1 order by id", action)


async def test_a_request_for_a_campaign_is_written_down_once(api, caller):
    await add_account(caller)
    headers = {"X-Request-Id": "the-first", "Idempotency-Key": "once"}

    made = await caller.post(URL, json=meta_request(), headers=headers)
    await caller.post(URL, json=meta_request(), headers={**headers, "X-Request-Id": "again"})
    await caller.post(URL, json=meta_request(ad_sets=[]))
    await caller.post(f"{URL}?validate_only=true", json=meta_request())

    (entry,) = await entries(api, "campaign_job.created")
    assert str(entry["object_id"]) == made.json()["id"]
    assert entry["actor"].startswith("api_key:")
    assert entry["request_id"] == "the-first"
    assert entry["team_id"] is not None
    assert entry["before_hash"] is None
    assert len(entry["after_hash"]) == 32


async def test_requests_that_are_written_together_have_an_entry_each(api, caller):
    await add_account(caller)

    answers = await asyncio.gather(*(caller.post(URL, json=meta_request()) for _ in range(12)))

    found = await entries(api, "campaign_job.created")
    assert {str(entry["object_id"]) for entry in found} == {a.json()["id"] for a in answers}
    assert len(found) == 12


async def test_cancelling_and_retrying_are_written_down_with_what_they_changed(api, caller):
    await add_account(caller)
    job = (await caller.post(URL, json=meta_request())).json()["id"]

    await caller.post(f"/api/v1/campaign_jobs/{job}/cancel", headers={"X-Request-Id": "stop"})
    refused = await caller.post(f"/api/v1/campaign_jobs/{job}/cancel")
    await caller.post(f"/api/v1/campaign_jobs/{job}/retry", headers={"X-Request-Id": "go"})

    (stopped,) = await entries(api, "campaign_job.cancelled")
    (retried,) = await entries(api, "campaign_job.retried")
    assert refused.status_code == 409
    assert str(stopped["object_id"]) == str(retried["object_id"]) == job
    assert (stopped["request_id"], retried["request_id"]) == ("stop", "go")
    assert stopped["before_hash"] != stopped["after_hash"] == retried["before_hash"]


async def test_a_stored_file_is_written_down(api, caller):
    answer = await caller.post(
        "/api/v1/assets", files={"file": ("hero.png", io.BytesIO(IMAGE.read_bytes()))}
    )

    (entry,) = await entries(api, "media_asset.created")
    assert answer.status_code == 201
    assert str(entry["object_id"]) == answer.json()["id"]
    assert entry["request_id"] == answer.headers["x-request-id"]


async def test_keys_that_are_made_and_revoked_are_written_down_without_the_key(api):
    made = await create_key(api.pool, team="T", name="n", rate=(5, 20))
    await revoke_key(api.pool, made.id)

    (created,) = await entries(api, "api_key.created")
    (revoked,) = await entries(api, "api_key.revoked")
    assert created["object_id"] == revoked["object_id"] == made.id
    assert created["team_id"] == revoked["team_id"] == made.team_id
    assert re.fullmatch("command:keys create user:.+", created["actor"])
    assert '"rate": [5, 20]' in created["detail"]
    assert made.key not in str(dict(created))


async def test_a_command_is_written_down_under_the_account_that_ran_it(api, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")

    await create_key(api.pool, team="T", name="n")

    (created,) = await entries(api, "api_key.created")
    assert created["actor"] == f"command:keys create user:{pwd.getpwuid(os.getuid()).pw_name}"


async def test_a_team_is_written_down_when_it_is_made(api):
    made = [await create_key(api.pool, team="New", name="n") for _ in range(2)]

    (created,) = [one for one in await entries(api, "team.created") if "New" in one["detail"]]
    assert created["object_id"] == created["team_id"] == made[0].team_id == made[1].team_id


async def test_every_route_that_writes_leaves_an_entry(api, caller):
    document = (await caller.get("/api/v1/openapi.json")).json()
    writing = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "get"
    }
    ids: dict[str, str] = {}

    for nth, (route, sent) in enumerate(CALLS):
        method, path = route.split()
        headers = {"X-Request-Id": f"call-{nth}", "If-Match": "*"}
        answer = await caller.request(method, path.format(**ids), headers=headers, **sent)
        assert answer.is_success or route == UNREACHABLE, (route, answer.text)
        if route in MAKES:
            ids[MAKES[route]] = answer.json()["id"]

    told = {entry["request_id"] for entry in await api.pool.fetch("select * from audit_log")}
    silent = [route for nth, (route, _) in enumerate(CALLS) if f"call-{nth}" not in told]
    assert silent == []
    assert writing == {route for route, _ in CALLS}, "a new writing route belongs into CALLS"

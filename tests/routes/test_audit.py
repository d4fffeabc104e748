"""Every change that a caller or a command makes is in the audit log: who, what, in which request."""

import asyncio
import io
import re
from pathlib import Path

from models.api_keys import create_key, revoke_key
from tests.routes.conftest import add_account
from tests.routes.meta_requests import meta_request

URL = "/api/v1/ads/meta"
IMAGE = Path(__file__).parents[2] / "examples" / "hero.png"


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


async def test_every_route_that_writes_leaves_an_entry(api, caller):
    """A new writing route must be looked at here."""
    document = (await caller.get("/api/v1/openapi.json")).json()

    writing = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "get"
    }

    endpoint = "/api/v1/webhook_endpoints/{endpoint_id}"
    changes_nothing = {f"post {endpoint}/ping"}
    assert writing - changes_nothing <= {
        "post /api/v1/ad_accounts",
        "put /api/v1/ad_accounts/{account_id}",
        "patch /api/v1/ad_accounts/{account_id}",
        "post /api/v1/ad_accounts/{account_id}/verify",
        "post /api/v1/webhook_endpoints",
        f"patch {endpoint}",
        f"delete {endpoint}",
        f"post {endpoint}/rotate_secret",
        f"post {endpoint}/replay",
        f"post {endpoint}/deliveries/{{delivery_id}}/resend",
        "delete /api/v1/ad_accounts/{account_id}",
        "post /api/v1/ads/meta",
        "post /api/v1/assets",
        "post /api/v1/campaign_jobs/{job_id}/cancel",
        "post /api/v1/campaign_jobs/{job_id}/retry",
    }

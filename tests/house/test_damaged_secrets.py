"""A stored secret that no key opens ends nobody's work: it waits, says why, and goes on with a good one."""

from tests.house.conftest import until
from tests.house.receiver import Receiver
from tests.house.webhooks import deliveries, hurry, listen, over, post

DAMAGE = (
    "update ad_accounts set credentials = set_byte(credentials, octet_length(credentials) - 1, "
    "255 - get_byte(credentials, octet_length(credentials) - 1)), "
    "updated_at = updated_at + interval '1 microsecond' where id = $1"
)
"""Twice is not at all."""


async def test_a_job_waits_for_credentials_that_open_and_goes_on_with_new_ones(house):
    # a call that a busy machine cuts off would cost an attempt
    async with house.working(sandbox_call_deadline_seconds=60.0):
        await house.pool.execute(DAMAGE, house.account_id)
        job_id = await house.submit(house.request())
        waiting = await house.waiting(job_id, "not_ready")
        credentials = {"access_token": house.account["access_token"]}
        answer = await house.client.put(
            f"/ad_accounts/{house.account_id}", json={"credentials": credentials}
        )
        await hurry(house)
        job = await house.finished(job_id)

    assert answer.status_code == 200, answer.text
    assert (waiting["status"], waiting["error"]["code"]) == ("PROCESSING", "secret_not_opened")
    assert "MOJITO_ENCRYPTION_KEYS_FILE" in waiting["error"]["remedy"]
    assert waiting["error"]["retryable"] is True
    assert {step["attempt"] for step in job["steps"]} == {0}
    assert job["status"] == "SUCCESS"


async def test_a_message_waits_for_a_secret_that_opens(house):
    async def waits() -> int:
        return await house.pool.fetchval(
            "select count(*) from campaign_jobs where kind = 'DELIVER_WEBHOOK' "
            "and waiting_reason = 'not_ready' and claim_token is null"
        )

    async with Receiver().open() as receiver, house.working():
        endpoint = await listen(house, receiver, "job.finished")
        await house.pool.execute(DAMAGE, endpoint["id"])
        await post(house, endpoint, "ping")
        await until(waits)
        (waiting,) = await deliveries(house, endpoint)
        refused = await house.client.post(f"/webhook_endpoints/{endpoint['id']}/rotate_secret")
        await house.pool.execute(DAMAGE, endpoint["id"])
        await hurry(house)
        await over(house)

    assert (waiting["status"], waiting["tries"]) == ("PENDING", [])
    assert (refused.status_code, refused.json()["code"]) == (503, "secret_not_opened")
    assert refused.headers["retry-after"] == "60"
    assert receiver.types == ["webhook.ping"]


async def test_an_account_whose_credentials_do_not_open_is_not_verified_and_says_so(house):
    await house.pool.execute(DAMAGE, house.account_id)

    answer = await house.client.post(f"/ad_accounts/{house.account_id}/verify")

    assert (answer.status_code, answer.json()["code"]) == (503, "secret_not_opened")
    assert "encryption keys" in answer.json()["detail"]
    shown = (await house.client.get(f"/ad_accounts/{house.account_id}")).json()
    assert (shown["status"], shown["verified_at"]) == ("ACTIVE", None)

"""Messages go out again: after crashes, when asked for, under new secrets; and only to whom they concern."""

import os
import signal
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

from models.api_keys import create_key
from mojito.retention import ages
from tests.house.conftest import until
from tests.house.receiver import HANG, LATER, OK, Receiver, status
from tests.house.webhooks import deliveries, hurry, listen, over, post, tried
from workers.retention import WORKER, count, forget


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


async def test_a_worker_that_dies_behind_the_sending_leads_to_the_same_message_again(
    house, receiver
):
    receiver.answers = [HANG]
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    worker_id = str(uuid4())
    process = house.process("-m", "mojito", "work", worker_id=worker_id)

    async def is_sent() -> bool:
        return bool(receiver.posted)

    await until(is_sent)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    await house.free(worker_id)
    async with house.working():
        await over(house)

    once, again = receiver.posted
    (delivery,) = await deliveries(house, endpoint)
    assert (once.webhook_id, once.body) == (again.webhook_id, again.body)
    assert (delivery["status"], len(delivery["tries"])) == ("DELIVERED", 1)


async def test_a_receiver_that_hangs_delays_no_campaign(house, receiver):
    receiver.always = HANG
    endpoint = await listen(house, receiver, "*")
    for _ in range(20):
        await post(house, endpoint, "ping")

    async def all_places_hang() -> bool:
        return len(receiver.posted) == 6

    async with house.working(
        webhook_answer_seconds=600.0, grace_seconds=0.1, worker_concurrency=12
    ):
        await until(all_places_hang)
        job = await house.finished(await house.submit(house.request()))
        hanging = len(receiver.posted)

    assert job["status"] == "SUCCESS"
    assert hanging == 6  # half of the worker's places, though the endpoint may have 8


async def test_an_address_that_became_private_is_not_called(house, receiver):
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")

    async with house.working(allowed_private_targets=()):
        failed = await tried(house, endpoint)

    assert failed["tries"][0]["error_code"] == "address_not_public"
    assert receiver.posted == []


async def test_both_secrets_sign_for_a_day_after_a_rotation(house, receiver):
    endpoint = await listen(house, receiver)
    rotated = await post(house, endpoint, "rotate_secret")
    await post(house, endpoint, "ping")
    async with house.working():
        await over(house)
        await house.pool.execute("update webhook_endpoints set previous_secret_until = now()")
        await post(house, endpoint, "ping")
        await over(house)

    during, after = receiver.posted
    assert rotated["secret"] != endpoint["secret"]
    for secret in (endpoint["secret"], rotated["secret"]):
        assert Webhook(secret).verify(during.body, during.headers)["type"] == "webhook.ping"
    assert Webhook(rotated["secret"]).verify(after.body, after.headers)["type"] == "webhook.ping"
    assert len(during.headers["webhook-signature"].split()) == 2
    assert len(after.headers["webhook-signature"].split()) == 1


async def test_a_secret_signs_for_a_day_also_when_it_is_rotated_once_more(house, receiver):
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "rotate_secret")  # whose answer was lost
    rotated = await post(house, endpoint, "rotate_secret")
    await post(house, endpoint, "ping")
    async with house.working():
        await over(house)

    (posted,) = receiver.posted
    for secret in (endpoint["secret"], rotated["secret"]):
        assert Webhook(secret).verify(posted.body, posted.headers)["type"] == "webhook.ping"
    assert len(posted.headers["webhook-signature"].split()) == 3


async def test_a_secret_whose_day_is_over_does_not_come_back_with_the_next_rotation(
    house, receiver
):
    endpoint = await listen(house, receiver)
    first = await post(house, endpoint, "rotate_secret")
    await house.pool.execute("update webhook_endpoints set previous_secret_until = now()")
    second = await post(house, endpoint, "rotate_secret")
    await post(house, endpoint, "ping")
    async with house.working():
        await over(house)

    (posted,) = receiver.posted
    for secret in (first["secret"], second["secret"]):
        assert Webhook(secret).verify(posted.body, posted.headers)["type"] == "webhook.ping"
    assert len(posted.headers["webhook-signature"].split()) == 2


async def test_a_message_that_was_received_is_sent_again_when_asked_for(house, receiver):
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    async with house.working():
        await over(house)
        first = (await deliveries(house, endpoint))[0]
        asked = await post(house, endpoint, f"deliveries/{first['id']}/resend")
        await over(house)

    (second,) = await deliveries(house, endpoint)
    once, again = receiver.posted
    assert (first["status"], asked["status"], second["status"]) == (
        "DELIVERED",
        "PENDING",
        "DELIVERED",
    )
    assert [one["number"] for one in second["tries"]] == [1, 2]
    assert (once.webhook_id, once.body) == (again.webhook_id, again.body)


async def test_a_message_that_waits_is_tried_at_once_when_asked_for(house, receiver):
    receiver.answers = [b"HTTP/1.1 500 Oops\r\nRetry-After: 7200\r\n\r\n", OK]
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")

    async with house.working():
        waiting = await tried(house, endpoint)
        await post(house, endpoint, f"deliveries/{waiting['id']}/resend")
        await over(house)

    (delivery,) = await deliveries(house, endpoint)
    pause = datetime.fromisoformat(waiting["next_try_at"]) - datetime.now(UTC)
    assert pause > timedelta(minutes=100)
    assert [one["http_status"] for one in delivery["tries"]] == [500, 204]


async def test_a_replay_sends_what_was_sent_and_what_was_missed(house, receiver):
    endpoint = await listen(house, receiver, "job.finished", "job.started")
    async with house.working():
        known = await house.submit(house.request())
        await house.finished(known)
        await over(house)
        before = {posted.webhook_id for posted in receiver.posted}
        address = f"/webhook_endpoints/{endpoint['id']}"
        await house.client.patch(address, json={"enabled": False})
        missed = await house.submit(house.request(name="Missed"))
        await house.finished(missed)
        await house.client.patch(address, json={"enabled": True})
        nothing = await post(
            house, endpoint, "replay", {"since": ago(days=2), "until": ago(days=1)}
        )
        everything = await post(house, endpoint, "replay", {"since": ago(minutes=5)})
        await over(house)

    after = receiver.posted[2:]
    assert nothing == {"queued": 0, "livemode": False}
    assert everything == {"queued": 4, "livemode": False}
    assert len(before) == 2
    assert before < {posted.webhook_id for posted in after}
    assert sorted((posted.event["data"]["id"], posted.event["type"]) for posted in after) == sorted(
        (job_id, event) for job_id in (known, missed) for event in ("job.started", "job.finished")
    )


async def test_live_jobs_are_told_to_live_endpoints_and_sandbox_jobs_to_the_others(house, receiver):
    async with Receiver().open() as live_receiver:
        await listen(house, receiver, "job.finished")
        key = await create_key(house.pool, team="house", name="live", live=True)
        house.client.headers["Authorization"] = f"Bearer {key.key}"
        live_endpoint = await listen(house, live_receiver, "job.finished")
        account = {**house.account, "id": "act_77"}
        live_account = await house.add(account, mode="live")
        live_job = await house.submit(house.request(ad_account_id=live_account))
        sandbox_job = await house.submit(house.request())
        for job_id in (live_job, sandbox_job):
            answer = await house.client.post(f"/campaign_jobs/{job_id}/cancel")
            assert answer.json()["status"] == "CANCELLED"
        async with house.working():
            await over(house)

    assert live_endpoint["livemode"] is True
    assert [(p.event["data"]["id"], p.event["livemode"]) for p in receiver.posted] == [
        (sandbox_job, False)
    ]
    assert [(p.event["data"]["id"], p.event["livemode"]) for p in live_receiver.posted] == [
        (live_job, True)
    ]


async def test_another_team_hears_of_nothing(house, receiver):
    key = await create_key(house.pool, team="neighbours", name="test")
    headers = {"Authorization": f"Bearer {key.key}"}
    async with httpx.AsyncClient(
        transport=house.client._transport, base_url=house.client.base_url, headers=headers
    ) as neighbour:
        await neighbour.post("/webhook_endpoints", json={"url": receiver.url, "events": ["*"]})

    async with house.working():
        await house.finished(await house.submit(house.request()))
        await over(house)

    assert receiver.posted == []


async def test_what_is_on_its_way_to_a_removed_endpoint_is_not_sent(house, receiver):
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    await house.client.delete(f"/webhook_endpoints/{endpoint['id']}")

    async with house.working():
        await hurry(house)
        await over(house)

    assert receiver.posted == []


async def test_an_endpoint_that_fails_is_tried_one_message_at_a_time_until_it_receives(
    house, receiver
):
    receiver.answers = [status("500 Oops", b"", LATER)]
    endpoint = await listen(house, receiver)
    limit = "select max_running from ad_accounts where platform_type = 'WEBHOOK'"
    await post(house, endpoint, "ping")

    async with house.working():
        await tried(house, endpoint)
        failing = await house.pool.fetchval(limit)
        await hurry(house)
        await over(house)

    assert failing == 1
    assert await house.pool.fetchval(limit) == 8


async def test_an_endpoint_that_is_enabled_again_gets_many_messages_at_a_time_at_once(
    house, receiver
):
    receiver.answers = [status("410 Gone")]
    endpoint = await listen(house, receiver)
    limit = "select max_running from ad_accounts where platform_type = 'WEBHOOK'"
    await post(house, endpoint, "ping")

    async with house.working():
        await over(house)
        gone = await house.pool.fetchval(limit)
        await house.client.patch(f"/webhook_endpoints/{endpoint['id']}", json={"enabled": True})
        enabled = await house.pool.fetchval(limit)
        await post(house, endpoint, "ping")
        await over(house)

    assert (gone, enabled) == (1, 8)
    assert await house.pool.fetchval(limit) == 8


async def test_the_log_is_kept_for_a_month_and_goes_with_the_jobs_that_carried_it(house, receiver):
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    await post(house, endpoint, "ping")
    async with house.working():
        await over(house)
    (young, old) = await deliveries(house, endpoint)
    await house.pool.execute(
        "update webhook_deliveries set finished_at = now() - interval '31 days' where id = $1",
        old["id"],
    )

    kept = ages(house.settings)
    counted = await count(house.pool, kept)
    gone = await forget(house.pool, kept, WORKER)

    assert counted["webhook_deliveries"] == 1
    assert gone == counted
    assert [one["id"] for one in await deliveries(house, endpoint)] == [young["id"]]
    for table in ("webhook_tries", "campaign_jobs", "campaign_requests"):
        assert await house.pool.fetchval(f"select count(*) from {table}") == 1  # noqa: S608 - names of this file
    assert await house.pool.fetchval("select count(distinct campaign_job_id) from job_events") == 1


async def test_what_happened_to_a_job_that_was_deleted_meanwhile_is_not_told(house, receiver):
    endpoint = await listen(house, receiver, "job.started")
    async with house.working():
        await house.finished(await house.submit(house.request()))
        await over(house)
    await house.pool.execute("update webhook_deliveries set body = null")
    await house.pool.execute("delete from campaign_requests where payload ? 'campaign'")
    await house.pool.execute("delete from campaign_jobs where kind = 'BUILD_CAMPAIGN'")
    (told,) = await deliveries(house, endpoint)

    await post(house, endpoint, f"deliveries/{told['id']}/resend")
    async with house.working():
        await over(house)

    (again,) = await deliveries(house, endpoint)
    code = await house.pool.fetchval("select error_code from campaign_jobs where status = 'FAILED'")
    assert (again["status"], code) == ("FAILED", "webhook_not_delivered")
    assert len(receiver.posted) == 1


async def test_a_message_of_a_job_that_is_not_kept_any_more_is_given_up(house, receiver):
    endpoint = await listen(house, receiver, "job.finished")
    job_id = await house.submit(house.request())
    await house.client.post(f"/campaign_jobs/{job_id}/cancel")
    await house.pool.execute("delete from campaign_jobs where id = $1", job_id)

    async with house.working():
        await over(house)

    (given_up,) = await deliveries(house, endpoint)
    error = await house.pool.fetchval(
        "select error ->> 'message' from campaign_jobs where kind = 'DELIVER_WEBHOOK'"
    )
    assert (given_up["status"], given_up["tries"], receiver.posted) == ("FAILED", [], [])
    assert "not kept any more" in error

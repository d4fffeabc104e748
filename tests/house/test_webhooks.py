"""Events of jobs reach a caller's server: signed, in order to be believed, at least once."""

import pytest
from standardwebhooks.webhooks import Webhook

from tests.house.receiver import HANG, RESET, Receiver, status
from tests.house.webhooks import deliveries, endpoint_now, hurry, listen, over, post, tried


async def test_a_job_is_told_from_start_to_end_and_the_official_library_believes_it(
    house, receiver
):
    endpoint = await listen(house, receiver)

    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)
        await over(house)

    library = Webhook(endpoint["secret"])
    events = [library.verify(posted.body, posted.headers) for posted in receiver.posted]
    assert sorted(event["type"] for event in events) == sorted(
        ["job.started", *["job.step.done"] * 5, "job.finished"]
    )
    (finished,) = [event for event in events if event["type"] == "job.finished"]
    assert finished["livemode"] is False
    assert finished["event"] == {"code": None, "status": "SUCCESS"}
    assert finished["data"] == await house.job(job_id)
    assert len({posted.webhook_id for posted in receiver.posted}) == len(receiver.posted)
    assert {len(one["tries"]) for one in await deliveries(house, endpoint)} == {1}


async def test_another_secret_does_not_verify(house, receiver):
    await listen(house, receiver)
    other = await listen(house, receiver, "job.retried", below="/other")

    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)
        await over(house)

    posted = receiver.posted[0]
    with pytest.raises(Exception, match="No matching signature found"):
        Webhook(other["secret"]).verify(posted.body, posted.headers)


async def test_deliveries_are_no_campaign_jobs_for_callers_and_cause_no_events(house, receiver):
    endpoint = await listen(house, receiver, "*")
    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)
        await over(house)

    listed = (await house.client.get("/campaign_jobs")).json()["data"]
    accounts = (await house.client.get("/ad_accounts")).json()["data"]
    carrier = await house.pool.fetchval(
        "select id from campaign_jobs where kind = 'DELIVER_WEBHOOK'"
    )
    shown = await house.client.get(f"/campaign_jobs/{carrier}")
    account = await house.client.get(f"/ad_accounts/{endpoint['id']}")

    assert [job["id"] for job in listed] == [job_id]
    assert [account["id"] for account in accounts] == [house.account_id]
    assert shown.status_code == account.status_code == 404
    assert {one["campaign_job_id"] for one in await deliveries(house, endpoint)} == {job_id}


async def test_only_chosen_events_come(house, receiver):
    await listen(house, receiver, "job.step.*")

    job_id = await house.submit(house.request())
    async with house.working():
        await house.finished(job_id)
        await over(house)

    assert set(receiver.types) == {"job.step.done"}
    assert {posted.event["event"]["step"] for posted in receiver.posted} == {
        "media[hero]",
        "campaign",
        "ad_set[0]",
        "creative[0][0]",
        "ad[0][0]",
    }


@pytest.mark.parametrize(
    ("answer", "code", "http_status", "patience"),
    [
        (status("500 Oops", b"  we are\n\x00 down  "), "bad_status", 500, {}),
        (status("302 Found", b"", "Location: /elsewhere"), "redirect_refused", 302, {}),
        (RESET, "unreachable", None, {}),
        (HANG, "timed_out", None, {"webhook_answer_seconds": 3.0}),
    ],
)
async def test_a_failed_try_is_repeated_with_the_same_id_and_bytes(
    house, receiver, answer, code, http_status, patience
):
    receiver.answers = [answer]
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    # five minutes until the next one: the first pause is 5 s, for which a busy machine may look away
    await house.pool.execute("update webhook_deliveries set tries_since_queued = 1")

    async with house.working(**patience):
        failed = await tried(house, endpoint)
    # a receiver that is well is waited for as usual: on a busy machine it may need a while
    async with house.working():
        await hurry(house)
        delivered = await tried(house, endpoint, 2)

    (first,) = failed["tries"]
    assert failed["status"] == "PENDING"
    assert failed["next_try_at"] > first["started_at"]
    assert (first["error_code"], first["http_status"]) == (code, http_status)
    assert delivered["status"] == "DELIVERED"
    assert delivered["next_try_at"] is None
    assert [one["http_status"] for one in delivered["tries"]] == [http_status, 204]
    once, again = receiver.posted
    assert once.path == again.path == "/hook"
    assert once.body == again.body == delivered["payload"].encode()
    assert once.webhook_id == again.webhook_id == delivered["webhook_id"]


async def test_the_log_shows_a_clean_beginning_of_a_long_answer(house, receiver):
    receiver.answers = [status("200 OK", b"thank\n\x00\x1b[31m you \xff" + b"x" * 3_000_000)]
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")

    async with house.working():
        delivered = await tried(house, endpoint)

    (only,) = delivered["tries"]
    assert delivered["status"] == "DELIVERED"
    assert only["answer"].startswith("thank [31m you \N{REPLACEMENT CHARACTER}xx")
    assert len(only["answer"]) == 500


async def test_a_receiver_that_is_gone_is_disabled_and_others_hear_of_it(house, receiver):
    receiver.always = status("410 Gone")
    endpoint = await listen(house, receiver)
    async with Receiver().open() as other:
        await listen(house, other, "webhook_endpoint.*")
        await post(house, endpoint, "ping")
        async with house.working():
            await over(house)

    now = await endpoint_now(house, endpoint)
    refused = await house.client.post(f"/webhook_endpoints/{endpoint['id']}/ping")
    audit = await house.pool.fetchrow(
        "select * from audit_log where action = 'webhook_endpoint.disabled'"
    )
    assert (now["enabled"], now["disabled_reason"]) == (False, "gone")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoint_disabled")
    assert (audit["actor"], str(audit["object_id"])) == ("worker", endpoint["id"])
    assert audit["request_id"] is None
    assert other.types == ["webhook_endpoint.disabled"]
    assert other.posted[0].event["data"]["id"] == endpoint["id"]
    assert (await deliveries(house, endpoint))[0]["status"] == "FAILED"


async def test_a_message_is_given_up_after_ten_tries(house, receiver):
    receiver.always = status("503 Unavailable")
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")

    async with house.working():
        for times in range(1, 10):
            await tried(house, endpoint, times)
            await hurry(house)
        failed = await tried(house, endpoint, 10)

    now = await endpoint_now(house, endpoint)
    assert (failed["status"], failed["next_try_at"]) == ("FAILED", None)
    assert len({posted.body for posted in receiver.posted}) == 1
    assert now["enabled"]
    assert now["failing_since"]


async def test_an_endpoint_that_received_nothing_for_days_is_disabled(house, receiver):
    receiver.always = status("503 Unavailable")
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    await house.pool.execute("update webhook_deliveries set tries_since_queued = 9")
    await house.pool.execute(
        "update webhook_endpoints set failing_since = now() - interval '49 hours'"
    )

    async with house.working():
        await over(house)

    now = await endpoint_now(house, endpoint)
    assert (now["enabled"], now["disabled_reason"]) == (False, "failing")


async def test_an_enabled_endpoint_begins_with_a_clean_slate(house, receiver):
    endpoint = await listen(house, receiver)
    await house.client.patch(f"/webhook_endpoints/{endpoint['id']}", json={"enabled": False})
    disabled = await endpoint_now(house, endpoint)
    await house.client.patch(f"/webhook_endpoints/{endpoint['id']}", json={"enabled": True})
    await post(house, endpoint, "ping")

    async with house.working():
        await over(house)

    assert (disabled["enabled"], disabled["disabled_reason"]) == (False, "by_caller")
    assert (await endpoint_now(house, endpoint))["enabled"]
    assert receiver.types == ["webhook.ping"]


async def test_messages_are_no_requests_for_campaigns_in_the_audit_log(house, receiver):
    endpoint = await listen(house, receiver, "*")
    await post(house, endpoint, "ping")
    async with house.working():
        job_id = await house.submit(house.request())
        await house.finished(job_id)
        await over(house)

    created = await house.pool.fetch(
        "select object_id from audit_log where action = 'campaign_job.created'"
    )
    assert [str(row["object_id"]) for row in created] == [job_id]
    assert len(receiver.posted) > 2

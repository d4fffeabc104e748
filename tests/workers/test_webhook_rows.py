"""What stands in the rows of webhooks: who is told of what, and which run may still write about it."""

from datetime import UTC, datetime, timedelta

import pytest

from common.uuid7 import uuid7
from models.gen import webhook_deliveries, webhook_endpoints
from models.webhook import MOST_AT_ONCE

URL = "https://example.com/hook"
DISABLED = "webhook_endpoint.disabled"


@pytest.fixture
async def team(shop):
    return await new_team(shop)


@pytest.fixture
async def endpoint(shop, team):
    return await listening(shop, team)


@pytest.fixture
async def delivery(shop, endpoint):
    """One that its job is under way with."""
    made = await pinged(shop, endpoint)
    await shop.claim()
    return made


async def new_team(shop):
    return await shop.value(
        "insert into teams (id, name) values ($1, $2) returning id", uuid7(), uuid7().hex
    )


async def listening(shop, team, *events, mode="sandbox"):
    return await webhook_endpoints.create_webhook_endpoint(
        shop.pool,
        id=uuid7(),
        team_id=team,
        mode=mode,
        url=URL,
        events=list(events) or ["*"],
        credentials=b"sealed",
        credentials_key_id="k",
        credentials_fingerprint="f",
        max_running=MOST_AT_ONCE,
    )


async def pinged(shop, endpoint):
    made = await webhook_deliveries.create_webhook_delivery(
        shop.pool,
        id=uuid7(),
        webhook_endpoint_id=endpoint.id,
        type="webhook.ping",
        facts="{}",
        job_id=uuid7(),
    )
    await webhook_deliveries.queue_webhook_deliveries(shop.pool, ids=[made.id])
    return made


async def disable(shop, endpoint, *, hours=None, url=URL):
    return await webhook_endpoints.disable_webhook_endpoint(
        shop.pool, id=endpoint.id, url=url, reason="failing", failing_hours=hours
    )


async def record(shop, delivery, status, *, job_id=None):
    await webhook_deliveries.record_webhook_try(
        shop.pool,
        id=delivery.id,
        job_id=job_id or delivery.job_id,
        status=status,
        duration_seconds=0.1,
        duration_ms=100,
        url=URL,
        most_at_once=MOST_AT_ONCE,
    )


async def row(shop, delivery):
    return await shop.pool.fetchrow("select * from webhook_deliveries where id = $1", delivery.id)


async def asked_for(shop, delivery):
    return await webhook_deliveries.get_webhook_for_run(
        shop.pool, id=delivery.id, job_id=delivery.job_id
    )


async def failing_since(shop):
    return await shop.value("select failing_since from webhook_endpoints")


async def test_of_a_disabled_endpoint_hear_those_of_its_team_that_listen_for_it(shop, team):
    wanted = await listening(shop, team, "webhook_endpoint.*")
    await listening(shop, await new_team(shop))
    await listening(shop, team, mode="live")
    await listening(shop, team, "job.*")
    await disable(shop, await listening(shop, team))
    removed = await listening(shop, team)
    await webhook_endpoints.delete_webhook_endpoint(shop.pool, id=removed.id)

    told = await webhook_deliveries.tell_of_disabled_endpoint(
        shop.pool, facts="{}", team_id=team, mode="sandbox"
    )

    rows = await shop.pool.fetch("select id, webhook_endpoint_id, type from webhook_deliveries")
    assert [tuple(row) for row in rows] == [(told[0], wanted.id, DISABLED)]


async def test_what_is_on_its_way_to_a_disabled_endpoint_is_not_for_sending(
    shop, endpoint, delivery
):
    before = await asked_for(shop, delivery)

    await disable(shop, endpoint)

    assert before.is_listening
    assert not (await asked_for(shop, delivery)).is_listening


async def test_the_job_that_carried_a_message_before_neither_sends_nor_writes(shop, delivery):
    """Its worker was out of touch while somebody had the message sent once more."""
    await record(shop, delivery, "FAILED")
    (again,) = await webhook_deliveries.requeue_webhook_deliveries(shop.pool, ids=[delivery.id])
    queued = await row(shop, delivery)

    found = await asked_for(shop, delivery)
    await record(shop, delivery, "DELIVERED")
    await webhook_deliveries.fail_webhook_delivery(
        shop.pool, id=delivery.id, job_id=delivery.job_id
    )

    assert (again, queued["status"], queued["tries_since_queued"]) == (delivery.id, "PENDING", 0)
    assert queued["job_id"] != delivery.job_id
    assert found is None
    assert await row(shop, delivery) == queued


@pytest.mark.parametrize("status", ["DELIVERED", "FAILED"])
async def test_what_is_over_stays_as_it_ended(shop, delivery, status):
    await record(shop, delivery, status)
    ended = await row(shop, delivery)

    await record(shop, delivery, "PENDING")
    await webhook_deliveries.fail_webhook_delivery(
        shop.pool, id=delivery.id, job_id=delivery.job_id
    )

    assert (ended["status"], ended["tries"]) == (status, 1)
    assert ended["finished_at"] is not None
    assert await row(shop, delivery) == ended
    assert await shop.value("select count(*) from webhook_tries") == 1


async def test_what_is_given_up_has_an_end(shop, delivery):
    await webhook_deliveries.fail_webhook_delivery(
        shop.pool, id=delivery.id, job_id=delivery.job_id
    )

    given_up = await row(shop, delivery)
    assert (given_up["status"], given_up["finished_at"] is not None) == ("FAILED", True)


async def test_the_body_that_was_written_first_is_sent_for_ever(shop, delivery):
    first = await webhook_deliveries.write_webhook_body(shop.pool, body="one", id=delivery.id)
    second = await webhook_deliveries.write_webhook_body(shop.pool, body="two", id=delivery.id)

    assert (first, second) == ("one", "one")


async def test_an_endpoint_fails_since_the_first_failure_until_something_is_received(
    shop, endpoint, delivery
):
    await record(shop, delivery, "PENDING")
    first = await failing_since(shop)
    await record(shop, delivery, "PENDING")
    later = await failing_since(shop)
    waits = await row(shop, delivery)
    await record(shop, await pinged(shop, endpoint), "DELIVERED")

    assert first is not None
    assert later == first, "else no endpoint would ever have failed for days"
    assert (waits["tries_since_queued"], waits["finished_at"]) == (2, None)
    assert await failing_since(shop) is None


@pytest.mark.parametrize(("failing", "is_disabled"), [("47 h", False), ("49 h", True)])
async def test_an_endpoint_is_disabled_once_and_not_before_its_time(
    shop, endpoint, failing, is_disabled
):
    await shop.pool.execute(
        f"update webhook_endpoints set failing_since = now() - interval '{failing}'"  # noqa: S608 - of this file
    )

    elsewhere = await disable(shop, endpoint, hours=48, url="https://example.com/other")
    first = await disable(shop, endpoint, hours=48)
    second = await disable(shop, endpoint)
    third = await disable(shop, endpoint)

    assert elsewhere is None
    assert (first is not None, second is not None) == (is_disabled, not is_disabled)
    assert third is None


async def test_only_the_message_that_is_asked_for_is_hurried_and_not_while_a_worker_has_it(
    shop, endpoint, delivery
):
    asked, over, _other = [await pinged(shop, endpoint) for _ in range(3)]
    await shop.pool.execute(
        "update campaign_jobs set status = 'CANCELLED', finished_at = now() where id = $1",
        over.job_id,
    )
    await shop.pool.execute("update campaign_jobs set due_at = now() + interval '1 hour'")

    for hurried in (delivery, over, asked):
        await webhook_deliveries.hurry_webhook_delivery(shop.pool, id=hurried.id)

    due = await shop.pool.fetch("select id from campaign_jobs where due_at <= now()")
    assert [row["id"] for row in due] == [asked.job_id]


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def happened(shop, team):
    """The numbers of four events of a job of the team, an hour between them."""
    job = await shop.job(await shop.account(team_id=team))
    rows = await shop.pool.fetch(
        """insert into job_events (campaign_job_id, team_id, kind, created_at)
           select $1, $2, 'job.finished', $3::timestamptz + interval '1 hour' * nth
           from generate_series(0, 3) as nth returning id""",
        job,
        team,
        BEGIN,
    )
    return [row["id"] for row in rows]


async def test_of_missed_events_only_those_between_are_made_and_each_once(shop, team):
    numbers = await happened(shop, team)
    await happened(shop, await new_team(shop))
    endpoint = await listening(shop, team)

    async def made(*, first=0, last=10**9, since=BEGIN, until=BEGIN + 4 * HOUR):
        await webhook_deliveries.create_missed_webhooks(
            shop.pool,
            webhook_endpoint_id=endpoint.id,
            team_id=team,
            mode="sandbox",
            events=["job.finished"],
            kinds=["job.finished"],
            first_id=first,
            last_id=last,
            since=since,
            until=until,
            most=100,
        )
        rows = await shop.pool.fetch("select event_id from webhook_deliveries order by event_id")
        return [row["event_id"] for row in rows]

    by_time = await made(since=BEGIN + HOUR, until=BEGIN + 2 * HOUR)
    by_number = await made(first=numbers[1], last=numbers[3])
    everything = await made()

    assert by_time == numbers[1:2]
    assert by_number == numbers[1:3]
    assert everything == await made() == numbers

"""A replay of however long a time is bounded: what is too much is refused at once and changes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from common.uuid7 import key_at
from models.gen import webhook_endpoints
from routes.replays import replay
from tests.routes.conftest import Api

WRITE = """
insert into job_events (campaign_job_id, team_id, kind, created_at)
select j.id, j.team_id, $2, now() - $4::interval
from campaign_jobs as j, generate_series(1, $3) where j.id = $1"""
PINGED = """
insert into webhook_deliveries (id, webhook_endpoint_id, type, job_id, happened_at)
values ($2, $1, 'webhook.ping', new_key(), $3)"""
READ = """
select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
where relname = 'webhook_deliveries'"""
COUNTS = "select status, count(*) from webhook_deliveries group by status"


async def write(api: Api, job: dict, kind: str, count: int, ago: str = "1 day") -> None:
    await api.pool.execute(WRITE.replace("$4", f"'{ago}'"), UUID(job["id"]), kind, count)


async def add_endpoint(caller: httpx.AsyncClient, *events: str) -> str:
    body = {"url": "http://127.0.0.1:9/hook", "events": list(events)}
    answer = await caller.post("/api/v1/webhook_endpoints", json=body)
    assert answer.status_code == 201, answer.text
    return f"/api/v1/webhook_endpoints/{answer.json()['id']}/replay"


async def replayed(caller: httpx.AsyncClient, path: str, **between: str) -> httpx.Response:
    return await caller.post(path, json={"since": "2020-01-01T00:00:00Z", **between})


async def test_what_was_missed_is_found_by_its_time_in_long_history(api, caller, job):
    await write(api, job, "job.finished", 3000, "40 days")
    await write(api, job, "job.waiting", 4000, "20 days")
    await write(api, job, "job.finished", 7, "10 days")
    await write(api, job, "job.finished", 3000, "1 hour")
    path = await add_endpoint(caller, "job.finished")
    since, until = await api.pool.fetchrow(
        "select (now() - interval '11 days')::text, (now() - interval '9 days')::text"
    )

    between = await replayed(caller, path, since=iso(since), until=iso(until))
    nothing = await replayed(caller, path, until="2020-01-02T00:00:00Z")
    too_many = await replayed(caller, path)
    counts = await api.pool.fetch(COUNTS)

    assert (between.status_code, between.json()["queued"]) == (202, 7)
    assert (nothing.status_code, nothing.json()["queued"]) == (202, 0)
    assert (too_many.status_code, too_many.json()["code"]) == (422, "too_many_webhooks")
    assert [tuple(row) for row in counts] == [("PENDING", 7)]


async def test_more_events_than_are_read_are_refused_whatever_is_listened_to(
    api, caller, job, monkeypatch
):
    monkeypatch.setattr("routes.replays.MOST_EVENTS_READ", 500)
    await write(api, job, "job.waiting", 501, "3 days")
    await write(api, job, "job.finished", 2, "1 hour")
    path = await add_endpoint(caller, "job.finished")
    since = await api.pool.fetchval("select (now() - interval '1 day')::text")

    refused = await replayed(caller, path)
    shorter = await replayed(caller, path, since=iso(since))

    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_webhooks")
    assert refused.json()["errors"][0]["pointer"] == "/since"
    assert "More than 500 events" in refused.json()["detail"]
    assert (shorter.status_code, shorter.json()["queued"]) == (202, 2)


async def test_more_known_deliveries_than_are_sent_are_refused_and_left_alone(api, caller, job):
    path = await add_endpoint(caller, "job.finished")
    await write(api, job, "job.finished", 5001)
    await api.pool.execute("update webhook_deliveries set status = 'FAILED', finished_at = now()")

    refused = await replayed(caller, path)
    counts = await api.pool.fetch(COUNTS)

    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_webhooks")
    assert [tuple(row) for row in counts] == [("FAILED", 5001)]


async def test_a_replay_reads_little_of_what_came_later(api, caller, job):
    path = await add_endpoint(caller, "job.finished")
    await write(api, job, "job.finished", 5, "10 days")
    await write(api, job, "job.finished", 6000, "1 hour")
    ago = datetime.now(UTC) - timedelta(days=10)
    ping = UUID(int=key_at(ago.timestamp()).int + 1)
    await api.pool.execute(PINGED, UUID(path.split("/")[-2]), ping, ago)
    await api.pool.execute(
        "update webhook_deliveries set status = 'DELIVERED', finished_at = now()"
    )
    await api.pool.execute("analyze webhook_deliveries")
    day = timedelta(days=1)

    async with api.pool.acquire() as connection, connection.transaction():
        endpoint = await reached(connection, job, path)
        # what the connection read before may not have been handed on yet
        before = await connection.fetchval(READ)
        queued = await replay(connection, endpoint, ago - day, ago + day)
        read = await connection.fetchval(READ) - before

    assert queued == 6
    assert read < 500


async def test_messages_are_sent_again_though_their_events_are_deleted(api, caller, job):
    path = await add_endpoint(caller, "job.finished")
    for ago in ("20 days", "10 days", "1 hour"):
        await write(api, job, "job.finished", 3, ago)
    await api.pool.execute(
        "update webhook_deliveries set status = 'DELIVERED', finished_at = now()"
    )
    now = datetime.now(UTC)
    since, until = now - timedelta(days=11), now - timedelta(days=9)
    await api.pool.execute(
        "delete from job_events where created_at between $1 and $2", since, until
    )

    between = await replayed(caller, path, since=since.isoformat(), until=until.isoformat())
    await api.pool.execute("delete from job_events")
    again = await replayed(caller, path, since=until.isoformat())

    assert (between.status_code, between.json()["queued"]) == (202, 3)
    assert (again.status_code, again.json()["queued"]) == (202, 3)


async def reached(connection, job: dict, path: str):
    team_id = await connection.fetchval(
        "select team_id from campaign_jobs where id = $1", UUID(job["id"])
    )
    return await webhook_endpoints.get_webhook_endpoint(
        connection, id=UUID(path.split("/")[-2]), team_id=team_id
    )


async def test_events_of_the_other_mode_are_not_replayed(api, caller, job):
    await write(api, job, "job.finished", 3)
    live = await api.caller(live=True)
    path = await add_endpoint(live, "*")

    answer = await replayed(live, path)

    assert (answer.status_code, answer.json()["queued"]) == (202, 0)


async def test_a_time_that_ends_before_it_begins_is_refused(api, caller):
    path = await add_endpoint(caller, "*")
    between = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:30:00+01:00"}

    refused = await replayed(caller, path, **between)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    (violation,) = refused.json()["errors"]
    assert (violation["pointer"], violation["code"]) == ("/until", "until_before_since")


def iso(moment: str) -> str:
    return moment.replace(" ", "T").replace("+00", "Z")

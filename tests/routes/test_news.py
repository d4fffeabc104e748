"""What is new is read once for all who are live, and each hears his own, whole and in order."""

import contextlib
import re
from uuid import UUID

import pytest

from common.uuid7 import uuid7
from models.gen import job_events
from routes.audience import MOST_JOBS_ASKED_SINGLY, Audience
from routes.subscriptions import Row, Subscription
from tests.routes.conftest import Api, add_account
from tests.routes.streaming import Stream, served, until
from tests.routes.test_campaign_jobs import add_job, end
from tests.routes.test_events import events_of

WRITE = """
insert into job_events (campaign_job_id, team_id, kind)
select job.id, $2, 'job.waiting' from unnest($1::uuid[]) as job(id), generate_series(1, $3) as nth
order by nth returning id, campaign_job_id"""
_NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)


async def heard(subscription: Subscription, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        taken = await subscription.take(30)
        assert taken
        found += [int(number) for number in _NUMBER.findall(taken)]
    return found


@pytest.mark.parametrize("count", [3, MOST_JOBS_ASKED_SINGLY + 5])
async def test_everybody_hears_his_own_job_however_many_watch(api: Api, count):
    team, jobs = uuid7(), [uuid7() for _ in range(count)]
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")

    with contextlib.ExitStack() as stack:
        subscriptions = [
            stack.enter_context(
                api.watch.subscribed(Subscription(team, job, after=0, key_id=key_id))
            )
            for job in jobs
        ]
        await until(lambda: all(subscription.is_live for subscription in subscriptions))
        rows = await api.pool.fetch(WRITE, [*jobs, uuid7()], team, 4)
        await api.pool.execute("notify campaign_job_changes")
        numbers = [await heard(subscription, 4) for subscription in subscriptions]

    assert numbers == [[row["id"] for row in rows if row["campaign_job_id"] == job] for job in jobs]


async def test_more_news_than_one_look_reads_comes_in_several(api: Api, monkeypatch):
    monkeypatch.setattr("routes.watch._MOST_ROWS", 7)
    teams, jobs = [uuid7(), uuid7()], [uuid7(), uuid7()]
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")
    watching = [Subscription(teams[0], after=0, key_id=key_id)]
    watching += [Subscription(teams[1], job, after=0, key_id=key_id) for job in jobs]

    with contextlib.ExitStack() as stack:
        for subscription in watching:
            stack.enter_context(api.watch.subscribed(subscription))
        await until(lambda: all(subscription.is_live for subscription in watching))
        first = await api.pool.fetch(WRITE, [uuid7(), uuid7()], teams[0], 20)
        second = await api.pool.fetch(WRITE, jobs, teams[1], 20)
        await api.pool.execute("notify campaign_job_changes")
        of_team = await heard(watching[0], 40)
        of_jobs = [await heard(subscription, 20) for subscription in watching[1:]]

    assert of_team == [row["id"] for row in first]
    assert of_jobs == [
        [row["id"] for row in second if row["campaign_job_id"] == job] for job in jobs
    ]


async def test_a_stream_opened_before_the_horizon_hears_only_what_comes_after(api: Api):
    team, job = uuid7(), uuid7()
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")
    old = await api.pool.fetch(WRITE, [job], team, 3)

    with api.watch.subscribed(
        Subscription(team, job, after=old[-1]["id"], key_id=key_id)
    ) as subscription:
        new = await api.pool.fetch(WRITE, [job], team, 2)
        numbers = await heard(subscription, 2)

    assert numbers == [row["id"] for row in new]


@pytest.mark.parametrize("watched_before", [False, True])
async def test_who_watches_first_hears_of_now_without_all_history_being_read(
    api: Api, listener, monkeypatch, watched_before
):
    monkeypatch.setattr("routes.watch._MOST_ROWS", 10)
    team, job = uuid7(), uuid7()
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")
    old = []
    if watched_before:
        old = await api.pool.fetch(WRITE, [job], team, 1)
        with api.watch.subscribed(Subscription(team, after=0, key_id=key_id)) as subscription:
            await heard(subscription, 1)
        # what happens before it knows that nobody watches is news for whoever comes back
        await until(lambda: not api.watch._has_begun)
    rows = await api.pool.fetch(WRITE, [job], team, 2000)
    writer = listener.transaction()
    await writer.start()
    await listener.fetch(WRITE, [uuid7()], uuid7(), 1)

    with api.watch.subscribed(
        Subscription(team, after=rows[-1]["id"], key_id=key_id)
    ) as subscription:
        await until(lambda: api.watch._horizon.last > rows[-1]["id"])
        before = api.watch.settled
        await writer.rollback()
        new = await api.pool.fetch(WRITE, [job], team, 1)
        await until(lambda: api.watch.settled > before)
        settled = api.watch.settled
        numbers = await heard(subscription, 1)

    assert before == sum(row["id"] for row in old)
    assert settled > rows[-1]["id"]
    assert numbers == [new[0]["id"]]


async def test_a_page_that_ends_with_an_end_that_was_retried_does_not_end_the_stream(api, caller):
    await add_account(caller)
    job = await add_job(caller)
    await api.pool.execute(
        "insert into job_events (campaign_job_id, team_id, kind) select id, team_id, "
        "case nth when 500 then 'job.finished' else 'job.waiting' end "
        "from campaign_jobs, generate_series(1, 500) as nth order by nth"
    )
    await end(api, job, "FAILED")
    await caller.post(f"/api/v1/campaign_jobs/{job['id']}/retry")

    async with served(api) as live, live.stream(caller, events_of(job)) as stream:
        whole = await stream.types(501)
        await end(api, job, "SUCCESS")
        await live.tell(job, "job.finished", status="SUCCESS")
        last = await stream.types(2)

    assert whole == ["job.waiting"] * 499 + ["job.finished", "job.retried"]
    assert last == ["job.finished", None]


async def test_a_retry_that_is_not_settled_yet_does_not_end_the_stream(api, caller, listener):
    await add_account(caller)
    job = await add_job(caller)

    async with served(api) as live:
        await end(api, job, "FAILED")
        await live.tell(job, "job.finished", status="FAILED")
        async with live.stream(caller, "/events") as other:
            await settled(api, other, live, job)
            writer = listener.transaction()
            await writer.start()
            await listener.fetch(WRITE, [uuid7()], uuid7(), 1)
            await caller.post(f"/api/v1/campaign_jobs/{job['id']}/retry")
            async with live.stream(caller, events_of(job)) as stream:
                before = await stream.types(2)
                await writer.rollback()
                after = await stream.types(1)

    assert before == ["job.finished", "job.waiting"]
    assert after == ["job.retried"]


async def settled(api: Api, stream: Stream, live, job: dict) -> None:
    """Everything so far is."""
    await live.tell(job, "job.waiting")
    await stream.event()


async def test_a_database_that_was_set_back_is_followed_from_there(api: Api):
    team, job = uuid7(), uuid7()
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")
    rows = await api.pool.fetch(WRITE, [job], team, 9)

    with api.watch.subscribed(Subscription(team, after=0, key_id=key_id)) as subscription:
        first = await heard(subscription, 9)
        await api.pool.execute("truncate job_events restart identity")
        await until(lambda: api.watch.settled == 0)
        numbers = await api.pool.fetch(WRITE, [job], team, 2)
        await until(lambda: api.watch.settled == numbers[-1]["id"])

    assert first == [row["id"] for row in rows]


async def test_only_jobs_with_few_watchers_are_asked_for_singly():
    team, other, jobs = uuid7(), uuid7(), [uuid7() for _ in range(MOST_JOBS_ASKED_SINGLY + 1)]
    audience = Audience()
    told: list[list[Row]] = []

    for job in jobs:
        audience.add(team, job, told.append)
    audience.add(other, jobs[0], told.append)
    crowded = audience.asked()
    audience.discard(team, jobs[0], told.append)
    few = audience.asked()
    for job in jobs:
        audience.discard(team, job, told.append)
    audience.discard(other, jobs[0], told.append)

    assert crowded == ([team], [jobs[0]])
    assert few == ([], [*jobs[1:], jobs[0]])
    assert audience.asked() == ([], [])


async def test_new_events_are_found_by_number_however_large_the_table(api: Api):
    await api.pool.execute(
        "insert into job_events (campaign_job_id, team_id, kind) "
        "select gen_random_uuid(), gen_random_uuid(), 'job.waiting' from generate_series(1, 20000)"
    )
    await api.pool.execute("analyze job_events")
    arguments: list[list[UUID] | int] = [[uuid7()] * 3, [uuid7()] * 3, 5000, 10, 20000]

    plan = "\n".join(
        row[0] for row in await api.pool.fetch(f"explain {job_events.LIST_NEW_EVENTS}", *arguments)
    )

    assert "Seq Scan on job_events" not in plan
    assert "events_of_a_team" in plan
    assert "events_are_numbered" in plan

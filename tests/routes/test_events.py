"""Streams tell every fact once and in order, can be taken up again, and end when nothing can follow."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest

from models.gen import job_events, retention
from routes import events, subscriptions, watch
from tests.routes.conftest import Api, add_account, add_job
from tests.routes.streaming import INSERT, Live, served, until
from tests.routes.test_campaign_jobs import end


@pytest.fixture
async def live(api: Api) -> AsyncGenerator[Live]:
    async with served(api) as live:
        yield live


def events_of(job: dict) -> str:
    return f"/campaign_jobs/{job['id']}/events"


async def finish(live: Live, job: dict, status: str = "SUCCESS") -> int:
    await end(live.api, job, status)
    return await live.tell(job, "job.finished", status=status, code=None)


async def test_a_stream_tells_what_was_and_what_happens_and_ends_with_the_job(live, caller, job):
    first = await live.tell(job, "job.started")

    async with live.stream(caller, events_of(job)) as stream:
        began = await stream.event()
        second = await live.tell(job, "job.step.done", step="campaign", platform_id="23", code=None)
        done = await stream.event()
        await finish(live, job)
        rest = await stream.rest()

    assert stream.answer.headers["content-type"].startswith("text/event-stream")
    assert stream.answer.headers["cache-control"] == "no-cache"
    assert stream.answer.headers["x-accel-buffering"] == "no"
    assert 1000 <= stream.retry <= 3000
    assert (began["id"], began["event"]) == (first, "job.started")
    assert (done["id"], done["event"]) == (second, "job.step.done")
    assert done["data"]["id"] == second
    assert done["data"]["type"] == "job.step.done"
    assert done["data"]["campaign_job_id"] == job["id"]
    assert done["data"]["data"] == {"step": "campaign", "platform_id": "23"}
    assert [event["event"] for event in rest] == ["job.finished"]


async def test_a_stream_goes_on_behind_the_last_event_seen(live, caller, job):
    seen = await live.tell(job, "job.started")
    await live.tell(job, "job.waiting", reason="throttled")
    await finish(live, job)

    async with live.stream(caller, events_of(job), last=seen) as stream:
        rest = await stream.rest()

    assert [event["event"] for event in rest] == ["job.waiting", "job.finished"]


async def test_nothing_can_follow_a_finished_job_that_was_seen_to_its_end(live, caller, job):
    last = await finish(live, job)
    late = await live.tell(job, "job.step.done", step="campaign")

    answers = [
        await caller.get(f"/api/v1{events_of(job)}", headers={"Last-Event-ID": str(number)})
        for number in (last, late)
    ]

    assert [answer.status_code for answer in answers] == [204, 204]


async def test_a_finished_job_whose_facts_are_gone_has_nothing_to_tell(live, caller, job):
    await end(live.api, job, "SUCCESS")

    answer = await caller.get(f"/api/v1{events_of(job)}")

    assert answer.status_code == 204


async def test_a_stream_whose_job_is_deleted_as_it_opens_ends(live, caller, job, monkeypatch):
    first = await live.tell(job, "job.started")
    await finish(live, job)
    look = job_events.get_end_of_job

    async def look_a_moment_before(*where, **named):
        found = await look(*where, **named)
        await retention.delete_old_jobs(live.api.pool, older_than_days=0, most=10, most_steps=1000)
        return found

    monkeypatch.setattr(job_events, "get_end_of_job", look_a_moment_before)
    async with live.stream(caller, events_of(job), last=first) as stream:
        rest = await stream.rest()

    assert stream.answer.status_code == 200
    assert rest == []


async def test_what_a_lost_worker_writes_after_the_end_is_not_told(live, caller, job):
    await live.tell(job, "job.started")
    await finish(live, job)
    await live.tell(job, "job.step.done", step="campaign")

    async with live.stream(caller, events_of(job)) as stream:
        rest = await stream.rest()

    assert [event["event"] for event in rest] == ["job.started", "job.finished"]


async def test_the_stream_of_a_retried_job_tells_both_runs_and_ends_with_the_second(
    live, caller, job
):
    failed = await finish(live, job, "FAILED")
    await caller.post(f"/api/v1/campaign_jobs/{job['id']}/retry")

    async with (
        live.stream(caller, events_of(job)) as whole,
        live.stream(caller, events_of(job), last=failed) as resumed,
    ):
        before = await whole.types(2), await resumed.types(1)
        await finish(live, job)
        after = await whole.types(2), await resumed.types(2)

    assert before == (["job.finished", "job.retried"], ["job.retried"])
    assert after == (["job.finished", None], ["job.finished", None])


async def test_another_teams_job_is_not_found(api, job):
    stranger = await api.caller(team="Others")

    answer = await stranger.get(f"/api/v1{events_of(job)}")

    assert (answer.status_code, answer.json()["code"]) == (404, "campaign_job_not_found")


async def test_a_test_key_hears_nothing_of_live_jobs(api, live, caller, job):
    real = await api.caller(live=True)
    await add_account(real, platform_account_id="act_2", mode="live")
    paid = await add_job(real, platform_account_id="act_2")

    refused = await caller.get(f"/api/v1{events_of(paid)}")
    async with live.stream(caller, "/events") as tested, live.stream(real, "/events") as all_jobs:
        numbers = [await live.tell(paid, "job.started"), await live.tell(job, "job.started")]
        heard = [await tested.event()]
        heard_all = [await all_jobs.event(), await all_jobs.event()]

    assert (refused.status_code, refused.json()["code"]) == (403, "test_key_live_account")
    assert [event["id"] for event in heard] == numbers[1:]
    assert [event["id"] for event in heard_all] == numbers


@pytest.mark.parametrize("path", ["/events", "/campaign_jobs/0/events"])
async def test_who_may_not_read_jobs_may_not_watch_them(api, path):
    poor = await api.caller(scopes=["jobs:write"])

    answer = await poor.get(f"/api/v1{path}")

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_parameters_are_refused(caller):
    answer = await caller.get("/api/v1/events?since=3")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")


async def test_a_team_hears_of_its_own_jobs_from_now_on_or_from_a_number_on(api, live, caller, job):
    stranger = await api.caller(team="Others")
    await add_account(stranger, platform_account_id="act_3")
    foreign = await add_job(stranger, platform_account_id="act_3")
    old = await live.tell(job, "job.started")

    async with (
        live.stream(caller, "/events") as fresh,
        live.stream(caller, "/events", last=old - 1) as resumed,
    ):
        await live.tell(foreign, "job.started")
        other = await add_job(caller)
        new = await live.tell(other, "job.started")
        heard = await fresh.event()
        heard_again = [await resumed.event(), await resumed.event()]

    assert (heard["id"], heard["data"]["campaign_job_id"]) == (new, other["id"])
    assert [event["id"] for event in heard_again] == [old, new]


async def test_long_history_comes_in_order_and_whole(live, caller, job):
    await live.api.pool.execute(
        "insert into job_events (campaign_job_id, team_id, kind) "
        "select id, team_id, 'job.waiting' from campaign_jobs, generate_series(1, 3210)"
    )
    last = await finish(live, job)

    async with live.stream(caller, events_of(job)) as one:
        numbers = [event["id"] for event in await one.rest()]
    async with live.stream(caller, "/events", last=0) as team:
        heard = [(await team.event())["id"] for _ in range(3211)]

    assert numbers == heard == list(range(last - 3210, last + 1))


async def test_what_is_committed_late_is_not_skipped(live, caller, job, database):
    slow = await asyncpg.connect(database)
    transaction = slow.transaction()
    await transaction.start()
    early = await slow.fetchval(INSERT, UUID(job["id"]), "job.started", "{}")

    async with (
        live.stream(caller, events_of(job)) as one,
        live.stream(caller, "/events", last=0) as team,
    ):
        late = await live.tell(job, "job.waiting")
        readings = [asyncio.create_task(stream.event()) for stream in (one, team)]
        done, _ = await asyncio.wait(readings, timeout=0.5)
        await transaction.commit()
        firsts = [await reading for reading in readings]
        seconds = [await stream.event() for stream in (one, team)]
    await slow.close()

    assert early < late
    assert not done
    assert [event["id"] for event in firsts] == [early, early]
    assert [event["id"] for event in seconds] == [late, late]


async def test_what_a_stream_from_now_on_passes_over_can_be_seen_when_it_begins(
    live, caller, job, listener
):
    writing = listener.transaction()
    await writing.start()
    early = await listener.fetchval(INSERT, UUID(job["id"]), "job.started", "{}")
    begun = asyncio.Event()

    async def hear() -> tuple[bool, int]:
        async with live.stream(caller, "/events") as stream:
            is_seen = await live.api.pool.fetchval(
                "select exists (select from job_events where id = $1)", early
            )
            begun.set()
            return is_seen, (await stream.event())["id"]

    hearing = asyncio.create_task(hear())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(begun.wait(), 0.5)
    await writing.commit()
    await begun.wait()
    late = await live.tell(job, "job.waiting")
    is_seen, first = await hearing

    assert first == (late if is_seen else early)


async def test_a_writer_who_does_not_end_keeps_nobody_from_watching(
    live, caller, job, listener, monkeypatch
):
    monkeypatch.setattr(watch, "_LONGEST_ARRIVAL_SECONDS", 0.1)
    writing = listener.transaction()
    await writing.start()
    await listener.fetchval(INSERT, UUID(job["id"]), "job.started", "{}")

    async with live.stream(caller, "/events") as stream:
        await writing.rollback()
        late = await live.tell(job, "job.waiting")
        first = await stream.event()

    assert first["id"] == late


async def test_a_reader_who_is_too_slow_is_cut_off_cleanly_and_can_go_on(
    live, caller, job, monkeypatch
):
    monkeypatch.setattr(subscriptions, "MOST_WAITING", 300)
    count, text = 2000, "x" * 10_000

    async with live.stream(caller, "/events") as stream:
        first = await live.tell(job, "job.started")
        heard = [(await stream.event())["id"]]
        for _ in range(count // 100):
            await live.api.pool.execute(
                "insert into job_events (campaign_job_id, team_id, kind, data) "
                "select id, team_id, 'job.waiting', jsonb_build_object('reason', $1::text) "
                "from campaign_jobs, generate_series(1, 100)",
                text,
            )
            await live.api.pool.execute("notify campaign_job_changes")
            await until_read(live.api)
        heard += [event["id"] for event in await stream.rest()]
    async with live.stream(caller, "/events", last=heard[-1]) as stream:
        missed = count + 1 - len(heard)
        heard_later = [(await stream.event())["id"] for _ in range(missed)]

    assert missed > 0
    assert heard + heard_later == list(range(first, first + count + 1))


async def test_a_stream_ends_soon_after_its_key_was_revoked(live, caller, job):
    async with live.stream(caller, "/events") as stream:
        number = await live.tell(job, "job.started")
        heard = await stream.event()
        await live.api.pool.execute("update api_keys set revoked_at = now()")
        ended = await stream.event()

    assert heard["id"] == number
    assert ended is None


async def test_who_is_cut_off_before_the_first_event_knows_where_to_go_on(
    live, caller, job, monkeypatch
):
    monkeypatch.setattr(events, "_PING_SECONDS", 0.05)
    before = await live.tell(job, "job.started")

    async with live.stream(caller, "/events") as stream:
        reading = asyncio.create_task(stream.event())
        await until(lambda: bool(stream.comments))
        reading.cancel()
    missed = await live.tell(job, "job.waiting")
    async with live.stream(caller, "/events", last=stream.last) as again:
        heard = await again.event()

    assert stream.last == before
    assert heard["id"] == missed


async def test_a_stream_on_which_nothing_happens_shows_that_it_lives(
    live, caller, job, monkeypatch
):
    monkeypatch.setattr(events, "_PING_SECONDS", 0.05)

    async with live.stream(caller, "/events") as stream:
        reading = asyncio.create_task(stream.event())
        await until(lambda: len(stream.comments) >= 2)
        number = await live.tell(job, "job.started")
        heard = await reading

    assert set(stream.comments) == {"ping"}
    assert heard["id"] == number


async def test_who_leaves_is_forgotten(live, caller, job):
    async with live.stream(caller, "/events") as stream:
        await live.tell(job, "job.started")
        await stream.event()
        while_there = len(live.api.watch.subscriptions)

    await until(lambda: not live.api.watch.subscriptions)

    assert while_there == 1


async def test_streams_end_when_the_program_stops(live, caller, job):
    async with live.stream(caller, "/events") as team, live.stream(caller, events_of(job)) as one:
        await live.tell(job, "job.started")
        before = await team.types(1) + await one.types(1)
        live.api.watch.stopping.set()
        ended = [await team.event(), await one.event()]
    async with live.stream(caller, "/events") as late:
        nothing = await late.event()

    assert before == ["job.started"] * 2
    assert ended == [None, None]
    assert nothing is None


async def test_streams_go_on_when_the_database_comes_back(live, caller, job, listener):
    async with live.stream(caller, "/events") as stream:
        await live.tell(job, "job.started")
        await stream.event()
        await cut_all(listener)
        # the pool may not have heard yet that its connections are gone
        number = await live.tell(job, "job.waiting", over=listener)
        heard = await stream.event()

    assert heard["id"] == number


async def cut_all(own: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Every connection but this one; to the server they are gone when it returns."""
    cut = await own.fetch(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert {row[0] for row in cut} == {True}


async def until_read(api: Api) -> None:
    """Until the reader has handed out everything that there is."""
    last = await api.pool.fetchval("select max(id) from job_events")
    await until(lambda: api.watch.settled >= last)

"""Events read as every other answer: they say whether money is in play, and all moments have one form."""

from uuid import UUID

from models.event_facts import facts_of
from tests.routes.conftest import add_account, add_job
from tests.routes.meta_requests import meta_request
from tests.routes.streaming import served

TELL_OF_A_WAIT = """
insert into job_events (campaign_job_id, team_id, kind, data)
select id, team_id, 'job.waiting', jsonb_build_object('reason', 'throttled', 'until', due_at)
from campaign_jobs where id = $1"""


async def test_events_of_streams_say_whether_money_is_in_play(api, caller):
    owner = await api.caller(live=True)
    await add_account(caller)
    await add_account(owner, mode="live", platform_account_id="act_7")
    free = await add_job(caller)
    paid = (
        await owner.post("/api/v1/ads/meta", json=meta_request(platform_account_id="act_7"))
    ).json()

    async with served(api) as live:
        async with live.stream(owner, "/events", last=0) as stream:
            await live.tell(free, "job.started")
            await live.tell(paid, "job.started")
            told = [await stream.event(), await stream.event()]
        for job, expected in ((free, False), (paid, True)):
            async with live.stream(owner, f"/campaign_jobs/{job['id']}/events") as stream:
                history = await stream.event()
                await live.tell(job, "job.waiting")
                news = await stream.event()
            assert [history["data"]["livemode"], news["data"]["livemode"]] == [expected, expected]

    assert [event["data"]["livemode"] for event in told] == [False, True]


async def test_moments_within_events_read_as_all_others_whatever_zone_wrote_them(api, caller):
    await add_account(caller)
    job = await add_job(caller)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local time zone 'Asia/Kolkata'")
        await connection.execute(TELL_OF_A_WAIT, UUID(job["id"]))

    async with (
        served(api) as live,
        live.stream(caller, f"/campaign_jobs/{job['id']}/events") as stream,
    ):
        event = await stream.event()

    assert event["data"]["data"]["until"].endswith("Z")
    assert event["data"]["data"]["until"][:19] == job["created_at"][:19]


def test_what_is_no_moment_stays_as_it_is():
    facts = facts_of('{"until": "the cows come home", "reason": null}')

    assert facts == {"until": "the cows come home", "reason": None}

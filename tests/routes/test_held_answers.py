"""An answer is held until there is news or time is over, and a known version is not sent again."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import httpx
import pytest

from routes.job_looks import JobLooks
from tests.routes.conftest import Api
from tests.routes.streaming import until
from tests.routes.test_campaign_jobs import URL, claim, end, record_step

pytestmark = pytest.mark.usefixtures("patient")


@contextlib.asynccontextmanager
async def held(
    api: Api, caller: httpx.AsyncClient, job: dict, query: str = "", **headers: str
) -> AsyncGenerator[asyncio.Task[httpx.Response]]:
    """A request whose answer is held; it is answered by the end of the block, or within 30 s."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = caller.get(f"{URL}/{job['id']}{query}", headers={"Prefer": "wait=30", **named})
    task = asyncio.create_task(request)
    await until(lambda: len(api.watch.holds) > 0 or task.done())
    assert not task.done()
    yield task
    await asyncio.wait_for(task, 25)


async def told(api: Api) -> None:
    await api.pool.execute("notify campaign_job_changes")


async def test_an_answer_is_held_until_the_status_changes(api, caller, job):
    async with held(api, caller, job) as asked:
        await claim(api, job)
        await told(api)
    answer = asked.result()

    assert (answer.status_code, answer.json()["status"]) == (200, "PROCESSING")
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["etag"]


async def test_a_change_that_nobody_told_of_is_seen_all_the_same(api, caller, job):
    async with held(api, caller, job) as asked:
        await claim(api, job)

    assert asked.result().json()["status"] == "PROCESSING"


async def test_a_step_alone_does_not_end_the_wait_for_a_status(api, caller, job):
    async with held(api, caller, job) as asked:
        await record_step(api, job, "campaign", "campaign", "23")
        await told(api)
        done, _ = await asyncio.wait([asked], timeout=0.5)
        await claim(api, job)
        await told(api)

    assert not done
    assert asked.result().json()["status"] == "PROCESSING"


async def test_with_a_known_version_any_change_ends_the_wait(api, caller, job):
    known = (await caller.get(f"{URL}/{job['id']}")).headers["etag"]

    async with held(api, caller, job, If_None_Match=known) as asked:
        await record_step(api, job, "campaign", "campaign", "23")
        await told(api)
    answer = asked.result()

    assert answer.status_code == 200
    assert answer.json()["progress"]["done"] == 1
    assert answer.headers["etag"] != known


async def test_a_held_answer_shows_the_account_that_was_asked_for_under_the_same_version(
    api, caller, job
):
    query = "?expand=ad_account"
    plain = await caller.get(f"{URL}/{job['id']}")
    known = (await caller.get(f"{URL}/{job['id']}{query}")).headers["etag"]

    async with held(api, caller, job, query, If_None_Match=known) as asked:
        await record_step(api, job, "campaign", "campaign", "23")
        await told(api)
    answer = asked.result()
    again = await caller.get(f"{URL}/{job['id']}{query}")
    seen = {"If-None-Match": answer.headers["etag"], "Prefer": "wait=0"}
    unchanged = await caller.get(f"{URL}/{job['id']}{query}", headers=seen)

    assert known != plain.headers["etag"]
    assert answer.json()["ad_account"]["id"] == job["ad_account_id"]
    assert answer.json() == again.json()
    assert answer.headers["etag"] == again.headers["etag"]
    assert unchanged.status_code == 304


async def test_a_known_version_is_not_sent_again(caller, job):
    url = f"{URL}/{job['id']}"
    known = (await caller.get(url)).headers["etag"]
    forms = (known, f"W/{known}", f'"other", {known}', "*")

    answers = [await caller.get(url, headers={"If-None-Match": form}) for form in forms]
    lines = [("If-None-Match", '"other"'), ("If-None-Match", known)]
    answers.append(await caller.get(url, headers=lines))
    other = await caller.get(url, headers={"If-None-Match": '"other", nonsense,'})

    assert [answer.status_code for answer in answers] == [304] * 5
    assert {answer.headers["etag"] for answer in answers} == {known}
    assert {answer.content for answer in answers} == {b""}
    assert (other.status_code, other.headers["etag"]) == (200, known)


async def test_when_time_is_over_the_present_state_is_told(caller, job):
    url = f"{URL}/{job['id']}"

    plain = await caller.get(url, headers={"Prefer": "wait=1"})
    known = plain.headers["etag"]
    same = await caller.get(url, headers={"Prefer": "wait=1", "If-None-Match": known})

    assert (plain.status_code, plain.json()["status"]) == (200, "PENDING")
    assert (same.status_code, same.headers["etag"]) == (304, known)
    assert same.headers["preference-applied"] == "wait=1"


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "PARTIAL_SUCCESS", "CANCELLED"])
async def test_a_finished_job_answers_at_once(api, caller, job, status):
    await end(api, job, status)
    headers = {"Prefer": "wait=30"}

    async with asyncio.timeout(25):
        answer = await caller.get(f"{URL}/{job['id']}", headers=headers)
        headers["If-None-Match"] = answer.headers["etag"]
        again = await caller.get(f"{URL}/{job['id']}", headers=headers)

    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert again.status_code == 304
    assert answer.headers["preference-applied"] == again.headers["preference-applied"] == "wait=30"


async def test_a_version_that_is_not_the_present_one_is_answered_at_once(caller, job):
    headers = {"Prefer": "wait=30", "If-None-Match": '"older"'}

    async with asyncio.timeout(25):
        answer = await caller.get(f"{URL}/{job['id']}", headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "prefer",
    ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", 'wait="', "wait=²", "=;,", "x; wait=9"],
)
async def test_a_preference_that_cannot_be_read_is_ignored(caller, job, prefer):
    async with asyncio.timeout(25):
        answer = await caller.get(f"{URL}/{job['id']}", headers={"Prefer": prefer.encode()})

    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=0", "wait=0"),
        ("respond-async, WAIT = 7", "wait=7"),
        ('wait="8"; foo', "wait=8"),
        ("wait=9, wait=1", "wait=9"),
        ("wait=31", "wait=30"),
        ("wait=" + "9" * 5000, "wait=30"),
        ("wait=" + "0" * 5000 + "5", "wait=5"),
    ],
)
async def test_what_is_applied_is_told(api, caller, job, prefer, applied):
    await end(api, job, "SUCCESS")

    answer = await caller.get(f"{URL}/{job['id']}", headers={"Prefer": prefer})

    assert answer.headers["preference-applied"] == applied


async def test_held_answers_are_given_when_the_program_stops(api, caller, job):
    async with held(api, caller, job) as asked:
        api.watch.stopping.set()
    later = await caller.get(f"{URL}/{job['id']}", headers={"Prefer": "wait=30"})

    assert (asked.result().status_code, asked.result().json()["status"]) == (200, "PENDING")
    assert later.status_code == 200


async def test_a_job_that_vanishes_meanwhile_is_not_found(api, caller, job):
    async with held(api, caller, job) as asked:
        await api.pool.execute("delete from campaign_jobs")
        await told(api)

    assert (asked.result().status_code, asked.result().json()["code"]) == (
        404,
        "campaign_job_not_found",
    )


async def test_many_held_answers_end_together(api, caller, job):
    async with contextlib.AsyncExitStack() as stack:
        tasks = [await stack.enter_async_context(held(api, caller, job)) for _ in range(50)]
        await until(lambda: len(api.watch.holds) == 50)
        await claim(api, job)
        await told(api)

    assert {task.result().json()["status"] for task in tasks} == {"PROCESSING"}


async def test_those_who_look_at_one_job_at_one_time_share_the_answer(api, job):
    looks = JobLooks(api.pool)

    found = await asyncio.gather(*(looks.look(UUID(job["id"])) for _ in range(50)))
    nobody = await looks.look(uuid4())

    assert all(view is found[0] for view in found)
    assert (str(found[0].id), nobody) == (job["id"], None)


async def test_a_question_that_fails_fails_for_all_who_asked(api, caller, job):
    async with (
        held(api, caller, job) as one,
        held(api, caller, job) as other,
    ):
        await until(lambda: len(api.watch.holds) == 2)
        await api.pool.execute("alter table campaign_requests rename to gone")
        await claim(api, job)
        await told(api)

    assert {one.result().status_code, other.result().status_code} == {500}

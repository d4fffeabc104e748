"""Jobs are shown, listed, stopped and tried again, each move only from where it makes sense."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from models.job import JobError
from models.jsonb import to_jsonb
from tests.routes.conftest import Api, add_account, add_job
from tests.routes.meta_requests import STEPS

URL = "/api/v1/campaign_jobs"


async def claim(api: Api, job: dict) -> None:
    await api.pool.execute(
        "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), "
        "worker_id = gen_random_uuid(), started_at = now() where id = $1",
        UUID(job["id"]),
    )


async def end(api: Api, job: dict, status: str, error: JobError | None = None) -> None:
    await claim(api, job)
    await api.pool.execute(
        "update campaign_jobs set status = $2, claim_token = null, worker_id = null, error = $3, "
        "finished_at = now(), platform_campaign_id = '23' where id = $1",
        UUID(job["id"]),
        status,
        None if error is None else to_jsonb(error),
    )


async def record_step(api: Api, job: dict, name: str, kind: str, platform_id: str) -> None:
    await api.pool.execute(
        "insert into job_steps (campaign_job_id, name, position, kind, status, platform_id, "
        "claim_token, started_at, finished_at) "
        "values ($1, $2, $3, $4, 'DONE', $5, gen_random_uuid(), now(), now())",
        UUID(job["id"]),
        name,
        STEPS.index(name),
        kind,
        platform_id,
    )


async def test_a_job_shows_what_it_has_made(api, caller, job):
    await claim(api, job)
    await record_step(api, job, "media[hero]", "media", "abc")
    await record_step(api, job, "campaign", "campaign", "23")

    view = (await caller.get(f"{URL}/{job['id']}")).json()

    assert view["status"] == "PROCESSING"
    assert view["progress"] == {"done": 2, "total": 5}
    assert view["platform_ids"]["campaign"] == view["platform_campaign_id"] == "23"
    assert view["platform_ids"]["media"] == {"hero": "abc"}
    assert [step["status"] for step in view["steps"]] == ["DONE"] * 2 + ["PENDING"] * 3


async def test_the_tag_of_a_job_changes_when_its_steps_do(api, caller, job):
    url = f"{URL}/{job['id']}"

    before, same = await caller.get(url), await caller.get(url)
    await record_step(api, job, "campaign", "campaign", "23")
    after = await caller.get(url)

    assert before.headers["etag"] == same.headers["etag"] != after.headers["etag"]


async def test_a_failed_job_says_why_and_what_to_do(api, caller, job):
    error = JobError(step="ad[0][0]", code="invalid_link", message="No.", remedy="Change it.")
    await end(api, job, "FAILED", error)

    view = (await caller.get(f"{URL}/{job['id']}")).json()

    assert view["status"] == "FAILED"
    assert view["error"]["step"] == "ad[0][0]"
    assert view["error"]["code"] == "invalid_link"
    assert view["error"]["remedy"] == "Change it."
    assert view["finished_at"] is not None


async def test_a_waiting_job_says_for_what_and_until_when(api, caller, job):
    await api.pool.execute(
        "update campaign_jobs set status = 'PROCESSING', waiting_reason = 'throttled', "
        "due_at = now() + interval '1 hour', waiting_since = created_at + interval '1 minute'"
    )

    view = (await caller.get(f"{URL}/{job['id']}")).json()

    since, until, created_at = (
        datetime.fromisoformat(text)
        for text in (view["waiting"]["since"], view["waiting"]["until"], view["created_at"])
    )
    assert view["waiting"]["reason"] == "throttled"
    assert until > created_at
    assert since == created_at + timedelta(minutes=1)


@pytest.mark.parametrize("verb", ["", "/cancel", "/retry"])
@pytest.mark.parametrize(
    "job_id", [str(uuid4()), "nonsense", "0"], ids=["unknown", "nonsense", "0"]
)
async def test_what_is_no_job_is_not_found(caller, verb, job_id):
    method = "POST" if verb else "GET"

    answer = await caller.request(method, f"{URL}/{job_id}{verb}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "campaign_job_not_found"


async def test_a_job_of_another_team_is_not_found(api, job):
    stranger = await api.caller(team="Other")

    answers = [
        await stranger.get(f"{URL}/{job['id']}"),
        await stranger.post(f"{URL}/{job['id']}/cancel"),
        await stranger.post(f"{URL}/{job['id']}/retry"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (await stranger.get(URL)).json()["data"] == []


async def test_a_job_that_nobody_has_is_cancelled_at_once(caller, job):
    answer = await caller.post(f"{URL}/{job['id']}/cancel")

    assert answer.status_code == 202
    assert answer.headers["location"] == f"{URL}/{job['id']}"
    assert answer.json()["status"] == "CANCELLED"
    assert answer.json()["finished_at"] is not None


async def test_a_job_that_a_worker_has_is_told_to_stop(api, caller, job):
    await claim(api, job)

    first = await caller.post(f"{URL}/{job['id']}/cancel")
    again = await caller.post(f"{URL}/{job['id']}/cancel")

    assert first.status_code == again.status_code == 202
    assert first.json()["status"] == "PROCESSING"
    assert first.json()["cancel_requested"] is True
    told = await api.pool.fetch(
        "select kind from job_events where campaign_job_id = $1 order by id", UUID(job["id"])
    )
    assert [row["kind"] for row in told].count("job.cancel_requested") == 1


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "PARTIAL_SUCCESS", "CANCELLED"])
async def test_a_finished_job_cannot_be_cancelled(api, caller, job, status):
    await end(api, job, status)

    answer = await caller.post(f"{URL}/{job['id']}/cancel")

    assert answer.status_code == 409
    assert answer.json()["code"] == "job_already_finished"
    assert status in answer.json()["detail"]


@pytest.mark.parametrize("status", ["FAILED", "PARTIAL_SUCCESS", "CANCELLED"])
async def test_what_did_not_succeed_can_be_tried_again(api, caller, job, status):
    await record_step(api, job, "campaign", "campaign", "23")
    await end(api, job, status, JobError(code="x", message="y"))

    answer = await caller.post(f"{URL}/{job['id']}/retry")

    view = answer.json()
    assert answer.status_code == 202
    assert view["status"] == "PENDING"
    assert view["error"] is None
    assert view["finished_at"] is None
    assert view["progress"]["done"] == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PENDING", "job_already_processing"),
        ("PROCESSING", "job_already_processing"),
        ("SUCCESS", "job_not_retryable"),
    ],
)
async def test_what_runs_or_succeeded_cannot_be_tried_again(api, caller, job, status, code):
    if status == "PROCESSING":
        await claim(api, job)
    if status == "SUCCESS":
        await end(api, job, status)

    answer = await caller.post(f"{URL}/{job['id']}/retry")

    assert answer.status_code == 409
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("INACTIVE", "ad_account_not_active"),
        ("SUSPENDED", "ad_account_not_active"),
        ("REQUIRES_REAUTH", "ad_account_requires_reauth"),
    ],
)
async def test_a_retry_needs_an_account_that_can_work(api, caller, job, status, code):
    await end(api, job, "FAILED")
    await api.pool.execute("update ad_accounts set status = $1", status)

    answer = await caller.post(f"{URL}/{job['id']}/retry")

    assert answer.status_code == 409
    assert answer.json()["code"] == code
    assert await api.pool.fetchval("select status from campaign_jobs") == "FAILED"


async def test_a_retry_needs_an_account_that_is_still_there(api, caller, job):
    await end(api, job, "FAILED")
    await caller.delete(f"/api/v1/ad_accounts/{job['ad_account_id']}")

    answer = await caller.post(f"{URL}/{job['id']}/retry")

    assert answer.status_code == 409
    assert answer.json()["code"] == "ad_account_not_found"


async def test_a_test_key_sees_and_moves_no_live_job(api, caller):
    live = await api.caller(live=True)
    await add_account(live, mode="live")
    job = await add_job(live)
    await end(api, job, "FAILED")

    answers = [
        await caller.get(f"{URL}/{job['id']}"),
        await caller.post(f"{URL}/{job['id']}/cancel"),
        await caller.post(f"{URL}/{job['id']}/retry"),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert (await caller.get(URL)).json()["data"] == []
    assert len((await live.get(URL)).json()["data"]) == 1


async def test_lists_hold_every_job_once_newest_first(caller, job):
    made = [job["id"]] + [(await add_job(caller))["id"] for _ in range(4)]

    seen, cursor = [], None
    while cursor is not None or not seen:
        parameters = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await caller.get(URL, params=parameters)).json()
        seen += [entry["id"] for entry in page["data"]]
        cursor = page["next_cursor"]

    assert seen == list(reversed(made))


async def test_a_listed_job_looks_like_the_job_itself(api, caller, job):
    await record_step(api, job, "campaign", "campaign", "23")

    (listed,) = (await caller.get(URL)).json()["data"]

    assert listed == (await caller.get(f"{URL}/{job['id']}")).json()


async def test_lists_filter_by_status_account_platform_and_time(api, caller, job):
    other = await add_account(caller, platform_account_id="act_2")
    failed = await add_job(caller, platform_account_id="act_2")
    await end(api, failed, "FAILED")
    middle = datetime.fromisoformat(failed["created_at"])
    later = (middle + timedelta(hours=1)).isoformat()

    async def found(**parameters: str) -> list[str]:
        answer = await caller.get(URL, params=parameters)
        assert answer.status_code == 200, answer.text
        return [entry["id"] for entry in answer.json()["data"]]

    assert await found(status="FAILED") == [failed["id"]]
    assert await found(status="PENDING") == [job["id"]]
    assert await found(ad_account_id=other["id"]) == [failed["id"]]
    assert await found(platform_type="META") == [failed["id"], job["id"]]
    assert await found(platform_type="GOOGLE_ADS") == []
    assert await found(created_after=middle.isoformat()) == [failed["id"]]
    assert await found(created_before=middle.isoformat()) == [job["id"]]
    assert await found(created_after=later) == []
    assert await found(ad_account_id=str(uuid4())) == []


@pytest.mark.parametrize(
    "query",
    [
        "status=DONE",
        "status=",
        "ad_account_id=act_1",
        "created_after=yesterday",
        "created_after=2026-01-01T00:00:00",
        "platform_type=meta",
        "page=2",
        "limit=1000",
    ],
)
async def test_wrong_filters_are_refused(caller, query):
    answer = await caller.get(f"{URL}?{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


async def test_the_view_never_holds_a_secret_or_the_inside_of_the_machine(api, caller, job):
    await claim(api, job)

    text = (await caller.get(f"{URL}/{job['id']}")).text

    assert "claim_token" not in text
    assert "EAAB" not in text
    assert msgspec.json.decode(text)["kind"] == "BUILD_CAMPAIGN"

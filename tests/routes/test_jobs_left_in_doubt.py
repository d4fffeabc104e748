"""A job that is over and has steps nobody heard the end of: what may exist is named."""

import asyncio
import json
from uuid import UUID

import httpx
import msgspec
import pytest

from models.activation import not_asked
from models.gen import campaign_jobs
from models.job_views import brief_job_view
from models.marker import marker
from tests.house.conftest import until
from tests.routes.conftest import Api, add_account
from tests.routes.meta_requests import STEPS, meta_request
from workers.platforms.meta.outcomes import NEW_CREDENTIALS
from workers.writes import Move, write_moves

NO_ANSWER = '{"code": "no_answer", "message": "no answer came", "remedy": "Nothing; we ask."}'


async def left(
    api: Api, caller: httpx.AsyncClient, status: str, rows: dict[str, tuple[str, str | None]]
) -> dict:
    """A job that ended so, with steps of these kinds in these states."""
    await add_account(caller)
    job = (await caller.post("/api/v1/ads/meta", json=meta_request())).json()
    for name, (state, error) in rows.items():
        await api.pool.execute(
            "insert into job_steps (campaign_job_id, name, position, kind, status, error, claim_token) "
            "values ($1, $2, $3, $4, $5, $6, gen_random_uuid())",
            UUID(job["id"]), name, STEPS.index(name), name.split("[")[0], state, error,
        )  # fmt: skip
    await api.pool.execute(
        "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), "
        "worker_id = gen_random_uuid(), started_at = now()"
    )
    if status != "PROCESSING":
        await api.pool.execute(
            "update campaign_jobs set status = $1, claim_token = null, worker_id = null, "
            "finished_at = now()",
            status,
        )
    shown = (await caller.get(f"/api/v1/campaign_jobs/{job['id']}")).json()
    return {step["name"]: step for step in shown["steps"]} | {"id": UUID(job["id"])}


@pytest.mark.parametrize("status", ["CANCELLED", "FAILED"])
async def test_what_may_exist_is_named_when_the_job_is_over(api, caller, status):
    rows = {"campaign": ("IN_DOUBT", NO_ANSWER), "ad_set[0]": ("RUNNING", None)}

    job = await left(api, caller, status, rows=rows)

    for name, code in (("campaign", "no_answer"), ("ad_set[0]", "in_doubt")):
        assert job[name]["status"] == "IN_DOUBT"
        assert job[name]["error"]["code"] == code
        assert f"[{marker(job['id'], name)}]" in job[name]["error"]["remedy"]
        assert job[name]["error"]["retryable"] is True


async def test_nothing_is_named_while_the_job_goes_on(api, caller):
    rows = {"campaign": ("IN_DOUBT", NO_ANSWER), "ad_set[0]": ("RUNNING", None)}

    job = await left(api, caller, "PROCESSING", rows=rows)

    assert [job[name]["status"] for name in rows] == ["IN_DOUBT", "RUNNING"]
    assert job["campaign"]["error"]["remedy"] == "Nothing; we ask."
    assert job["ad_set[0]"]["error"] is None


async def test_media_that_may_be_there_cost_nothing_and_are_not_looked_for(api, caller):
    job = await left(api, caller, "CANCELLED", rows={"media[hero]": ("RUNNING", None)})

    assert job["media[hero]"]["status"] == "IN_DOUBT"
    assert job["media[hero]"]["error"] is None


@pytest.mark.parametrize("state", ["WAITING", "PENDING"])
async def test_a_step_that_nobody_begins_any_more_is_skipped(api, caller, state):
    job = await left(api, caller, "CANCELLED", rows={"campaign": (state, NO_ANSWER)})

    assert job["campaign"]["status"] == job["ad_set[0]"]["status"] == "SKIPPED"
    assert job["campaign"]["error"]["code"] == "no_answer"
    assert job["campaign"]["error"]["remedy"] == "A retry of the job goes on with it."
    assert job["campaign"]["error"]["retryable"] is True


async def test_what_somebody_must_do_first_is_said_of_a_step_that_is_skipped(api, caller):
    dead = f'{{"code": "token_rejected", "message": "m", "remedy": "{NEW_CREDENTIALS}"}}'

    job = await left(api, caller, "FAILED", rows={"campaign": ("WAITING", dead)})

    assert job["campaign"]["error"]["remedy"] == (
        "Replace the account's credentials. A retry of the job goes on with it."
    )


async def test_a_cancelled_job_does_not_tell_what_it_waited_for_last(api, caller):
    job = await left(api, caller, "CANCELLED", rows={})
    await api.pool.execute("update campaign_jobs set error = $1", NO_ANSWER)

    shown = (await caller.get(f"/api/v1/campaign_jobs/{job['id']}")).json()

    assert shown["error"] is None


@pytest.mark.parametrize("state", ["WAITING", "PENDING"])
async def test_a_step_waits_as_long_as_its_job_does(api, caller, state):
    job = await left(api, caller, "PROCESSING", rows={"campaign": (state, NO_ANSWER)})

    assert job["campaign"]["status"] == state
    assert job["campaign"]["error"]["remedy"] == "Nothing; we ask."


@pytest.mark.parametrize("state", ["DONE", "FAILED"])
async def test_a_step_that_came_to_its_end_stays_there(api, caller, state):
    job = await left(api, caller, "CANCELLED", rows={"campaign": (state, NO_ANSWER)})

    assert job["campaign"]["status"] == state


RUN = UUID(int=1)
"""That has begun the activation last."""
UNFINISHED = ["RUNNING", "WAITING", "PENDING", "IN_DOUBT"]


async def begun_activation(
    api: Api,
    caller: httpx.AsyncClient,
    state: str,
    progress: dict | None,
    error: str | None = None,
) -> str:
    """The id of a job whose activation has come so far."""
    await add_account(caller)
    job = (await caller.post("/api/v1/ads/meta", json=meta_request(activate=True))).json()
    await api.pool.execute(
        "insert into job_steps (campaign_job_id, name, position, kind, status, outcome, error, claim_token) "
        "values ($1, 'activate', 5, 'activate', $2, $3, $4, $5)",
        UUID(job["id"]), state, None if progress is None else json.dumps(progress), error, RUN,
    )  # fmt: skip
    return job["id"]


async def cancelled(caller: httpx.AsyncClient, job_id: str) -> dict:
    await caller.post(f"/api/v1/campaign_jobs/{job_id}/cancel")
    return (await caller.get(f"/api/v1/campaign_jobs/{job_id}")).json()


async def activation_left(api: Api, caller: httpx.AsyncClient, state: str, left: int) -> dict:
    """The activation of a cancelled job, so many objects of which were not ACTIVE yet."""
    progress = {"activated": 3 - left, "left": left}
    job = await cancelled(caller, await begun_activation(api, caller, state, progress))
    return job["steps"][-1]


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_campaign_that_may_be_active_is_told_of_when_its_job_is_cancelled(
    api, caller, state, left
):
    """It may spend, and whoever cancels relies on what exists being paused."""
    step = await activation_left(api, caller, state, left)

    assert step["status"] == "IN_DOUBT"
    assert step["error"]["code"] == "activation_in_doubt"
    assert step["error"]["remedy"].startswith("The campaign may be ACTIVE on the platform")
    assert step["error"]["retryable"] is True


async def test_a_campaign_of_which_a_restore_has_forgotten_everything_may_be_active(api, caller):
    step = await activation_left(api, caller, "IN_DOUBT", 3)

    assert step["error"]["remedy"].startswith("The campaign may be ACTIVE on the platform")


@pytest.mark.parametrize("state", ["WAITING", "PENDING"])
async def test_a_campaign_below_which_something_was_paused_still_is_paused(api, caller, state):
    step = await activation_left(api, caller, state, 2)

    assert (step["status"], step["error"]) == ("SKIPPED", None)


@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_cancelled_job_says_itself_that_its_campaign_may_be_active(api, caller, state):
    job = await cancelled(caller, await begun_activation(api, caller, state, {"left": 1}))

    assert job["status"] == "CANCELLED"
    assert job["error"] == job["steps"][-1]["error"]
    assert (job["error"]["step"], job["error"]["code"]) == ("activate", "activation_in_doubt")


@pytest.mark.parametrize("state", ["WAITING", "RUNNING"])
async def test_a_campaign_that_was_certainly_not_asked_is_not_told_of(api, caller, state):
    """Its turn was over, or Meta's answer proved that nothing was done."""
    progress = {"activated": 2, "left": 1, **not_asked(RUN)}

    job = await cancelled(caller, await begun_activation(api, caller, state, progress))

    assert "ACTIVE" not in str(job["steps"][-1]["error"])
    assert job["error"] is None


@pytest.mark.parametrize("state", ["WAITING", "RUNNING"])
async def test_a_campaign_that_another_run_may_have_asked_since_is_told_of(api, caller, state):
    """One of a release before says nothing when it asks again, and keeps what stands there."""
    progress = {"activated": 2, "left": 1, **not_asked(UUID(int=2))}

    job = await cancelled(caller, await begun_activation(api, caller, state, progress))

    assert job["error"]["code"] == "activation_in_doubt"


async def ended(api: Api, caller: httpx.AsyncClient, job_id: str, error: str) -> dict:
    await api.pool.execute(
        "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), "
        "worker_id = gen_random_uuid(), started_at = now()"
    )
    await api.pool.execute(
        "update campaign_jobs set status = 'PARTIAL_SUCCESS', claim_token = null, worker_id = null, "
        "finished_at = now(), error = $1",
        error,
    )
    return (await caller.get(f"/api/v1/campaign_jobs/{job_id}")).json()


@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_job_that_something_else_has_ended_says_it_too(api, caller, state):
    """Its workers died, or nobody replaced the token: the campaign spends all the same."""
    job_id = await begun_activation(api, caller, state, {"left": 1, "campaign_asked": True})
    lost = '{"code": "worker_lost", "message": "m", "remedy": "Look into the logs."}'

    job = await ended(api, caller, job_id, lost)

    assert job["error"]["code"] == "worker_lost"
    assert job["error"]["remedy"].startswith("The campaign may be ACTIVE on the platform")
    assert job["error"]["remedy"].endswith("Look into the logs.")
    assert job["steps"][-1]["error"]["code"] == "activation_in_doubt"


async def test_a_campaign_that_is_active_for_sure_is_told_of_beside_what_ended_the_job(api, caller):
    """Its worker was lost, and wrote down what it had done when the job was over."""
    job_id = await begun_activation(api, caller, "DONE", {"platform_id": "120210"})
    lost = '{"code": "worker_lost", "message": "m", "remedy": "Look into the logs."}'

    job = await ended(api, caller, job_id, lost)

    assert job["error"]["code"] == "worker_lost"
    assert job["error"]["remedy"].startswith("The campaign is ACTIVE on the platform")
    assert job["error"]["remedy"].endswith("Look into the logs.")


async def test_an_activation_that_an_earlier_release_gave_up_is_told_of(api, caller):
    met = '{"step": "activate", "code": "no_answer", "message": "gave up", "remedy": "Ask."}'
    job_id = await begun_activation(api, caller, "FAILED", {"left": 1}, met)

    job = await ended(api, caller, job_id, met)

    assert job["error"] == job["steps"][-1]["error"]
    assert (job["error"]["code"], job["error"]["message"]) == ("activation_in_doubt", "gave up")
    assert job["error"]["remedy"].endswith("Ask.")


async def test_the_short_form_of_a_job_says_it_without_its_steps(api, caller):
    job_id = await begun_activation(api, caller, "WAITING", {"left": 1})
    shown = await cancelled(caller, job_id)
    row_id = await api.pool.fetchval("select id from campaign_jobs")

    (job,) = await campaign_jobs.list_campaign_jobs_by_ids(api.pool, ids=[row_id])
    brief = await brief_job_view(api.pool, job, None)

    assert brief.steps == []
    assert msgspec.to_builtins(brief.error) == shown["error"]


async def would_wait(api: Api) -> Move:
    """What the worker of the job, which is its own by now, is about to write."""
    job = await api.pool.fetchrow(
        "update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(), "
        "worker_id = gen_random_uuid(), started_at = now() returning id, claim_token"
    )
    assert job is not None
    return Move(
        job["id"],
        job["claim_token"],
        "PROCESSING",
        60.0,
        "retry",
        error_code="no_answer",
        error=NO_ANSWER,
    )


async def cancelled_by_its_worker(api: Api) -> None:
    """Which was told to stop while the job was its own."""
    waits = await would_wait(api)
    await api.pool.execute("update campaign_jobs set cancel_requested_at = now()")
    async with api.pool.acquire() as connection:
        await write_moves(connection, [waits])


@pytest.mark.parametrize("who", ["caller", "worker"])
@pytest.mark.parametrize(
    ("state", "progress", "code"),
    [
        ("RUNNING", {"left": 1, "campaign_asked": True}, "activation_in_doubt"),
        ("FAILED", {"left": 1, "campaign_asked": True}, "activation_in_doubt"),
        ("WAITING", {"left": 2, "campaign_asked": True}, "activation_in_doubt"),
        ("WAITING", {"left": 1}, "activation_in_doubt"),
        ("PENDING", {"left": 0}, "activation_in_doubt"),
        ("RUNNING", {"left": 1, "campaign_asked": False}, "activation_in_doubt"),
        ("WAITING", {"left": 1, **not_asked(UUID(int=2))}, "activation_in_doubt"),
        ("IN_DOUBT", {"left": 3, **not_asked(RUN)}, "activation_in_doubt"),
        ("IN_DOUBT", None, "activation_in_doubt"),
        ("DONE", {"platform_id": "120210"}, "campaign_active"),
        ("RUNNING", {"left": 1, **not_asked(RUN)}, None),
        ("FAILED", {"left": 2}, None),
        ("PENDING", {}, None),
        ("WAITING", None, None),
    ],
)
async def test_the_event_of_a_cancelled_job_tells_the_code_that_the_job_does(
    api, caller, who, state, progress, code
):
    """SQL reads the progress of an activation as views do."""
    job_id = await begun_activation(api, caller, state, progress)

    if who == "worker":
        await cancelled_by_its_worker(api)
    else:
        await caller.post(f"/api/v1/campaign_jobs/{job_id}/cancel")

    job = (await caller.get(f"/api/v1/campaign_jobs/{job_id}")).json()
    told = await api.pool.fetchval("select data from job_events where kind = 'job.finished'")
    assert json.loads(told) == {"status": "CANCELLED", "code": code}
    assert (job["error"] or {}).get("code") == code


async def test_whoever_cancels_while_a_worker_lets_the_job_go_hears_what_it_has_done(api, caller):
    job_id = await begun_activation(api, caller, "RUNNING", {"left": 1, **not_asked(RUN)})
    waits = await would_wait(api)

    async with api.pool.acquire() as worker:
        async with worker.transaction():
            await write_moves(worker, [waits])
            asked = asyncio.create_task(caller.post(f"/api/v1/campaign_jobs/{job_id}/cancel"))
            await until(lambda: is_waiting(api.pool))
            await api.pool.execute("""update job_steps set outcome = '{"campaign_asked": true}'""")
        answer = (await asked).json()

    told = await api.pool.fetchval("select data from job_events where kind = 'job.finished'")
    assert (answer["status"], answer["error"]["code"]) == ("CANCELLED", "activation_in_doubt")
    assert json.loads(told)["code"] == "activation_in_doubt"


async def is_waiting(pool):
    return await pool.fetchval(
        "select exists (select from pg_stat_activity "
        "where datname = current_database() and wait_event_type = 'Lock')"
    )

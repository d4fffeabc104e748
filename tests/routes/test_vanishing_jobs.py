"""Jobs go by their age while somebody reads them: what is read has one job fewer and is whole otherwise."""

from uuid import UUID

import pytest

from models.gen import campaign_jobs
from models.job_views import job_views
from tests.routes.conftest import add_account, add_job


@pytest.fixture
async def jobs(caller) -> list[UUID]:
    await add_account(caller)
    return [UUID((await add_job(caller))["id"]) for _ in range(2)]


async def test_a_job_that_goes_between_two_looks_is_left_out(api, jobs):
    kept, gone = jobs
    rows = await campaign_jobs.list_campaign_jobs_by_ids(api.pool, ids=jobs)
    await api.pool.execute("delete from campaign_requests where campaign_job_id = $1", gone)
    await api.pool.execute("delete from campaign_jobs where id = $1", gone)

    views = await job_views(api.pool, rows)

    assert [view.id for view in views] == [kept]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel"), ("POST", "/retry")])
async def test_a_job_that_is_half_gone_is_not_found(api, caller, jobs, method, path):
    """As a reader meets it that found the job's row a moment before."""
    gone = jobs[0]
    await api.pool.execute("update campaign_jobs set status = 'CANCELLED' where id = $1", gone)
    await api.pool.execute("delete from campaign_requests where campaign_job_id = $1", gone)

    answer = await caller.request(method, f"/api/v1/campaign_jobs/{gone}{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "campaign_job_not_found")

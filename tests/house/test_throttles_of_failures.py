"""A throttle that a failing server tells: waited for as any other, and looked into as any failure."""

import pytest

POSTED, LOOKED = "POST", "GET"


@pytest.mark.parametrize("code", [4, 80004])
async def test_a_throttle_of_a_server_that_failed_is_looked_into_and_costs_no_attempt(house, code):
    await house.sandbox.fault("http_500", "*/campaigns", code=code)
    job_id = await house.submit(house.request())

    # a call that a busy machine cuts off would cost one, and empty looks count after that long
    async with house.working(sandbox_call_deadline_seconds=8.0):
        waiting = await house.waiting(job_id, "throttled")
        job = await house.finished(job_id)

    assert waiting["steps"][1]["status"] == "IN_DOUBT"
    assert job["status"] == "SUCCESS"
    assert [step["attempt"] for step in job["steps"]] == [0] * len(job["steps"])
    assert await house.pool.fetchval("select throttled_until from ad_accounts") is not None
    calls = [c["method"] for c in await house.sandbox.calls() if c["path"].endswith("/campaigns")]
    assert (calls[0], calls[-1], calls.count(POSTED)) == (POSTED, POSTED, 2)
    assert calls.count(LOOKED) >= 2

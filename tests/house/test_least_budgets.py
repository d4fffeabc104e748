"""A budget that the platform would refuse behind a campaign ends its job before anything is made."""

import pytest


@pytest.fixture
async def strict(house):
    """An account that nobody has verified, and whose least budget is above that of the request."""
    made = await house.sandbox.account(min_daily_budget=6000, currency="EUR")
    return made | {"ad_account_id": await house.add(made)}


def request(house, account, budget=5000):
    body = house.request(ad_account_id=account["ad_account_id"])
    for ad_set in body["ad_sets"]:
        ad_set["daily_budget"] = budget
        for ad in ad_set["ads"]:
            ad["creative"]["page_id"] = account["page_id"]
    return body


async def run(house, body):
    job_id = await house.submit(body)
    async with house.working():
        return await house.finished(job_id)


async def test_nothing_is_made_and_the_error_names_the_field_and_the_least(house, strict):
    body = request(house, strict)
    body["ad_sets"] += [{**body["ad_sets"][0], "name": "Second"}]

    job = await run(house, body)

    error = job["error"]
    assert job["status"] == "FAILED"
    assert (error["code"], error["pointer"]) == ("budget_too_small", "/ad_sets/0/daily_budget")
    assert "6000 of the smallest unit of EUR" in error["message"]
    assert "/ad_sets/1/daily_budget" in error["message"]
    assert error["remedy"].startswith("Raise the budget")
    assert await house.sandbox.objects(strict["id"]) == []


async def test_what_was_learnt_is_kept_and_the_next_request_is_refused_at_once(house, strict):
    await run(house, request(house, strict))

    answer = await house.client.post("/ads/meta", json=request(house, strict))
    shown = (await house.client.get(f"/ad_accounts/{strict['ad_account_id']}")).json()

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "budget_too_small"
    assert (shown["currency"], shown["minimum_budgets"]["impressions"]) == ("EUR", 6000)
    assert shown["verified_at"] is None


async def test_a_retry_of_such_a_job_makes_nothing_either(house, strict):
    job = await run(house, request(house, strict))

    await house.client.post(f"/campaign_jobs/{job['id']}/retry")
    async with house.working():
        again = await house.finished(job["id"])

    assert (again["status"], again["error"]["code"]) == ("FAILED", "budget_too_small")
    assert await house.sandbox.objects(strict["id"]) == []


async def test_an_account_is_asked_once(house, strict):
    for _ in range(2):
        job = await run(house, request(house, strict, 6000))
        assert job["status"] == "SUCCESS"

    calls = await house.sandbox.calls()
    assert len([call for call in calls if call["path"].endswith("/minimum_budgets")]) == 1


@pytest.mark.parametrize("fault", ["http_500", "garbage", "reset", "throttle", "token_expired"])
async def test_a_platform_that_does_not_tell_holds_up_nothing(house, fault):
    await house.sandbox.fault(fault, "*/minimum_budgets", method="GET")

    job = await run(house, house.request())

    assert job["status"] == "SUCCESS"
    assert await house.sandbox.faults() == [], "it was asked"

"""Every answer tells whether real money is in play: of an account and its jobs, else of the key that asks."""

from tests.routes.conftest import add_account
from tests.routes.meta_requests import meta_request
from tests.routes.test_assets import HERO

LISTS = ("/api/v1/ad_accounts", "/api/v1/campaign_jobs", "/api/v1/assets")


async def test_every_answer_that_is_no_refusal_says_it(api):
    document = (await api.client.get("/api/v1/openapi.json")).json()

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema")
                if path.startswith("/api/v1") and schema:
                    name = schema["$ref"].rpartition("/")[2]
                    told = document["components"]["schemas"][name]
                    assert "livemode" in told["properties"], (method, path, status)
                    assert "livemode" in told["required"]


async def test_accounts_and_jobs_say_it_of_the_account(api, caller):
    live = await api.caller(live=True)
    await add_account(caller)
    await add_account(live, mode="live", platform_account_id="act_7")

    answers = [
        await live.post(
            "/api/v1/ads/meta", json=meta_request(platform_account_id=account), params=p
        )
        for account in ("act_1000000001", "act_7")
        for p in ({}, {"validate_only": "true"})
    ]

    assert [answer.json()["livemode"] for answer in answers] == [False, False, True, True]
    jobs = (await live.get("/api/v1/campaign_jobs")).json()["data"]
    assert [job["livemode"] for job in jobs] == [True, False]


async def test_lists_and_files_say_it_of_the_key(api, caller):
    live = await api.caller(live=True)

    for client, expected in ((caller, False), (live, True)):
        made = await client.post("/api/v1/assets", files={"file": ("hero.png", HERO)})
        assert made.json()["livemode"] is expected
        shown = await client.get(f"/api/v1/assets/{made.json()['id']}")
        assert shown.json()["livemode"] is expected
        for url in LISTS:
            assert (await client.get(url)).json()["livemode"] is expected

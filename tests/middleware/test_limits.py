"""A key and a team may ask so often and no more, over all processes; whoever may not is told when."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from common.errors import TooManyRequests
from common.uuid7 import uuid7
from middleware.limits import Rate, RateLimits
from models.database import Pool, open_pool
from models.gen import rate_limits
from routes.app import create_app
from routes.health import ServerReadiness
from tests.middleware.limited import KEY, SLOW, Clock, after_eight, ask, caller_of, passed
from tests.routes.conftest import Api

pytestmark = pytest.mark.alone


async def give_back(pool: Pool, tokens: float, rate: Rate) -> None:
    """Time passes in which so many tokens grow."""
    await pool.execute(
        "update rate_limits set spent_until = spent_until - make_interval(secs => $1)",
        tokens / rate.per_second,
    )


async def spend_all(pool: Pool, bucket_id: UUID) -> None:
    """Nothing grows back before it is asked for again, however busy the machine is."""
    await pool.execute(
        "update rate_limits set spent_until = spent_until + interval '1 day' where id = $1",
        bucket_id,
    )


def rebuilt(api: Api, keyring: Any, assets: Any, **rates: Rate) -> httpx.AsyncClient:
    """The same application with limits, to a key of the first."""
    parts: Any = api.app
    app = create_app(
        pool=api.pool,
        keyring=keyring,
        notifier=parts,
        job_writes=parts,
        readiness=ServerReadiness(api.pool),
        assets=assets,
        verifier=parts,
        watch=parts,
        key_rate=rates.get("key"),
        team_rate=rates.get("team"),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api")


@pytest.fixture
async def other_pool(database: str) -> AsyncGenerator[Pool]:
    opened = await open_pool(database, size=5, name="other")
    yield opened
    await opened.close()


async def test_a_burst_passes_and_no_request_more(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=None)
    caller = caller_of()

    counts = [await passed(limits, caller, 2), await passed(limits, caller, 2)]

    assert counts == [2, 1]


async def test_after_the_databases_clock_was_set_back_a_bucket_is_empty_and_no_emptier(pool: Pool):
    clock = Clock()
    limits = RateLimits(pool, key=KEY, team=None, seconds=clock)
    caller = caller_of()
    await passed(limits, caller, 3)
    await pool.execute("update rate_limits set spent_until = spent_until + interval '1 day'")

    clock.now += 5
    refused = await passed(limits, caller, 1)
    await give_back(pool, 1.5, KEY)
    clock.now += 5
    after = await passed(limits, caller, 2)

    assert (refused, after) == (0, 1)


async def test_what_has_grown_back_passes(pool: Pool):
    clock = Clock()
    limits = RateLimits(pool, key=KEY, team=None, seconds=clock)
    caller = caller_of()
    await passed(limits, caller, 5)

    await give_back(pool, 2.5, KEY)
    clock.now += 5

    assert await passed(limits, caller, 5) == 2


async def test_no_bucket_holds_more_than_its_burst(pool: Pool):
    clock = Clock()
    limits = RateLimits(pool, key=KEY, team=None, seconds=clock)
    caller = caller_of()
    await passed(limits, caller, 5)

    await give_back(pool, 100, KEY)
    clock.now += 5

    assert await passed(limits, caller, 10) == 3


async def test_keys_do_not_share_a_limit(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=None)

    counts = [await passed(limits, caller_of(), 4) for _ in range(3)]

    assert counts == [3, 3, 3]


async def test_keys_of_a_team_share_the_teams_limit(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=Rate("team", SLOW, 5))
    team_id = uuid7()

    counts = [await passed(limits, caller_of(team_id), 4) for _ in range(3)]

    assert counts == [3, 2, 0]


async def test_a_refusal_by_the_team_costs_the_key_nothing(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=Rate("team", SLOW, 1))
    caller = caller_of()

    await passed(limits, caller, 9)
    await pool.execute("delete from rate_limits where id = $1", caller.team_id)
    other = RateLimits(pool, key=KEY, team=None)

    assert await passed(other, caller, 9) == 2


async def test_the_refusal_says_whose_limit_it_is_and_when_it_is_over(pool: Pool):
    limits = RateLimits(pool, key=Rate("key", 0.4, 2), team=Rate("team", 0.1, 3))
    caller = caller_of()
    other = caller_of(caller.team_id)

    await passed(limits, caller, 2)
    await spend_all(pool, caller.key_id)
    with pytest.raises(TooManyRequests) as by_key:
        await ask(limits, caller)
    await passed(limits, other, 1)
    await spend_all(pool, caller.team_id)
    with pytest.raises(TooManyRequests) as by_team:
        await ask(limits, other)

    assert by_key.value.message.startswith("The key asks more often than 0.4 times a second")
    assert by_key.value.headers == {"Retry-After": "3"}
    assert by_team.value.message.startswith("The team asks")
    assert by_team.value.headers == {"Retry-After": "10"}


async def test_processes_share_a_limit(pool: Pool, other_pool: Pool):
    # what is held for too long is lost: here no time passes, however long the rounds take
    ours = RateLimits(pool, key=Rate("key", SLOW, 100), team=None, seconds=Clock())
    theirs = RateLimits(other_pool, key=Rate("key", SLOW, 100), team=None, seconds=Clock())
    caller = caller_of()

    rounds = [
        await asyncio.gather(passed(ours, caller, 7), passed(theirs, caller, 7)) for _ in range(12)
    ]

    # five of the hundred may lie in each process, taken and not yet used
    assert 90 <= sum(sum(counts) for counts in rounds) <= 100


async def test_most_requests_of_a_busy_key_need_no_statement(pool: Pool):
    limits = RateLimits(
        pool, key=Rate("key", 1000, 10_000), team=Rate("team", 1000, 10_000), seconds=Clock()
    )
    caller = caller_of()
    asked = 0
    left: list[float] = []

    for _ in range(1000):
        await ask(limits, caller)
        (lease,) = limits._leases.values()
        asked += lease.left is not left
        left = lease.left

    assert asked < 15
    assert await pool.fetchval("select count(*) from rate_limits") == 2


async def test_a_busy_key_with_many_connections_needs_few_statements_too(pool: Pool):
    limits = RateLimits(
        pool, key=Rate("key", 1000, 10_000), team=Rate("team", 1000, 10_000), seconds=Clock()
    )
    caller = caller_of()
    asked: list[list[float]] = []

    async def connection(nth: int) -> None:
        for _ in range(60):
            for _ in range(nth):
                await asyncio.sleep(0)  # so that some come while others' statement runs
            await ask(limits, caller)
            (lease,) = limits._leases.values()
            if not asked or lease.left is not asked[-1]:
                asked.append(lease.left)

    await asyncio.gather(*(connection(nth) for nth in range(16)))

    assert len(asked) < 25


async def test_tokens_that_lay_too_long_are_not_used(pool: Pool):
    clock = Clock()
    limits, caller, lease = await after_eight(pool, clock)
    held = lease.tokens

    clock.now += 1
    await pool.execute("update rate_limits set spent_until = now() + interval '1 day' * 100")
    counted = await passed(limits, caller, 1)

    assert held > 0
    assert counted == 0


async def test_what_remains_is_told_with_every_answer(pool: Pool):
    limits = RateLimits(pool, key=Rate("key", 2, 6), team=Rate("team", 0.5, 19))

    request = await ask(limits, caller_of())

    assert request.scope["state"]["told"] == [
        (b"ratelimit-policy", b'"key";q=6;w=3, "team";q=19;w=38'),
        (b"ratelimit", b'"key";r=5;t=1, "team";r=18;t=2'),
    ]


async def test_over_http_the_refusal_is_a_problem_with_the_same_fields(
    api: Api, keyring: Any, assets: Any
):
    caller = await api.caller()
    client = rebuilt(api, keyring, assets, key=Rate("key", SLOW, 1))

    good = await client.get("/api/v1/ad_accounts", headers=caller.headers)
    await spend_all(api.pool, await api.pool.fetchval("select id from rate_limits"))
    refused = await client.get("/api/v1/ad_accounts", headers=caller.headers)

    assert good.status_code == 200
    assert good.headers["ratelimit"] == '"key";r=0;t=1000'
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["ratelimit-policy"] == '"key";q=1;w=1000'
    assert refused.headers["ratelimit"] == '"key";r=0;t=1000'
    assert refused.headers["retry-after"] == "1000"


async def test_a_key_that_may_not_do_it_is_told_its_limits_and_counted(
    api: Api, keyring: Any, assets: Any
):
    caller = await api.caller(scopes=["jobs:read"])
    client = rebuilt(api, keyring, assets, key=Rate("key", SLOW, 2))

    answers = [await client.get("/api/v1/ad_accounts", headers=caller.headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert [answer.headers.get("ratelimit", "")[:9] for answer in answers] == [
        '"key";r=1',
        '"key";r=0',
        '"key";r=0',
    ]


async def test_open_routes_and_requests_without_a_key_are_not_counted(
    api: Api, keyring: Any, assets: Any
):
    client = rebuilt(api, keyring, assets, key=Rate("key", SLOW, 1), team=Rate("team", SLOW, 1))

    answers = [await client.get("/livez"), await client.get("/api/v1/ad_accounts")] * 2

    assert [answer.status_code for answer in answers] == [200, 401, 200, 401]
    assert not any("ratelimit" in answer.headers for answer in answers)
    assert await api.pool.fetchval("select count(*) from rate_limits") == 0


async def test_without_limits_nothing_is_asked_and_nothing_told(api: Api):
    caller = await api.caller()

    answer = await caller.get("/api/v1/ad_accounts")

    assert "ratelimit" not in answer.headers
    assert await api.pool.fetchval("select count(*) from rate_limits") == 0


async def test_a_database_that_holds_the_row_too_long_is_told_in_bounded_time(
    api: Api, keyring: Any, assets: Any, database: str
):
    caller = await api.caller()
    client = rebuilt(api, keyring, assets, key=Rate("key", 10, 10))
    await client.get("/api/v1/ad_accounts", headers=caller.headers)
    other = await asyncpg.connect(database)

    async with other.transaction():
        await other.execute("select * from rate_limits for update")
        answer = await client.get("/api/v1/ad_accounts", headers=caller.headers)
    after = await client.get("/api/v1/ad_accounts", headers=caller.headers)

    assert answer.status_code == 503
    assert answer.json()["code"] == "database_busy"
    assert answer.headers["retry-after"] == "1"
    assert after.status_code == 200
    await other.close()


async def test_rows_of_idle_keys_vanish_and_others_stay(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=None)
    idle, busy = caller_of(), caller_of()
    await passed(limits, idle, 1)
    await passed(limits, busy, 1)
    await pool.execute(
        "update rate_limits set spent_until = now() - interval '1 second' where id = $1",
        idle.key_id,
    )

    deleted = await rate_limits.delete_idle_rate_limits(pool)

    assert deleted == 1
    assert await pool.fetchval("select id from rate_limits") == busy.key_id


async def test_a_key_may_have_a_rate_of_its_own_and_its_team_counts_all_the_same(
    api: Api, keyring: Any, assets: Any
):
    client = rebuilt(api, keyring, assets, key=Rate("key", SLOW, 1), team=Rate("team", SLOW, 5))
    wider, free = await api.caller(rate=(SLOW, 2)), await api.caller(rate=(0, 1))

    answers = {
        name: [
            (await client.get("/api/v1/ad_accounts", headers=caller.headers)).status_code
            for _ in range(4)
        ]
        for name, caller in (("wider", wider), ("free", free))
    }

    assert answers == {"wider": [200, 200, 429, 429], "free": [200, 200, 200, 429]}

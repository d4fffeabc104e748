"""How many tokens a process takes at once, who pays with them, and what is told of a limit to the second."""

import asyncio
from collections.abc import Container
from typing import Any

import asyncpg
import msgspec
import pytest

from common.errors import TooManyRequests
from middleware.limits import Lease, Rate, RateLimits
from models.database import Pool
from tests.house.conftest import until
from tests.middleware.limited import KEY, SLOW, Clock, ask, caller_of, passed

pytestmark = pytest.mark.alone

WIDE = Rate("key", SLOW, 1000)
"""Tokens of it are held for half a second, at most fifty of them."""
ASKING = """select 1 from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%take_tokens%'"""


def lease_of(limits: RateLimits) -> Lease:
    (lease,) = limits._leases.values()
    assert lease is not None
    return lease


async def use_up(limits: RateLimits, caller: Any) -> int:
    """Asks until nothing is held any more; how many more there were when the database was asked."""
    await ask(limits, caller)
    lease = lease_of(limits)
    while lease.tokens:
        await ask(limits, caller)
    return lease.batch


async def test_batches_double_as_long_as_they_are_used_at_once_up_to_a_twentieth_of_the_burst(
    pool: Pool,
):
    limits = RateLimits(pool, key=WIDE, team=None, seconds=Clock())
    caller = caller_of()

    batches = [await use_up(limits, caller) for _ in range(8)]

    assert batches == [0, 1, 3, 7, 15, 31, 50, 50]


@pytest.mark.parametrize(("after", "next_batch"), [(0.2, 7), (0.3, 3)])
async def test_a_batch_grows_only_when_the_last_one_was_gone_in_half_its_time(
    pool: Pool, after: float, next_batch: int
):
    clock = Clock()
    limits = RateLimits(pool, key=WIDE, team=None, seconds=clock)
    caller = caller_of()
    for _ in range(3):
        await use_up(limits, caller)

    clock.now += after

    assert await use_up(limits, caller) == next_batch


async def test_whoever_comes_while_a_batch_is_on_its_way_pays_with_a_token_of_it(
    pool: Pool, database: str
):
    """Else more pass than the database was asked for."""
    limits = RateLimits(pool, key=WIDE, team=None, seconds=Clock())
    caller = caller_of()
    holder, other = await asyncpg.connect(database), await asyncpg.connect(database)
    for _ in range(3):
        await use_up(limits, caller)
    lease = lease_of(limits)

    async with holder.transaction():
        await holder.execute("select * from rate_limits for update")
        requests = [asyncio.create_task(ask(limits, caller))]
        await until(lambda: other.fetchval(ASKING))
        requests += [asyncio.create_task(ask(limits, caller)) for _ in range(2)]
        await until(lambda: number_of_waiting(lease, 2))
    await asyncio.gather(*requests)

    assert (lease.batch, lease.tokens) == (7, 5)
    await other.close()
    await holder.close()


async def number_of_waiting(lease: Lease, wanted: int) -> bool:
    return len(lease.waiting) == wanted


async def test_a_key_with_a_rate_of_its_own_is_told_of_that_one(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=None)
    caller = msgspec.structs.replace(caller_of(), rate=(0.5, 8))

    request = await ask(limits, caller)

    assert request.scope["state"]["told"] == [
        (b"ratelimit-policy", b'"key";q=8;w=16'),
        (b"ratelimit", b'"key";r=7;t=2'),
    ]


async def test_what_holds_for_a_caller_can_be_asked_for(pool: Pool):
    team = Rate("team", 7, 70)
    limits = RateLimits(pool, key=KEY, team=team)
    own = msgspec.structs.replace(caller_of(), rate=(0.5, 8))
    free = msgspec.structs.replace(caller_of(), rate=(0, 1))

    told = [limits.rates_of(caller) for caller in (caller_of(), own, free)]

    assert told == [[KEY, team], [Rate("key", 0.5, 8), team], [team]]
    assert RateLimits(pool, key=None, team=None).rates_of(caller_of()) == []


@pytest.mark.parametrize(
    ("rate", "left", "told"),
    [(SLOW, 0.5, range(400, 501)), (SLOW, 0, [1000]), (2, 0, [1])],
    ids=["half a token is there", "nothing is there", "half a second is a whole one"],
)
async def test_a_refusal_tells_when_the_next_token_is_whole(
    pool: Pool, rate: float, left: float, told: Container[int]
):
    limits = RateLimits(pool, key=Rate("key", rate, 3), team=None)
    caller = caller_of()
    await passed(limits, caller, 1)
    await pool.execute(
        "update rate_limits set spent_until = clock_timestamp() + make_interval(secs => $1)",
        (3 - left) / rate if left else 86_400,
    )

    with pytest.raises(TooManyRequests) as refused:
        await ask(limits, caller)

    headers = refused.value.headers or {}
    assert int(headers["Retry-After"]) in told


async def test_who_waits_for_a_limit_is_let_go_before_the_database_gives_up(
    pool: Pool, database: str
):
    limits = RateLimits(pool, key=KEY, team=None)
    caller = caller_of()
    holder, other = await asyncpg.connect(database), await asyncpg.connect(database)
    await ask(limits, caller)

    async with holder.transaction():
        await holder.execute("select * from rate_limits for update")
        with pytest.raises(TimeoutError):
            await ask(limits, caller)
        still_asking = await other.fetchval(ASKING)

    assert still_asking
    await other.close()
    await holder.close()

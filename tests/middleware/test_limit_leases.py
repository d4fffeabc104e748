"""What a process holds of a limit: never more than is promised, asked for no more often than is of use."""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest

from common.errors import TooManyRequests
from common.uuid7 import uuid7
from middleware import limits as limits_module
from middleware.limits import Buckets, Lease, Rate, RateLimits
from models.database import Pool
from tests.house.conftest import until
from tests.middleware.limited import KEY, SLOW, Clock, after_eight, ask, caller_of, passed

pytestmark = pytest.mark.alone

ASKING = """select pid from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%take_tokens%'"""


@pytest.mark.parametrize(
    ("rate", "hold_seconds", "capacity"),
    [
        (Rate("key", 2, 100), 0.5, 99),
        (Rate("key", 40, 100), 0.125, 95),
        (Rate("key", 1000, 20), 0.001, 19),
        (Rate("key", 1000, 19), 0, 19),
    ],
    ids=str,
)
def test_what_grows_back_while_tokens_are_held_is_kept_from_the_burst(rate, hold_seconds, capacity):
    """Else the processes together let more pass than is promised."""
    buckets = Buckets([(uuid7(), rate)])

    assert buckets.hold_seconds == pytest.approx(hold_seconds)
    assert buckets.capacities == pytest.approx([capacity])
    assert rate.burst * 0.95 <= capacity <= rate.burst


async def test_a_refused_key_asks_the_database_no_more_for_a_while(pool: Pool):
    clock = Clock()
    limits = RateLimits(pool, key=KEY, team=None, seconds=clock)
    caller = caller_of()
    await passed(limits, caller, 4)
    (lease,) = limits._leases.values()
    left = lease.left

    refused = await passed(limits, caller, 50)
    asked_at_once = lease.left is not left
    clock.now += 1.1
    await passed(limits, caller, 1)

    assert (refused, asked_at_once) == (0, False)
    assert lease.left is not left, "it may have grown back"


async def test_a_key_that_asks_seldom_takes_no_more_than_it_needs(pool: Pool):
    """What is taken beyond that is lost to it."""
    clock = Clock()
    limits, caller, lease = await after_eight(pool, clock)
    busy = lease.batch

    for _ in range(2):
        clock.now += 1
        await ask(limits, caller)

    assert busy > 0
    assert lease.batch == 0


async def test_a_key_without_limits_passes_beside_those_that_have_some(pool: Pool):
    limits = RateLimits(pool, key=KEY, team=None)
    free = msgspec.structs.replace(caller_of(), rate=(0, 1))

    assert await passed(limits, free, 9) == 9
    assert await pool.fetchval("select count(*) from rate_limits") == 0


async def test_whoever_is_refused_by_both_limits_alike_is_told_of_one(pool: Pool):
    limits = RateLimits(pool, key=Rate("key", SLOW, 1), team=Rate("team", SLOW, 1))
    caller = caller_of()
    await passed(limits, caller, 1)
    await pool.execute("update rate_limits set spent_until = spent_until + interval '1 day'")

    with pytest.raises(TooManyRequests) as refused:
        await ask(limits, caller)

    assert refused.value.message.startswith("The key asks")


async def test_each_request_leaves_one_less_whether_the_database_was_asked_or_not(pool: Pool):
    limits = RateLimits(pool, key=Rate("key", SLOW, 100), team=None, seconds=Clock())
    caller = caller_of()

    requests = [await ask(limits, caller) for _ in range(12)]

    told = [dict(request.scope["state"]["told"])[b"ratelimit"] for request in requests]
    left = [int(one.split(b"r=")[1].split(b";")[0]) for one in told]
    assert left == list(range(98, 86, -1))


async def test_of_very_many_keys_the_oldest_is_forgotten(pool: Pool, monkeypatch: Any):
    monkeypatch.setattr(limits_module, "_MOST_LEASES", 2)
    limits = RateLimits(pool, key=KEY, team=None)
    callers = [caller_of() for _ in range(3)]

    for caller in callers:
        await ask(limits, caller)

    assert list(limits._leases) == [caller.key_id for caller in callers[1:]]


async def test_what_the_database_answers_instead_is_told_to_those_who_asked_and_others_ask_again(
    pool: Pool, database: str
):
    limits = RateLimits(pool, key=KEY, team=None)
    caller = caller_of()
    holder, other = await asyncpg.connect(database), await asyncpg.connect(database)
    await ask(limits, caller)
    (lease,) = limits._leases.values()

    async with holder.transaction():
        await holder.execute("select * from rate_limits for update")
        first = asyncio.create_task(ask(limits, caller))
        asking = await until(lambda: other.fetchval(ASKING))
        second = asyncio.create_task(ask(limits, caller))
        await until(lambda: is_waiting(lease))
        await other.execute("select pg_cancel_backend($1)", asking)
        told = await asyncio.gather(first, return_exceptions=True)
    await second

    assert isinstance(told[0], asyncpg.QueryCanceledError)
    await other.close()
    await holder.close()


async def is_waiting(lease: Lease) -> bool:
    return bool(lease.waiting)

"""Rates that tests of limits give, and callers that ask until they are refused."""

import asyncio
from typing import Any
from uuid import UUID

from litestar.testing import RequestFactory

from common.errors import TooManyRequests
from common.uuid7 import uuid7
from middleware.auth import Caller
from middleware.limits import Lease, Rate, RateLimits
from models.database import Pool

SLOW = 0.001
"""A second of the test brings back nothing that counts."""
KEY = Rate("key", SLOW, 3)
REQUESTS = RequestFactory()
"""It makes an application for itself, which takes longer than a hundred requests."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def caller_of(team_id: UUID | None = None) -> Caller:
    return Caller(uuid7(), team_id or uuid7(), "sandbox", frozenset(), None)


async def ask(limits: RateLimits, caller: Caller) -> Any:
    """The request that passed. Raises TooManyRequests."""
    request = REQUESTS.get("/")
    request.scope["auth"] = caller
    await limits(request)
    return request


async def passed(limits: RateLimits, caller: Caller, times: int) -> int:
    """How many of so many requests at once passed."""
    answers = await asyncio.gather(
        *(ask(limits, caller) for _ in range(times)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, TooManyRequests)]
    assert all(answer.code == "rate_limited" for answer in refused)
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    assert failed == refused, "what failed otherwise has not passed"
    return times - len(refused)


async def after_eight(pool: Pool, clock: Clock) -> tuple[RateLimits, Caller, Lease]:
    """A key of a hundred in a burst that has asked eight times, and what its process holds for it."""
    limits = RateLimits(pool, key=Rate("key", SLOW, 100), team=None, seconds=clock)
    caller = caller_of()
    for _ in range(8):
        await ask(limits, caller)
    (lease,) = limits._leases.values()
    assert lease is not None
    return limits, caller, lease

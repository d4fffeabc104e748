"""How often a key and a team may ask: token buckets in the database, so that they hold over all processes.

A process takes tokens in small batches, which live for a fraction of a second (`_hold_seconds`), so that
most requests need no statement. In any time of t seconds all processes together let at most
`burst + per_second * t` requests pass, however many they are: what a batch may outlive its bucket's
refilling is kept back from the burst (at most a twentieth). Buckets too small for that are asked for
each token. What a process took and did not use in time is lost to the caller until it grows back; batches
grow only as fast as they are used, so that this is little.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import structlog
from litestar import Request

from common import clock
from common.errors import TooManyRequests
from middleware.auth import Caller
from models.database import Pool
from models.gen import rate_limits

type AnyRequest = Request[Any, Any, Any]

_LONGEST_HOLD_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 2.0
_LONGEST_REFUSAL_SECONDS = 1.0
_MOST_LEASES = 10_000
_SHARE = 20
"""A batch is at most this part of the burst."""

log = structlog.get_logger()


class Rate(msgspec.Struct, frozen=True):
    """So many requests a second for long, so many at once after a pause."""

    name: str
    per_second: float
    burst: int

    @property
    def hold_seconds(self) -> float:
        """How long a process may keep tokens that it does not use at once."""
        if self.burst < _SHARE:
            return 0.0
        return min(_LONGEST_HOLD_SECONDS, self.burst / _SHARE / self.per_second)

    @property
    def policy(self) -> str:
        """As an item of RateLimit-Policy: the quota, and in how many seconds it grows back."""
        return f'"{self.name}";q={self.burst};w={math.ceil(self.burst / self.per_second)}'


class Buckets:
    """All that one key draws from at once."""

    def __init__(self, of: list[tuple[UUID, Rate]]) -> None:
        self.ids = [bucket_id for bucket_id, _ in of]
        self.rates = [rate for _, rate in of]
        self.hold_seconds = min(rate.hold_seconds for rate in self.rates)
        self.capacities = [rate.burst - rate.per_second * self.hold_seconds for rate in self.rates]
        self.largest_batch = min(rate.burst // _SHARE for rate in self.rates)
        self.full_seconds = [
            capacity / rate.per_second
            for capacity, rate in zip(self.capacities, self.rates, strict=True)
        ]
        self.policy = ", ".join(rate.policy for rate in self.rates).encode()


class Lease:
    """The tokens of one key that this process holds, and the requests that wait for some."""

    def __init__(self, buckets: Buckets) -> None:
        self.buckets = buckets
        self.tokens = 0
        self.asked_at = float("-inf")
        self.until = 0.0
        self.refused_until = 0.0
        self.batch = 0
        """How many tokens there were when the database was last asked."""
        self.left: list[float] = []
        """In each bucket, when the database was last asked."""
        self.standing: list[tuple[str, int, str]] = []
        """The same as it is told: what stands before and behind the number of requests left."""
        self.waiting: list[asyncio.Future[bool]] = []
        self.task: asyncio.Task[None] | None = None


class RateLimits:
    """Comes after RequireAuth. `None` for a rate means that there is no limit of that kind."""

    def __init__(
        self,
        pool: Pool,
        *,
        key: Rate | None,
        team: Rate | None,
        seconds: Callable[[], float] = clock.seconds,
    ) -> None:
        self._pool = pool
        self._key, self._team = key, team
        self._seconds = seconds
        self._leases: OrderedDict[UUID, Lease | None] = OrderedDict()

    async def __call__(self, request: AnyRequest) -> None:
        """Raises TooManyRequests, or TimeoutError when the database does not say in time."""
        caller: Caller | None = request.scope.get("auth")
        lease = None if caller is None else self._lease(caller)
        if lease is None:
            return
        is_granted = await self._take(lease)
        request.scope["state"]["told"] = [
            (b"ratelimit-policy", lease.buckets.policy),
            (b"ratelimit", _told(lease)),
        ]
        if not is_granted:
            raise _refusal(lease)

    def _lease(self, caller: Caller) -> Lease | None:
        """None for a caller without limits."""
        if caller.key_id in self._leases:
            return self._leases[caller.key_id]
        limited = self._of(caller)
        lease = self._leases[caller.key_id] = Lease(Buckets(limited)) if limited else None
        if len(self._leases) > _MOST_LEASES:
            self._leases.popitem(last=False)
        return lease

    def rates_of(self, caller: Caller) -> list[Rate]:
        """What holds for it."""
        return [rate for _, rate in self._of(caller)]

    def _of(self, caller: Caller) -> list[tuple[UUID, Rate]]:
        of = [(caller.key_id, _rate_of(caller, self._key)), (caller.team_id, self._team)]
        return [(bucket_id, rate) for bucket_id, rate in of if rate is not None]

    async def _take(self, lease: Lease) -> bool:
        now = self._seconds()
        if lease.tokens and now < lease.until:
            lease.tokens -= 1
            return True
        if now < lease.refused_until:
            return False
        granted = asyncio.get_running_loop().create_future()
        lease.waiting.append(granted)
        if lease.task is None:
            lease.task = asyncio.create_task(self._renew(lease), name="rate limits")
        return await asyncio.wait_for(granted, _LONGEST_WAIT_SECONDS)

    async def _renew(self, lease: Lease) -> None:
        """Asks until nobody waits; whoever comes while a statement runs has what it brought beyond."""
        try:
            while lease.waiting:
                waiting, lease.waiting = lease.waiting, []
                try:
                    granted = await self._ask(lease, len(waiting))
                except Exception as error:  # noqa: BLE001 - whatever it is, the waiting requests answer it
                    _fail(waiting, error)
                    continue
                _settle(waiting, granted)
                served = min(lease.tokens, len(lease.waiting))
                lease.tokens -= served
                _settle(lease.waiting[:served], served)
                del lease.waiting[:served]
        finally:
            lease.task = None

    async def _ask(self, lease: Lease, needed: int) -> int:
        """How many of the needed tokens there were; what is beyond them stays in the lease."""
        began = self._seconds()
        batch = _next_batch(lease, began)
        told = await rate_limits.take_tokens(
            self._pool,
            ids=lease.buckets.ids,
            rates=[rate.per_second for rate in lease.buckets.rates],
            capacities=lease.buckets.capacities,
            want=needed + batch,
        )
        if told is None:
            raise LookupError("the statement returned no row")
        granted, *lease.left = told
        lease.standing = _standing(lease)
        lease.tokens = lease.batch = max(0, int(granted) - needed)
        lease.asked_at, lease.until = began, began + lease.buckets.hold_seconds
        if granted < needed:
            await self._mend(lease)
            lease.refused_until = self._seconds() + min(_wait(lease)[0], _LONGEST_REFUSAL_SECONDS)
        return int(granted)

    async def _mend(self, lease: Lease) -> None:
        """A bucket that has nothing at all may owe more than it can hold, for as long as the database's
        clock was set back."""
        if 0.0 in lease.left:
            buckets = lease.buckets
            await rate_limits.mend_tokens(
                self._pool, ids=buckets.ids, full_seconds=buckets.full_seconds
            )


def _next_batch(lease: Lease, now: float) -> int:
    """As many as will surely be used: more only when the last ones were gone in half their time."""
    if lease.tokens:
        return lease.batch - lease.tokens
    if now - lease.asked_at < lease.buckets.hold_seconds / 2:
        return min(2 * lease.batch + 1, lease.buckets.largest_batch)
    return lease.batch


def _rate_of(caller: Caller, rate: Rate | None) -> Rate | None:
    if caller.rate is None:
        return rate
    per_second, burst = caller.rate
    return Rate("key", per_second, burst) if per_second else None


def _wait(lease: Lease) -> tuple[float, Rate]:
    """Seconds until the emptiest bucket has a token again, and which that is."""
    waits = [
        ((1 - left) / rate.per_second, rate)
        for left, rate in zip(lease.left, lease.buckets.rates, strict=True)
    ]
    return max(waits, key=lambda wait: wait[0])


def _standing(lease: Lease) -> list[tuple[str, int, str]]:
    """Of each bucket: how many requests are left, and in how many seconds it is full again."""
    buckets = lease.buckets
    return [
        (f'"{rate.name}";r=', int(left), f";t={math.ceil((capacity - left) / rate.per_second)}")
        for left, capacity, rate in zip(lease.left, buckets.capacities, buckets.rates, strict=True)
    ]


def _told(lease: Lease) -> bytes:
    """As RateLimit, with the tokens that are held here."""
    items = [f"{name}{left + lease.tokens}{rest}" for name, left, rest in lease.standing]
    return ", ".join(items).encode()


def _refusal(lease: Lease) -> TooManyRequests:
    seconds, rate = _wait(lease)
    wait = max(1, math.ceil(seconds))
    log.info("request.limited", limit=rate.name)
    return TooManyRequests(
        f"The {rate.name} asks more often than {rate.per_second:g} times a second"
        f" (at most {rate.burst} at once). Wait {wait} s.",
        code="rate_limited",
        headers={"Retry-After": str(wait)},
    )


def _settle(waiting: list[asyncio.Future[bool]], granted: int) -> None:
    """Tells the first ones that they may pass, and the others that they may not."""
    for nth, future in enumerate(waiting):
        if not future.done():
            future.set_result(nth < granted)


def _fail(waiting: list[asyncio.Future[bool]], error: Exception) -> None:
    for future in waiting:
        if not future.done():
            future.set_exception(error)

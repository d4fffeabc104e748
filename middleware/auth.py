"""RequireAuth turns the key of a request into a caller; `require_scope` lets it do what its scopes say."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from common import clock
from common.api_keys import KeyMode, hash_key, parse_key
from common.errors import Forbidden, Unauthorized
from common.log import add_ids
from models.database import Pool
from models.gen import api_keys

type AnyRequest = Request[Any, Any, Any]

_HIT_SECONDS = 30.0
_MISS_SECONDS = 5.0
_LONGEST_CACHE = 10_000


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the team of the key, what the key may do, and whether it may touch real money."""

    key_id: UUID
    team_id: UUID
    mode: KeyMode
    scopes: frozenset[str]
    expires_at: datetime | None
    rate: tuple[float, int] | None = None
    """Requests a second and at once, where the key has a limit of its own."""

    @property
    def actor(self) -> str:
        """How the audit log names the caller."""
        return f"api_key:{self.key_id}"


class RequireAuth:
    """Comes before every handler that is not open.

    Not a guard of Litestar's: those copy the handler for each request, which costs more than the rest.
    Keys are remembered for 30 s, so a revoked one ends within that time; unknown ones for 5 s, so
    that guessing costs the database little.
    """

    def __init__(self, pool: Pool, *, seconds: Callable[[], float] = clock.seconds) -> None:
        self._pool = pool
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Caller | None]] = OrderedDict()

    async def __call__(self, request: AnyRequest) -> None:
        opt = request.route_handler.opt
        if opt.get("open") or request.method == "OPTIONS":
            return
        caller = await self._caller(_key_of(request))
        if caller is None or _is_over(caller):
            raise unusable()
        request.scope["auth"] = caller
        add_ids(api_key_id=caller.key_id)

    async def _caller(self, key: str) -> Caller | None:
        digest, now = hash_key(key), self._seconds()
        until, caller = self._known.get(digest, (now, None))
        if until > now:
            return caller
        if parse_key(key) is None:
            raise _unauthorized("This is not a key, or it was not copied whole.")
        caller = await self._look_up(digest)
        self._remember(digest, now + (_MISS_SECONDS if caller is None else _HIT_SECONDS), caller)
        return caller

    async def _look_up(self, digest: bytes) -> Caller | None:
        row = await api_keys.get_api_key_by_hash(self._pool, key_hash=digest)
        if row is None:
            return None
        rate = (row.rate_per_second, row.rate_burst)
        return Caller(
            row.id,
            row.team_id,
            row.mode,
            frozenset(row.scopes),
            row.expires_at,
            None if rate[0] is None or rate[1] is None else (rate[0], rate[1]),
        )

    def _remember(self, digest: bytes, until: float, caller: Caller | None) -> None:
        self._known[digest] = (until, caller)
        self._known.move_to_end(digest)
        if len(self._known) > _LONGEST_CACHE:
            self._known.popitem(last=False)


def require_scope(request: AnyRequest) -> None:
    """Comes after RequireAuth, and after what counts requests. Raises Forbidden."""
    caller: Caller | None = request.scope.get("auth")
    if caller is None:
        return  # it is open
    scope = request.route_handler.opt["scope"]  # named by every route, None where any key will do
    if scope is not None and scope not in caller.scopes:
        raise Forbidden(f"The key lacks the scope {scope}.", code="missing_scope")


def unusable() -> Unauthorized:
    """A key that is well-formed and opens nothing."""
    return _unauthorized("The key is unknown, revoked or expired.")


def _key_of(request: AnyRequest) -> str:
    lines = request.headers.getall("authorization", [""])
    if len(lines) > 1:
        # whatever stands before us may have judged by the other one
        raise _unauthorized("Send one key: Authorization comes once.")
    kind, _, key = lines[0].partition(" ")
    if not key or kind.lower() != "bearer":
        raise _unauthorized("Send a key: Authorization: Bearer mj_…")
    return key.strip()


def _unauthorized(message: str) -> Unauthorized:
    return Unauthorized(message, code="unauthorized", headers={"WWW-Authenticate": "Bearer"})


def _is_over(caller: Caller) -> bool:
    return caller.expires_at is not None and caller.expires_at.timestamp() <= time.time()

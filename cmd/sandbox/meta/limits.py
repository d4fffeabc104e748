"""Counts what each account asks for, tells it in headers, and stops who asks too much."""

import math
from typing import Any

import msgspec

from sandbox.accounts import Account
from sandbox.meta.errors import MetaError
from sandbox.state import State

READ_POINTS, WRITE_POINTS = 1, 3
DECAY_SECONDS = 300.0
HOUR = 3600.0
CALLS_PER_ACTIVE_AD = 40
APPLICATION_CALLS_PER_HOUR = 200_000
BUDGET_CHANGES_PER_HOUR = 4
_TOO_MANY = "There have been too many calls from this ad-account. Wait a bit and try again."


class Tier(msgspec.Struct, frozen=True):
    """How much an account of a tier may do."""

    score: float
    block_seconds: float
    calls_per_hour: int
    access: str


TIERS = {
    "development": Tier(60, 300, 300, "development_access"),
    "full": Tier(9_000, 60, 100_000, "standard_access"),
    "unlimited": Tier(math.inf, 0, 10**12, "standard_access"),
}
"""The last is the sandbox's own, for load tests."""


class Usage(msgspec.Struct):
    """What one account has used up."""

    account: str
    score: float = 0.0
    scored_at: float = 0.0
    blocked_until: float = 0.0
    hour_started_at: float = 0.0
    hour_calls: int = 0


def count(state: State, account: Account, *, is_write: bool) -> None:
    """Counts the call. Raises the throttle that Meta answers to one too many."""
    tier, usage, now = TIERS[account.tier], _usage(state, account), state.clock.now()
    if now < usage.blocked_until:
        raise throttle(17)
    if usage.hour_calls >= _hourly_budget(state, account, usage):
        raise throttle(80004)
    usage.hour_calls += 1
    usage.score += WRITE_POINTS if is_write else READ_POINTS
    is_over = usage.score > tier.score
    if is_over:
        usage.score = tier.score
        usage.blocked_until = now + tier.block_seconds
    _save(state, usage)
    if is_over:
        raise throttle(17)


def headers(state: State, account: Account) -> dict[str, str]:
    """What Meta tells with every answer, from the real counts."""
    tier, usage, now = TIERS[account.tier], _usage(state, account), state.clock.now()
    blocked = max(usage.blocked_until - now, 0.0)
    budget = _hourly_budget(state, account, usage)
    hourly = _percent(usage.hour_calls, budget)
    hour_left = usage.hour_started_at + HOUR - now if usage.hour_calls >= budget else 0.0
    fades = DECAY_SECONDS * usage.score / tier.score
    business = {
        "type": "ads_management",
        "call_count": int(hourly),
        "total_cputime": int(hourly // 4),
        "total_time": int(hourly // 4),
        "estimated_time_to_regain_access": math.ceil(max(blocked, hour_left) / 60),
        "ads_api_access_tier": tier.access,
    }
    own = {
        "acc_id_util_pct": 100.0 if blocked else _percent(usage.score, tier.score),
        "reset_time_duration": math.ceil(blocked or fades),
        "ads_api_access_tier": tier.access,
    }
    return _as_headers(account, business, own, _application(state, now))


def throttle_headers(account: Account, code: int, seconds: float) -> dict[str, str]:
    """As when the limit behind the code is used up."""
    is_business, is_score = code >= 80000, code in (17, 613)
    business = {
        "type": "ads_management",
        "call_count": 100 if is_business else 0,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": math.ceil(seconds / 60) if is_business else 0,
        "ads_api_access_tier": TIERS[account.tier].access,
    }
    own = {
        "acc_id_util_pct": 100.0 if is_score else 0.0,
        "reset_time_duration": math.ceil(seconds) if is_score else 0,
        "ads_api_access_tier": TIERS[account.tier].access,
    }
    return _as_headers(account, business, own, 100 if code in (4, 32) else 0)


def throttle(code: int) -> MetaError:
    """The error of one family of limits."""
    subcodes = {4: 1504022, 17: 2446079, 613: 1487742}
    messages = {
        4: "(#4) Application request limit reached",
        17: "User request limit reached",
        32: "(#32) Page request limit reached",
        613: "(#613) Calls to this api have exceeded the rate limit.",
    }
    return MetaError(
        code,
        messages.get(code, f"(#{code}) {_TOO_MANY}"),
        subcode=subcodes.get(code, 2446079 if code >= 80000 else None),
        user_title="Ad Account Has Too Many API Calls" if code in (17, 80004) else None,
        user_message=_TOO_MANY if code in (17, 80004) else None,
        transient=code in (4, 17),
    )


def count_budget_change(state: State, object_id: str, now: float) -> None:
    """An ad set's budget may change four times an hour."""
    sql = state.store.connection
    sql.execute("delete from budget_changes where at < ?", (now - HOUR,))
    row = sql.execute(
        "select count(*) from budget_changes where object_id = ?", (object_id,)
    ).fetchone()
    if row[0] >= BUDGET_CHANGES_PER_HOUR:
        raise MetaError(
            613,
            "(#613) Calls to this api have exceeded the rate limit.",
            subcode=1487632,
            user_title="Budget changed too often",
            user_message="The budget of an ad set can change four times an hour.",
        )
    sql.execute("insert into budget_changes values (?, ?)", (object_id, now))


def _usage(state: State, account: Account) -> Usage:
    """With what has faded since the last call taken off."""
    row = state.store.connection.execute(
        "select * from usage where account = ?", (account.id,)
    ).fetchone()
    usage = Usage(account.id) if row is None else Usage(**dict(row))
    now = state.clock.now()
    faded = (now - usage.scored_at) * min(TIERS[account.tier].score, 1e9) / DECAY_SECONDS
    usage.score = max(usage.score - faded, 0.0)
    usage.scored_at = now
    if now >= usage.hour_started_at + HOUR:
        usage.hour_started_at, usage.hour_calls = now, 0
    return usage


def _save(state: State, usage: Usage) -> None:
    state.store.connection.execute(
        "insert or replace into usage values (?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(usage)
    )


def _hourly_budget(state: State, account: Account, usage: Usage) -> int:
    """Ads that run are counted only when it matters."""
    base = TIERS[account.tier].calls_per_hour
    if usage.hour_calls < base / 2:
        return base
    return base + CALLS_PER_ACTIVE_AD * state.objects.count_active(account.id, "ad")


def _application(state: State, now: float) -> int:
    row = state.store.connection.execute(
        "select sum(hour_calls) from usage where hour_started_at > ?", (now - HOUR,)
    ).fetchone()
    return int(_percent(row[0] or 0, APPLICATION_CALLS_PER_HOUR))


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)


def _as_headers(
    account: Account, business: dict[str, Any], own: dict[str, Any], application: int
) -> dict[str, str]:
    app = {"call_count": application, "total_time": application, "total_cputime": application}
    told: dict[str, Any] = {
        "x-business-use-case-usage": {account.id.removeprefix("act_"): [business]},
        "x-ad-account-usage": own,
        "x-app-usage": app,
    }
    return {name: msgspec.json.encode(value).decode() for name, value in told.items()}

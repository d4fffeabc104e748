"""Reads the usage that Meta tells with every answer, and slows an account down before it is stopped."""

from collections.abc import Mapping
from typing import Any

import msgspec

from common import clock
from common.errors import Wait
from workers.platforms.meta.strangers import mapping, parsed

SLOW_PERCENT = 75.0
STOP_PERCENT = 95.0
LONGEST_PAUSE_SECONDS = 2.0
FORGET_SECONDS = 300.0
LONGEST_REGAIN_SECONDS = 24 * 3600.0
LARGEST_FIGURE = 10**15
OF_ADS = "ads_management"
"""The limit that building uses up; insights, pages and others have their own (rate limiting guide)."""
_LIMITS = {
    80000: "ads_insights",
    80001: "pages",
    80002: "instagram",
    80003: "custom_audience",
    80005: "leadgen",
    80006: "messenger",
    80008: "whatsapp",
    80009: "catalog_management",
    80014: "catalog_batch",
}
"""By the code of the refusal; every other code is about ads."""


class Usage(msgspec.Struct, frozen=True):
    """How much of a limit is used, and when it is free again if Meta says so."""

    percent: float = 0.0
    regain_seconds: float | None = None


def read_usage(
    headers: Mapping[str, str], limit: str = OF_ADS, *, account: str | None = None
) -> Usage:
    """The tightest of the limits told in the headers of one answer, other business use cases left out,
    and other accounts where the one that was asked about is told of.

    >>> read_usage({"x-ad-account-usage": '{"acc_id_util_pct": 96.5, "reset_time_duration": 120}'})
    Usage(percent=96.5, regain_seconds=120.0)
    """
    found = [
        *_business(_object(headers.get("x-business-use-case-usage")), limit, account),
        *_account(_object(headers.get("x-ad-account-usage"))),
        *_app(_object(headers.get("x-app-usage"))),
    ]
    if not found:
        return Usage()
    percent = max(usage.percent for usage in found)
    regain = max(usage.regain_seconds or 0.0 for usage in found)
    return Usage(percent, min(max(regain, 0.0), LONGEST_REGAIN_SECONDS) or None)


def limit_of(code: object) -> str:
    """Which limit a refusal with this code is about.

    >>> limit_of(80004), limit_of(80000), limit_of([80000])
    ('ads_management', 'ads_insights', 'ads_management')
    """
    return _LIMITS.get(code, OF_ADS) if isinstance(code, int) else OF_ADS


class Pacing:
    """What each account's last answer said; kept per process, a hint and never a promise."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, Usage]] = {}

    def heard(self, account: str, usage: Usage) -> None:
        """Remembers what an answer told about the account."""
        self._last[account] = (clock.seconds(), usage)

    def before_write(self, account: str) -> float:
        """Seconds to pause before the next write. Raises Wait when the limit is all but used up."""
        at, usage = self._last.get(account, (0.0, Usage()))
        age = clock.seconds() - at
        if age > min(usage.regain_seconds or FORGET_SECONDS, FORGET_SECONDS):
            return 0.0
        if usage.percent >= STOP_PERCENT:
            # one write after the wait finds out how things stand
            self._last.pop(account, None)
            raise Wait(
                f"{usage.percent:.0f} % of Meta's limit for this account is used",
                code="throttled",
                reason="throttled",
                seconds=usage.regain_seconds or 60.0,
                remedy="Nothing; the job goes on when Meta allows it.",
            )
        used = (usage.percent - SLOW_PERCENT) / (STOP_PERCENT - SLOW_PERCENT)
        return max(used, 0.0) * LONGEST_PAUSE_SECONDS


def _business(told: dict[str, Any], limit: str, account: str | None) -> list[Usage]:
    found: list[Usage] = []
    own = (account or "").removeprefix("act_")
    for entries in [told[own]] if own in told else told.values():
        for entry in entries if isinstance(entries, list) else []:  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger
            if isinstance(entry, dict) and entry.get("type", limit) == limit:  # pyright: ignore[reportUnknownMemberType]  # likewise
                percent = max(
                    _float(entry.get(k)) for k in ("call_count", "total_cputime", "total_time")
                )  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # likewise
                minutes = _float(entry.get("estimated_time_to_regain_access"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # likewise
                found.append(Usage(percent, minutes * 60 or None))
    return found


def _account(told: dict[str, Any]) -> list[Usage]:
    if not told:
        return []
    return [
        Usage(_float(told.get("acc_id_util_pct")), _float(told.get("reset_time_duration")) or None)
    ]


def _app(told: dict[str, Any]) -> list[Usage]:
    if not told:
        return []
    return [Usage(max(_float(told.get(k)) for k in ("call_count", "total_cputime", "total_time")))]


def _object(text: str | None) -> dict[str, Any]:
    return {} if text is None else mapping(parsed(text))


def _float(value: object) -> float:
    """The largest integers of JSON are too large for floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(min(max(value, -LARGEST_FIGURE), LARGEST_FIGURE))

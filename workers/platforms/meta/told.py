"""What Meta tells of tokens, accounts and pages, read as from a stranger: what has another form is None."""

import re
from datetime import UTC, datetime
from typing import Any

from models.jsonb import clean_text
from models.verification import AccountFacts, MinimumBudgets, PageFacts, TokenFacts

LONGEST_NAME = 200
LARGEST_AMOUNT = 2**53
_CURRENCY = re.compile(r"[A-Z]{3}")
STATUSES = {
    1: "ACTIVE",
    2: "DISABLED",
    3: "UNSETTLED",
    7: "PENDING_RISK_REVIEW",
    8: "PENDING_SETTLEMENT",
    9: "IN_GRACE_PERIOD",
    100: "PENDING_CLOSURE",
    101: "CLOSED",
}
"""Marketing API reference, ad account: account_status."""
BUDGETS = {
    "impressions": "min_daily_budget_imp",
    "frequent_actions": "min_daily_budget_high_freq",
    "video_views": "min_daily_budget_video_views",
    "rare_actions": "min_daily_budget_low_freq",
}


def token_facts(answer: dict[str, Any]) -> TokenFacts | None:
    """Of `debug_token`; None when it cannot be understood."""
    data = _object(answer.get("data"))
    works = data.get("is_valid")
    if not isinstance(works, bool):
        return None
    ends = data.get("expires_at")
    expires_at = moment(ends)
    return TokenFacts(
        works=works,
        expires="never" if ends == 0 and ends is not False else "at" if expires_at else "unknown",
        expires_at=expires_at,
        data_access_expires_at=moment(data.get("data_access_expires_at")),
        application_id=name(data.get("app_id")),
        permissions=_names(data.get("scopes")),
    )


def granted(answer: dict[str, Any]) -> list[str] | None:
    """Of `me/permissions`."""
    rows = _objects(answer.get("data"))
    if rows is None:
        return None
    given = [row.get("permission") for row in rows if row.get("status") == "granted"]
    return [permission for permission in given if isinstance(permission, str)]


def account_facts(answer: dict[str, Any], budgets: dict[str, Any]) -> AccountFacts:
    """Of the account and its `minimum_budgets`."""
    currency = answer.get("currency")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        currency = None
    return AccountFacts(
        name=name(answer.get("name")),
        status=_status(answer.get("account_status")),
        currency=currency,
        timezone_name=name(answer.get("timezone_name")),
        minimum_budgets=minimum_budgets(
            budgets, currency, _amount(answer.get("min_campaign_group_spend_cap"))
        ),
    )


def minimum_budgets(
    answer: dict[str, Any], currency: str | None, spend_cap: int | None
) -> MinimumBudgets | None:
    """The row of the account's own currency, and what the account tells of caps."""
    for row in _objects(answer.get("data")) or []:
        amounts = {ours: _amount(row.get(theirs)) for ours, theirs in BUDGETS.items()}
        impressions = amounts.pop("impressions")
        if impressions is not None and currency is not None and row.get("currency") == currency:
            return MinimumBudgets(impressions, **amounts, campaign_spend_cap=spend_cap)
    return None


def pages(answer: dict[str, Any]) -> list[PageFacts] | None:
    """One list of `me/accounts`."""
    rows = _objects(answer.get("data"))
    if rows is None:
        return None
    return [
        PageFacts(
            id=page_id,
            name=name(row.get("name")),
            may_advertise=bool({"ADVERTISE", "MANAGE"} & set(_names(row.get("tasks")) or [])),
        )
        for row in rows
        if (page_id := name(row.get("id"))) is not None
    ]


def next_page(answer: dict[str, Any]) -> str | None:
    """Where the list goes on."""
    paging = _object(answer.get("paging"))
    after = _object(paging.get("cursors")).get("after")
    return after if isinstance(after, str) and "next" in paging else None


def roles(answer: dict[str, Any]) -> list[str] | None:
    """What the token's user may do with the account."""
    return _names(answer.get("user_tasks"))


def moment(value: object) -> datetime | None:
    """Seconds since 1970, as far as they are a time.

    >>> moment(0), moment(-5), moment(True), moment("1"), moment(10**30)
    (None, None, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def name(value: object) -> str | None:
    """Text that can be shown and kept; nothing that is empty."""
    return clean_text(value, LONGEST_NAME) or None if isinstance(value, str) else None


def _status(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return STATUSES.get(value, f"UNKNOWN_{str(value)[:9]}")


def _amount(value: object) -> int | None:
    """Amounts also come as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < LARGEST_AMOUNT else None


def _names(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    found = (name(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON of a stranger
    return [item for item in found if item is not None]


def _objects(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [item for item in value if isinstance(item, dict)]  # pyright: ignore[reportUnknownVariableType]  # likewise


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # likewise

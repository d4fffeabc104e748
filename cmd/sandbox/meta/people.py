"""What surrounds the objects: the account itself, its user, its pages, its token."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.meta.access import ALL_PERMISSIONS, granted
from sandbox.meta.asking import Ask, Result
from sandbox.meta.catalog import FIELDS
from sandbox.meta.errors import parameter
from sandbox.meta.fields import asked_fields
from sandbox.meta.reading import moment
from sandbox.meta.rules.campaign import LEAST_SPEND_CAP
from sandbox.meta.rules.money import FREQUENT_ACTIONS
from sandbox.objects import Record

USER_ID = "1000000000"
APPLICATION_ID = "1000000009"
FUNDING_ID = "1000000008"
DEFAULT_MINIMUM = 100


def account(ask: Ask, _: Record) -> Result:
    """The ad account."""
    return Result(_chosen(ask, "account", _account(ask), ("id", "account_id")))


def minimum_budgets(ask: Ask, _: Record) -> Result:
    """Of the account's own currency."""
    least = ask.account.min_daily_budget or DEFAULT_MINIMUM
    row = {
        "currency": ask.account.currency,
        "min_daily_budget_imp": least,
        "min_daily_budget_video_views": least,
        "min_daily_budget_high_freq": least * FREQUENT_ACTIONS,
        "min_daily_budget_low_freq": least * 40,
    }
    return Result({"data": [row]})


def me(ask: Ask, _: Record) -> Result:
    """The user behind the token."""
    user = {"id": USER_ID, "name": "Sandbox user"}
    return Result(_chosen(ask, "user", user, ("id", "name")))


def ad_accounts(ask: Ask, _: Record) -> Result:
    """A token opens one."""
    return Result({"data": [_chosen(ask, "account", _account(ask), ("id", "account_id"))]})


def pages(ask: Ask, _: Record) -> Result:
    """Those that the account may speak for."""
    found = [_page(ask, page_id) for page_id in ask.account.page_ids]
    return Result({"data": [_chosen(ask, "page", one, ("id", "name")) for one in found]})


def page(ask: Ask, record: Record) -> Result:
    """One page."""
    return Result(_chosen(ask, "page", _page(ask, record.id), ("id", "name")))


def permissions(ask: Ask, _: Record) -> Result:
    """Granted ones and declined ones."""
    declined = ask.account.missing_permissions
    return Result(
        {
            "data": [
                {"permission": name, "status": "declined" if name in declined else "granted"}
                for name in ALL_PERMISSIONS
            ]
        }
    )


def debug_token(ask: Ask, _: Record) -> Result:
    """Whether a token works and until when; of the caller's own account only."""
    asked = str(ask.params.get("input_token") or "")
    if not asked:
        raise parameter("input_token", "The parameter input_token is required")
    token = ask.state.accounts.token(asked)
    if token is None or token.account != ask.account.id:
        error = {"code": 190, "message": "Invalid OAuth access token."}
        return Result({"data": {"is_valid": False, "error": error, "scopes": []}})
    is_over = token.expires_at is not None and token.expires_at <= ask.now
    data: dict[str, Any] = {
        "app_id": APPLICATION_ID,
        "application": "Mojito sandbox",
        "type": "SYSTEM_USER",
        "user_id": USER_ID,
        "is_valid": token.revoked_at is None and not is_over,
        "expires_at": int(token.expires_at or 0),
        "data_access_expires_at": int(ask.account.data_access_expires_at or 0),
        "issued_at": int(ask.account.created_at),
        "scopes": granted(ask.account),
    }
    return Result({"data": data})


def _account(ask: Ask) -> dict[str, Any]:
    known = ask.account
    hours = datetime.fromtimestamp(ask.now, ZoneInfo(known.timezone)).utcoffset() or timedelta()
    found: dict[str, Any] = {
        "id": known.id,
        "account_id": known.id.removeprefix("act_"),
        "name": known.name,
        "account_status": known.account_status,
        "disable_reason": known.disable_reason,
        "currency": known.currency,
        "timezone_name": known.timezone,
        "timezone_offset_hours_utc": hours / timedelta(hours=1),
        "min_daily_budget": known.min_daily_budget or DEFAULT_MINIMUM,
        "min_campaign_group_spend_cap": str(known.min_campaign_group_spend_cap or LEAST_SPEND_CAP),
        "created_time": moment(ask, known.created_at),
        "age": (ask.now - known.created_at) / 86400,
        "amount_spent": "0",
        "balance": "0",
        "spend_cap": "0",
        "owner": USER_ID,
        "is_personal": 0,
        "is_prepay_account": False,
        "user_tasks": known.tasks,
    }
    if known.is_funded:
        card = {"id": FUNDING_ID, "display_string": "Sandbox card", "type": 1}
        found |= {"funding_source": FUNDING_ID, "funding_source_details": card}
    return found


def _page(ask: Ask, page_id: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": page_id,
        "name": f"Sandbox page {page_id}",
        "category": "Brand",
        "tasks": ask.account.page_tasks,
    }
    if ask.account.instagram_user_ids:
        found["instagram_business_account"] = {"id": ask.account.instagram_user_ids[0]}
    return found


def _chosen(
    ask: Ask, kind: str, whole: dict[str, Any], defaults: tuple[str, ...]
) -> dict[str, Any]:
    asked = [field.name for field in asked_fields(ask.params.get("fields"))] or list(defaults)
    for name in asked:
        if name not in FIELDS[kind]:
            node = "AdAccount" if kind == "account" else kind.title()
            message = f"Tried accessing nonexisting field ({name}) on node type ({node})"
            raise parameter("fields", message)
    return {name: whole[name] for name in dict.fromkeys((*asked, "id")) if name in whole}

"""What the facts of a token, an account and its pages mean for who wants to build campaigns."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from models.credentials import MetaCredentials
from models.verification import AccountFacts, Finding, PageFacts, Severity, TokenFacts

SOON = timedelta(days=7)
NEEDED = {
    "ads_management": "Campaigns, ad sets and ads are made with it.",
    "pages_manage_ads": "Creatives that speak for a page are made with it.",
    "pages_read_engagement": "Creatives that speak for a page are made with it.",
}
USEFUL = {
    "ads_read": "Objects are read and found again with it.",
    "pages_show_list": "Without it nobody can see which pages ads may speak for.",
}
_SETTLE = "Settle it in the platform's billing settings, then verify again."
_REVIEW = "Settle it in the platform's Account Quality, then verify again."
_CLOSED = "Use another ad account, or have this one opened again."
_STATES: dict[str, tuple[str, Severity, str]] = {
    "DISABLED": ("ad_account_disabled", "error", _REVIEW),
    "UNSETTLED": ("ad_account_unsettled", "error", _SETTLE),
    "PENDING_RISK_REVIEW": ("ad_account_in_review", "error", _REVIEW),
    "PENDING_SETTLEMENT": ("ad_account_pending_settlement", "warning", _SETTLE),
    "IN_GRACE_PERIOD": ("ad_account_in_grace_period", "warning", _SETTLE),
    "PENDING_CLOSURE": ("ad_account_closing", "error", _CLOSED),
    "CLOSED": ("ad_account_closed", "error", _CLOSED),
}
_NEW_TOKEN = "Make a new token and replace the account's credentials with it."  # noqa: S105 - says what to do
_GRANT = "Have the token's user grant it to the app, make a new token and replace the credentials."


def of_token(token: TokenFacts, now: datetime) -> Iterator[Finding]:
    """What ends, what is missing."""
    if token.expires == "unknown":
        yield Finding(
            "token_expiry_unknown",
            "info",
            "The platform did not tell when the token ends.",
            "Verify with a token of a developer of the app, or look in the app's settings.",
        )
    if token.expires_at is not None and token.expires_at < now + SOON:
        message = f"The token ends at {token.expires_at:%Y-%m-%dT%H:%M:%SZ}."
        yield Finding("token_expires_soon", "warning", message, _NEW_TOKEN)
    seen_until = token.data_access_expires_at
    if seen_until is not None and seen_until < now + SOON:
        word = "data_access_expired" if seen_until <= now else "data_access_expires_soon"
        message = f"The app's access to the user's data ends at {seen_until:%Y-%m-%dT%H:%M:%SZ}."
        yield Finding(word, "warning", message, "Have the token's user sign in to the app again.")
    yield from _permissions(token.permissions)


def _permissions(given: list[str] | None) -> Iterator[Finding]:
    if given is None:
        yield Finding(
            "permissions_unknown",
            "warning",
            "What the token may do could not be learnt.",
            "Verify again; if it stays so, look in the app's settings.",
        )
        return
    for name, use in {**NEEDED, **USEFUL}.items():
        if name not in given:
            severity = "error" if name in NEEDED else "warning"
            message = f"The token lacks the permission {name}. {use}"
            yield Finding("permission_missing", severity, message, _GRANT)


def of_account(
    facts: AccountFacts, roles: list[str] | None, *, is_funded: bool
) -> Iterator[Finding]:
    """Whether ads can be made on the account, and delivered."""
    state = facts.status
    if state in _STATES:
        code, severity, remedy = _STATES[state]
        yield Finding(code, severity, f"The ad account is {state} on the platform.", remedy)
    elif state != "ACTIVE":
        message = f"The state of the ad account is not known ({state})."
        yield Finding("ad_account_state_unknown", "warning", message, _REVIEW)
    if roles is not None and not {"ADVERTISE", "MANAGE"} & set(roles):
        yield Finding(
            "ad_account_role_missing",
            "error",
            "The token's user may not advertise on the ad account.",
            "Give the user the task ADVERTISE on the ad account.",
        )
    if not is_funded:
        yield Finding(
            "payment_method_missing",
            "warning",
            "No payment method of the ad account can be seen; without one nothing is delivered.",
            "Add one in the platform's billing settings, unless the token just may not see it.",
        )
    if facts.minimum_budgets is None:
        yield Finding(
            "minimum_budgets_unknown",
            "info",
            "The least budgets of the account could not be learnt; those known before stay in use.",
            "Nothing; the platform refuses budgets that are too small.",
        )


def of_pages(pages: list[PageFacts] | None, credentials: MetaCredentials) -> Iterator[Finding]:
    """Whether ads can speak for a page, and for the one that the credentials name."""
    wanted = credentials.page_id
    if pages is None:
        yield Finding(
            "pages_unknown",
            "warning",
            "Which pages ads can speak for could not be learnt.",
            "Give the token the permission pages_show_list.",
        )
        return
    usable = [page.id for page in pages if page.may_advertise]
    if wanted is None and not usable:
        yield Finding(
            "page_missing",
            "warning",
            "The token can advertise for no page.",
            "Give the token's user the task ADVERTISE on the page that ads shall speak for.",
        )
    elif wanted is not None and wanted not in usable:
        is_seen = any(page.id == wanted for page in pages)
        code = "page_role_missing" if is_seen else "page_not_accessible"
        message = f"The token's user may not advertise for page {wanted}."
        remedy = "Give the user the task ADVERTISE on the page, or name another page_id."
        yield Finding(code, "error", message, remedy)

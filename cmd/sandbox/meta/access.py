"""Who is asking: the token, its proof, and what it may do."""

import hashlib
import hmac

from sandbox.accounts import Account, Token
from sandbox.meta.asking import PLATFORM
from sandbox.meta.errors import MetaError, dead_token, expired_token, forbidden
from sandbox.meta.wire import Sent
from sandbox.state import State

ALL_PERMISSIONS = (
    "ads_management",
    "ads_read",
    "business_management",
    "pages_manage_ads",
    "pages_read_engagement",
    "pages_show_list",
)


OF_THE_TOKEN = ("user", "debug_token")
"""What anybody may ask who has a token that works."""
STOPPED = (2, 7, 100, 101)
"""Disabled, in risk review, closing, closed."""


def account_of(state: State, sent: Sent) -> Account:
    """The account that the token opens. Raises Meta's token errors."""
    if sent.token is None:
        raise MetaError(104, "An access token is required to request this resource.", status=401)
    token = state.accounts.token(sent.token)
    account = None if token is None else state.accounts.get(PLATFORM, token.account)
    if token is None or account is None:
        raise dead_token("Invalid OAuth access token - Cannot parse access token")
    _check_life(token, state.clock.now())
    _check_proof(account, token, sent.proof)
    return account


def granted(account: Account) -> list[str]:
    """What the account's tokens may do."""
    return [name for name in ALL_PERMISSIONS if name not in account.missing_permissions]


def check_permission(account: Account, method: str, node: str, edge: str | None) -> None:
    """Raises 200 or 10 when the account was made without what the call needs."""
    lacking = account.missing_permissions
    if node in OF_THE_TOKEN:
        if edge == "accounts" and "pages_show_list" in lacking:
            raise forbidden(200, "Requires pages_show_list permission to manage the object")
        return
    if method != "GET" and account.account_status in STOPPED:
        raise MetaError(
            368,
            "The action attempted has been deemed abusive or is otherwise disallowed",
            subcode=1404163,
            user_title="Ad account disabled",
            user_message="The ad account is disabled or closed.",
        )
    if method != "GET" and "ads_management" in lacking:
        raise forbidden(200, "Requires ads_management permission to manage the object")
    if method == "GET" and "ads_read" in lacking:
        raise forbidden(10, "Application does not have permission for this action")
    pages = {"pages_manage_ads", "pages_read_engagement"} & set(lacking)
    if method == "POST" and edge == "adcreatives" and pages:
        raise forbidden(10, f"This endpoint requires the {sorted(pages)[0]} permission")


def _check_life(token: Token, now: float) -> None:
    if token.revoked_at is not None:
        raise dead_token(
            "Error validating access token: The session has been invalidated because the token "
            "was replaced.",
            467,
        )
    if token.expires_at is not None and token.expires_at <= now:
        raise expired_token()


def _check_proof(account: Account, token: Token, proof: str | None) -> None:
    if account.app_secret is None:
        return
    wanted = hmac.new(account.app_secret.encode(), token.token.encode(), hashlib.sha256)
    if not hmac.compare_digest(wanted.hexdigest(), proof or ""):
        raise MetaError(104, "Invalid appsecret_proof provided in the API argument", status=400)

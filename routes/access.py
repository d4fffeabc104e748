"""What a caller can reach: objects of the own team, and with a test key only those that cost nothing."""

from typing import Protocol
from uuid import UUID

import msgspec

from common.errors import Conflict, Forbidden, NotFound
from middleware.auth import Caller
from models.audit import Actor
from models.gen.rows import AccountMode, AdAccount
from routes.parts import ApiRequest


class Reached(Protocol):
    """An account, or a job of one."""

    @property
    def mode(self) -> AccountMode: ...


def reachable[T: Reached](row: T | None, caller: Caller, kind: str = "ad_account") -> T:
    """The object, when it is there and the key may use it. Raises NotFound or Forbidden."""
    if row is None:
        raise not_found(kind)
    require_mode(caller, row.mode)
    return row


def require_mode(caller: Caller, mode: AccountMode) -> None:
    """A test can never spend money, whatever it tries."""
    if caller.mode == "sandbox" and mode == "live":
        raise Forbidden(
            "A test key works with sandbox accounts only.", code="test_key_live_account"
        )


def require_active(account: AdAccount) -> None:
    """Only ACTIVE accounts take work; the code says which remedy helps."""
    if account.status == "REQUIRES_REAUTH":
        raise Conflict(
            "The platform refuses the account's credentials; replace them.",
            code="ad_account_requires_reauth",
        )
    if account.status != "ACTIVE":
        raise Conflict(f"The account is {account.status}.", code="ad_account_not_active")


def object_id(text: str, kind: str) -> UUID:
    """The id in an address, spelled as in a body. What is no id names nothing, so NotFound is raised."""
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        raise not_found(kind) from None


def not_found(kind: str) -> NotFound:
    """The same for what never was, was deleted, and belongs to another team."""
    return NotFound(f"There is no such {kind.replace('_', ' ')}.", code=f"{kind}_not_found")


def actor_of(request: ApiRequest) -> Actor:
    """Whom the audit log names."""
    caller = request.auth
    return Actor(caller.team_id, caller.actor, request.scope["state"]["request_id"])

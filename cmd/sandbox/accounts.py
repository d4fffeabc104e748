"""Ad accounts of the sandbox and the tokens that open them."""

import secrets
from typing import Any

import msgspec

from sandbox.store import Store

READY_MADE = "act_1000000001"
READY_MADE_PAGE = "1000000002"


class Account(msgspec.Struct, kw_only=True):
    """What is true of one account from its making on."""

    platform: str
    id: str
    name: str
    tier: str = "full"
    currency: str = "USD"
    timezone: str = "UTC"
    page_ids: list[str] = []
    pixel_ids: list[str] = []
    instagram_user_ids: list[str] = []
    app_secret: str | None = None
    missing_permissions: list[str] = []
    min_daily_budget: int | None = None
    min_campaign_group_spend_cap: int | None = None
    account_status: int = 1
    disable_reason: int = 0
    is_funded: bool = True
    tasks: tuple[str, ...] = ("DRAFT", "ANALYZE", "ADVERTISE", "MANAGE")
    page_tasks: tuple[str, ...] = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE")
    data_access_expires_at: float | None = None
    created_at: float = 0.0


class Token(msgspec.Struct, frozen=True):
    """One key to one account."""

    token: str
    platform: str
    account: str
    expires_at: float | None
    revoked_at: float | None


class Accounts:
    """Makes, finds and lists accounts, and issues their tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sql = store.connection

    def add(self, account: Account, *, is_ready_made: bool = False) -> None:
        """Does nothing to one that is there already."""
        self._sql.execute(
            "insert into accounts values (?, ?, ?, ?) on conflict do nothing",
            (account.platform, account.id, is_ready_made, msgspec.json.encode(account).decode()),
        )

    def get(self, platform: str, account_id: str) -> Account | None:
        """By the platform's own id."""
        row = self._sql.execute(
            "select facts from accounts where platform = ? and id = ?", (platform, account_id)
        ).fetchone()
        return None if row is None else msgspec.json.decode(row["facts"], type=Account)

    def all(self) -> list[Account]:
        """All of them."""
        rows = self._sql.execute("select facts from accounts order by platform, id")
        return [msgspec.json.decode(row["facts"], type=Account) for row in rows]

    def issue(self, account: Account, expires_at: float | None = None) -> str:
        """A new token of the account."""
        token = f"EAAS{secrets.token_urlsafe(36).replace('-', 'x').replace('_', 'y')}"
        self._sql.execute(
            "insert into tokens (token, platform, account, expires_at) values (?, ?, ?, ?)",
            (token, account.platform, account.id, expires_at),
        )
        return token

    def revoke_all(self, account: Account, at: float) -> None:
        """Ends every token that the account has."""
        self._sql.execute(
            """update tokens set revoked_at = ?
               where platform = ? and account = ? and revoked_at is null""",
            (at, account.platform, account.id),
        )

    def token(self, token: str) -> Token | None:
        """Known ones only, dead ones too."""
        row = self._sql.execute(
            "select token, platform, account, expires_at, revoked_at from tokens where token = ?",
            (token,),
        ).fetchone()
        return None if row is None else Token(**dict(row))

    def valid_tokens(self, account: Account, now: float) -> list[str]:
        """Those that open the account now; the lasting and the newest first."""
        rows = self._sql.execute(
            """select token from tokens where platform = ? and account = ? and revoked_at is null
               and (expires_at is null or expires_at > ?)
               order by expires_at is not null, serial desc""",
            (account.platform, account.id, now),
        )
        return [str(row["token"]) for row in rows]


def described(account: Account, token: str | None) -> dict[str, Any]:
    """An account as its maker is told of it; the only answer that ever holds a token.

    Id, token and page also stand under the names that credentials and requests have.
    """
    facts = msgspec.to_builtins(account)
    facts.pop("created_at")
    page = account.page_ids[0] if account.page_ids else None
    return {
        **facts,
        "platform_account_id": account.id,
        "access_token": token,
        "token": token,
        "page_id": page,
        "page": page,
    }

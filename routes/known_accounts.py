"""Ad accounts that requests have named lately; whoever writes lets the database compare."""

from uuid import UUID

from models.gen.rows import AdAccount

MOST_REMEMBERED = 10_000


class KnownAccounts:
    """Rows as they are stored, credentials sealed, by our id and by the platform's."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], AdAccount] = {}

    def find(
        self,
        team_id: UUID,
        account_id: UUID | None,
        platform_type: str,
        platform_account_id: str | None,
    ) -> AdAccount | None:
        """The account under the name that a request gives it; None also when it gives two or none."""
        if (account_id is None) == (platform_account_id is None):
            return None
        if account_id is not None:
            return self._known.get((team_id, account_id))
        return self._known.get((team_id, platform_type, platform_account_id))

    def remember(self, account: AdAccount) -> None:
        """As it was read just now."""
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[account.team_id, account.id] = account
        self._known[account.team_id, account.platform_type, account.platform_account_id] = account

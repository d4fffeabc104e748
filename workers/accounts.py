"""The ad accounts of claimed jobs, remembered until they change."""

from collections.abc import Sequence
from uuid import UUID

from models.gen import ad_accounts
from models.gen.rows import AdAccount, Connection
from workers.claimed import ClaimedJob

MOST_REMEMBERED = 10_000
MOST_READ_AHEAD = 2_000


class Accounts:
    """A claim tells when each account last changed; only what is new since is read again.

    What is remembered is the row as it is stored: credentials stay sealed.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: dict[UUID, AdAccount] = {}

    async def read_ahead(self, connection: Connection, most: int = MOST_READ_AHEAD) -> None:
        """So that the first job of an account, too, begins without a question to the database."""
        for account in await ad_accounts.list_newest_accounts(connection, most=most):
            self._known.setdefault(account.id, account)

    async def of(self, connection: Connection, jobs: Sequence[ClaimedJob]) -> dict[UUID, AdAccount]:
        """The accounts of these jobs by id, not older than the claim."""
        known = self._known
        missing = {
            job.ad_account_id
            for job in jobs
            if (account := known.get(job.ad_account_id)) is None
            or account.updated_at != job.account_updated_at
        }
        if missing:
            for account in await ad_accounts.list_accounts_for_run(connection, ids=list(missing)):
                known[account.id] = account
        if len(known) > self._most:
            self._known = {}
        return known

"""The ad accounts of claimed jobs, remembered until they change."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from models.gen import ad_accounts
from models.gen.rows import AdAccount, ClaimedJob, Connection

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
        missing = {job.ad_account_id for job in jobs if not self._is_fresh(job)}
        if missing:
            for account in await ad_accounts.list_accounts_for_run(connection, ids=list(missing)):
                self._known[account.id] = account
        accounts = self._known
        if len(accounts) > self._most:
            self._known = {}
        return accounts

    def _is_fresh(self, job: ClaimedJob) -> bool:
        known = self._known.get(job.ad_account_id)
        changed_at: datetime = job.account_updated_at
        return known is not None and known.updated_at == changed_at

"""Verifies an ad account: opens its credentials for one look at the platform, and keeps what that found."""

import asyncio
import math
from collections.abc import Callable, Mapping
from uuid import UUID

import msgspec

from common.errors import Conflict, NotFound, Retry, Unavailable, Wait
from models import audit
from models.account import account_view
from models.audit import Actor
from models.credentials import CREDENTIALS, Account
from models.database import Pool
from models.gen import ad_accounts, campaign_jobs
from models.gen.rows import AdAccount, Connection
from models.jsonb import to_jsonb
from models.verification import Checked, Checker, Verification

LONGEST_SECONDS = 20.0
"""For all calls together; a caller waits for the answer."""
_LATER_SECONDS = 5


class AccountVerifier:
    """`checkers` by platform type. Needs no worker: whoever asks waits for the answer."""

    def __init__(
        self,
        checkers: Mapping[str, Checker],
        open_secret: Callable[[bytes, str, UUID, str], bytes],
        *,
        live_seconds: float,
        sandbox_seconds: float,
    ) -> None:
        self._checkers = checkers
        self._open_secret = open_secret
        self._seconds = {"live": live_seconds, "sandbox": sandbox_seconds}

    async def verify(self, pool: Pool, row: AdAccount, actor: Actor) -> Verification:
        """The state of the account as the platform tells it, kept. Nothing is kept when the platform
        cannot be asked: then Unavailable is raised. Conflict when it changed in the meantime."""
        checker = self._checkers.get(row.platform_type)
        if checker is None:
            raise Conflict(
                f"Accounts of {row.platform_type} cannot be verified.",
                code="verification_not_available",
            )
        await audit.record(pool, actor, "ad_account.credentials_opened", row.id)
        checked = await self._checked(checker, row)
        async with pool.acquire() as connection, connection.transaction():
            return await _kept(connection, row, checked, actor)

    async def _checked(self, checker: Checker, row: AdAccount) -> Checked:
        seconds = min(self._seconds[row.mode], LONGEST_SECONDS)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                return await checker.check(self._opened(row), seconds)
        except TimeoutError:
            raise _unavailable("The platform answers too slowly.", "platform_unreachable") from None
        except Wait as wait:
            raise _unavailable(wait.message, "platform_throttled", wait.seconds) from None
        except Retry as retry:
            code = "platform_throttled" if retry.code == "throttled" else "platform_unreachable"
            raise _unavailable(retry.message, code, retry.after) from None

    def _opened(self, row: AdAccount) -> Account:
        """In plain text; nobody but the checker holds it, and only until it answers."""
        plain = self._open_secret(row.credentials, "ad_accounts", row.id, "credentials")
        return Account(
            id=row.id,
            platform_account_id=row.platform_account_id,
            mode=row.mode,
            credentials=msgspec.json.decode(plain, type=CREDENTIALS[row.platform_type]),
        )


async def _kept(
    connection: Connection, looked_at: AdAccount, checked: Checked, actor: Actor
) -> Verification:
    """The account first, then its jobs: whoever parks a job for a dead token does the same."""
    before = await _still_the_same(connection, looked_at)
    if checked.is_token_dead:
        await ad_accounts.require_reauthorisation(
            connection, id=before.id, credentials_version=looked_at.credentials_version
        )
    facts = checked.account
    budgets = None if facts is None else facts.minimum_budgets
    after = await ad_accounts.keep_verification(
        connection,
        id=before.id,
        is_well=checked.is_well,
        token_expires_at=checked.token.expires_at,
        data_access_expires_at=checked.token.data_access_expires_at,
        currency=None if facts is None else facts.currency,
        timezone_name=None if facts is None else facts.timezone_name,
        minimum_budgets=None if budgets is None else to_jsonb(budgets),
    )
    assert after is not None  # noqa: S101 - the row is locked and there
    woken = 0
    if checked.is_well and after.status == "ACTIVE":
        # also those that have waited since before somebody set the account inactive and active again
        woken = await campaign_jobs.wake_jobs_after_reauthorisation(
            connection, ad_account_id=after.id
        )
    views = account_view(before), account_view(after)
    await audit.record(
        connection, actor, "ad_account.verified", after.id, before=views[0], after=views[1]
    )
    return _told(after, checked, woken)


async def _still_the_same(connection: Connection, looked_at: AdAccount) -> AdAccount:
    """Locked. What was learnt says nothing about credentials that came since."""
    if looked_at.team_id is None:
        raise NotFound("There is no such ad account.", code="ad_account_not_found")
    row = await ad_accounts.lock_ad_account(connection, id=looked_at.id, team_id=looked_at.team_id)
    if row is None:
        raise NotFound("There is no such ad account.", code="ad_account_not_found")
    if row.credentials_version != looked_at.credentials_version:
        raise Conflict(
            "The account's credentials were replaced in the meantime. Verify it again.",
            code="ad_account_changed",
        )
    return row


def _told(row: AdAccount, checked: Checked, woken: int) -> Verification:
    assert row.verified_at is not None  # noqa: S101 - it was written just now
    return Verification(
        ad_account_id=row.id,
        platform_type=row.platform_type,
        platform_account_id=row.platform_account_id,
        livemode=row.mode == "live",
        ok=checked.is_well,
        status=row.status,
        jobs_woken=woken,
        verified_at=row.verified_at,
        token=checked.token,
        account=checked.account,
        pages=checked.pages,
        findings=checked.findings,
    )


def _unavailable(message: str, code: str, seconds: float | None = None) -> Unavailable:
    later = math.ceil(seconds or _LATER_SECONDS)
    return Unavailable(
        f"{message} Nothing was learnt and nothing was changed.",
        code=code,
        headers={"Retry-After": str(later)},
    )

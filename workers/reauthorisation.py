"""Lets a job wait for new credentials, unless they have come meanwhile."""

from datetime import datetime, timedelta
from typing import Literal

from models import audit
from models.account import account_view
from models.database import Pool
from models.gen import ad_accounts
from models.gen.rows import AdAccount, Connection, JobStatus
from models.jsonb import to_jsonb
from workers.kinds import Parked, Run
from workers.writes import Move, write_moves


async def park_for_reauthorisation(
    pool: Pool, run: Run, outcome: Parked
) -> tuple[Move, JobStatus | Literal[False]] | None:
    """What was written and became of it, as of any move; None: the account has other credentials than
    the ones that failed, the step can run again.

    Account and job change in one transaction, the account first: whoever replaces the credentials
    does the same, so either he sees this job waiting, or we see his version.
    """
    job = run.job
    async with pool.acquire() as connection, connection.transaction():
        if not await _is_dead(connection, run.account):
            return None
        error = outcome.error
        move = Move(
            job.id,
            job.claim_token,
            "PROCESSING",
            delay_seconds=_rest_of_wait(
                job.waiting_reason, job.waiting_since, job.claimed_at, outcome
            ),
            waiting_reason=outcome.reason,
            error_code=None if error is None else error.code,
            error=None if error is None else to_jsonb(error),
            kind=job.kind,
        )
        (status,) = await write_moves(connection, [move])  # pyright: ignore[reportArgumentType]  # a pool's connection is one
    return move, status


async def _is_dead(connection: Connection, used: AdAccount) -> bool:
    """Whether the credentials that failed still are the account's; it then says that it needs others."""
    before = await ad_accounts.lock_account_of_job(connection, id=used.id)
    still_dead = await ad_accounts.require_reauthorisation(
        connection, id=used.id, credentials_version=used.credentials_version
    )
    after = await ad_accounts.lock_account_of_job(connection, id=used.id)
    if before and after and before.status != after.status:
        await audit.record(
            connection,
            audit.Actor(after.team_id, "worker"),
            "ad_account.reauthorisation_required",
            after.id,
            before=account_view(before),
            after=account_view(after),
        )
    return bool(still_dead)


def _rest_of_wait(
    reason: str | None, since: datetime | None, now: datetime, outcome: Parked
) -> float:
    """Seven days from the first time that the token was refused, not from this one."""
    if reason != outcome.reason or since is None:
        return outcome.seconds
    return max((since + timedelta(seconds=outcome.seconds) - now).total_seconds(), 0.0)

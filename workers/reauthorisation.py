"""Lets a job wait for new credentials, unless they have come meanwhile."""

from datetime import datetime, timedelta
from typing import Literal

from models.database import Pool
from models.gen import ad_accounts
from models.gen.rows import JobStatus
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
    assert job.claim_token is not None  # noqa: S101 - a claimed job has one by constraint
    async with pool.acquire() as connection, connection.transaction():
        still_dead = await ad_accounts.require_reauthorisation(
            connection, id=run.account.id, credentials_version=run.account.credentials_version
        )
        if not still_dead:
            return None
        error = outcome.error
        move = Move(
            job.id,
            job.claim_token,
            "PROCESSING",
            delay_seconds=_rest_of_wait(
                job.waiting_reason, job.waiting_since, job.updated_at, outcome
            ),
            waiting_reason=outcome.reason,
            error_code=None if error is None else error.code,
            error=None if error is None else to_jsonb(error),
            kind=job.kind,
        )
        (status,) = await write_moves(connection, [move])  # pyright: ignore[reportArgumentType]  # a pool's connection is one
    return move, status


def _rest_of_wait(
    reason: str | None, since: datetime | None, now: datetime, outcome: Parked
) -> float:
    """Seven days from the first time that the token was refused, not from this one."""
    if reason != outcome.reason or since is None:
        return outcome.seconds
    return max((since + timedelta(seconds=outcome.seconds) - now).total_seconds(), 0.0)

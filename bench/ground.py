"""The database that is measured on: accounts, jobs of ours, and plain tables with the same payload."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import asyncpg

from bench.limit import TABLES
from common.uuid7 import uuid7
from models.database import Pool
from models.listener import CHANNEL

PAYLOAD = json.dumps({"filler": "x" * 1450})
FILL_PLAIN = "insert into plain_jobs (id, payload) select uuidv7(), $1 from generate_series(1, $2)"
NOBODY_WORKS = """
select not exists (select 1 from campaign_jobs where claim_token is not null)
   and not exists (select 1 from campaign_jobs
                   where claim_token is null and status in ('PENDING', 'PROCESSING')
                     and lane between 0 and 3 and due_at <= now())"""


class Ground:
    """Jobs are spread over a thousand accounts, each with the default limit of four at a time."""

    def __init__(self, url: str, pool: Pool, accounts: Sequence[UUID]) -> None:
        self.url = url
        self.pool = pool
        self.accounts = list(accounts)

    async def clear(self) -> None:
        """No job of anybody is left."""
        await self.pool.execute(
            "truncate campaign_jobs, campaign_requests, job_steps, job_events, plain_jobs, plain_steps"
        )
        await self.settle()

    async def settle(self) -> None:
        """Nobody pays for the writing of what another one has changed."""
        await self.pool.execute("checkpoint", timeout=60)

    async def fill(
        self,
        count: int,
        *,
        accounts: Sequence[UUID] | None = None,
        due: str = "now()",
        status: str = "PENDING",
    ) -> None:
        """That many jobs that wait for their turn, or for a moment given as SQL (n is their number)."""
        await self.pool.execute(
            f"""with made as (
                   insert into campaign_jobs (id, ad_account_id, platform_type, mode, kind, due_at, status)
                   select uuidv7(), ($1::uuid[])[1 + n % cardinality($1::uuid[])], 'META',
                       'sandbox', 'NOOP', {due}, '{status}'
                   from generate_series(1, $3) as n returning id)
               insert into campaign_requests (campaign_job_id, payload) select id, $2 from made""",  # noqa: S608 - of this folder
            list(accounts or self.accounts),
            PAYLOAD,
            count,
        )

    async def fill_plain(self, count: int) -> None:
        """The same for the plain loop."""
        await self.pool.execute(FILL_PLAIN, PAYLOAD, count)

    async def wake(self) -> None:
        """As an API process does after it has accepted jobs."""
        await self.pool.execute(f"notify {CHANNEL}")

    async def nobody_works(self) -> bool:
        """Whether everything that is due is done."""
        # looking at the last job costs the measured server little; the rest of the question much
        last = await self.pool.fetchval(
            "select finished_at is not null from campaign_jobs order by id desc limit 1"
        )
        return last is not False and bool(await self.pool.fetchval(NOBODY_WORKS))

    async def until_done(self) -> None:
        """Returns when everything that is due is done."""
        while not await self.nobody_works():  # noqa: ASYNC110 - asks the database
            await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def without_limits(self) -> AsyncGenerator[None]:
        """Claims take whatever is due, as if no account had a limit: what exact limits cost."""
        function = "select pg_get_functiondef('claim_campaign_jobs'::regproc)"
        exact = await self.pool.fetchval(function)
        free = exact.replace("v_has_choice or exists (", "v_has_choice or false and exists (")
        if free == exact:
            raise LookupError("the claim does not ask for limits where the bench believes it does")
        await self.pool.execute(free)
        try:
            yield
        finally:
            await self.pool.execute(exact)

    @contextlib.asynccontextmanager
    async def connection(self):
        """For whatever must not share one."""
        connection = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()


async def prepare(url: str, pool: Pool, accounts: int = 1000) -> Ground:
    """On a migrated database."""
    await pool.execute(TABLES)
    ids = [uuid7() for _ in range(accounts)]
    await pool.executemany(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values ($1, 'bench', 'META', $2, '', 'bench', '', 'sandbox')""",
        [(account, f"act_{number}") for number, account in enumerate(ids)],
    )
    return Ground(url, pool, ids)

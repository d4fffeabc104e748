"""The real job table: the product's own functions, called one after another on a loop of its own."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Self
from uuid import UUID, uuid4

from models.database import Pool, open_pool
from models.gen import ad_accounts, campaign_jobs, workers
from tests.model.plain import Run
from workers.claimed import claim_jobs
from workers.upkeep import rescue
from workers.writes import Intent, Move, Record, write_intents, write_moves, write_records

SILENCE_SECONDS = 3600.0
"""More than any test lasts on any machine: who is silent here was made so."""

type Row = dict[str, Any]


@dataclass(frozen=True)
class Claimed:
    """What is used of a claimed job."""

    id: UUID
    token: UUID


@dataclass(frozen=True)
class Seen:
    """All rows at one moment; each bears the transaction that wrote it last as `written_by`."""

    clock: datetime
    accounts: dict[UUID, Row]
    jobs: dict[UUID, Row]
    steps: dict[tuple[UUID, str], Row]
    events: dict[UUID, list[str]]


class Real:
    """Synchronous, for a state machine; leaves nothing behind but what is in the database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.team = uuid4()

    def __enter__(self) -> Self:
        self.pool: Pool = self.run(open_pool(self._url, size=8, name="model"))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.pool.close())
        self._runner.close()

    def run[Answer](self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return self._runner.get_loop().run_until_complete(coroutine)

    def sql(self, text: str, *arguments: Any) -> None:
        self.run(self.pool.execute(text, *arguments))

    def clear(self) -> None:
        """Ids begin anew too: the same acts shall lead to the same rows, or nothing can be shrunk."""
        self.sql(
            "truncate campaign_jobs, campaign_requests, job_steps, job_events, workers, ad_accounts cascade"
        )
        self._ids = (UUID(int=number) for number in count(1))

    def new_id(self) -> UUID:
        return next(self._ids)

    def look(self) -> Seen:
        return self.run(self._look())

    def account(self, max_running: int) -> UUID:
        account_id = self.new_id()
        self.run(
            ad_accounts.create_ad_account(
                self.pool,
                id=account_id,
                name="model",
                platform_type="META",
                platform_account_id=f"act_{account_id.int % 10**15}",
                credentials=b"sealed",
                credentials_key_id="k",
                credentials_fingerprint="f",
                mode="sandbox",
                max_running=max_running,
                additional_config="{}",
            )
        )
        return account_id

    def limit(self, account: UUID, max_running: int) -> None:
        self.run(
            ad_accounts.update_ad_account(
                self.pool,
                id=account,
                name="model",
                status="ACTIVE",
                max_running=max_running,
                additional_config="{}",
            )
        )

    def throttle(self, account: UUID, seconds: float) -> None:
        self.run(ad_accounts.throttle_account(self.pool, id=account, delay_seconds=seconds))

    def end_throttle(self, account: UUID) -> None:
        self.sql("update ad_accounts set throttled_until = now() where id = $1", account)

    def submit(self, account: UUID, lane: int, count: int) -> list[UUID]:
        ids = [self.new_id() for _ in range(count)]
        self.run(self._submit(account, lane, ids))
        return ids

    def register(self, worker: UUID) -> None:
        self.run(workers.register_worker(self.pool, id=worker, host="model", process_id=1))

    def renew(self, worker: UUID) -> int:
        return self.run(workers.renew_worker(self.pool, id=worker))

    def silence(self, worker: UUID) -> None:
        self.sql(
            "update workers set last_seen_at = now() - interval '10 hours' where id = $1", worker
        )

    def forget(self, worker: UUID) -> None:
        self.run(workers.delete_worker(self.pool, id=worker))

    def rescue(self) -> int:
        return self.run(rescue(self.pool, silence_seconds=SILENCE_SECONDS, freed=lambda: None))

    def give_back(self, worker: UUID) -> int:
        return self.run(workers.give_back_claims(self.pool, worker_id=worker))

    def give_back_unknown(self, worker: UUID, known: list[Run]) -> int:
        return self.run(
            workers.give_back_unknown_claims(
                self.pool,
                worker_id=worker,
                known_ids=[run.job for run in known],
                known_tokens=[run.token for run in known],
            )
        )

    def claim(self, worker: UUID, want: int, chance: float) -> list[Claimed]:
        """`chance` decides what the claim leaves to chance."""
        return self.run(self._claim(worker, want, chance))

    def draws_age(self, chance: float) -> bool:
        """Whether a claim left to this chance gives the rooms of accounts by age: its second draw."""
        return self.run(self._second_draw(chance)) < 0.25

    def move(self, moves: list[Move]) -> list[Any]:
        return self.run(self._write(write_moves, moves))

    def start_steps(self, intents: list[Intent]) -> list[bool]:
        return self.run(self._write(write_intents, intents))

    def record_steps(self, records: list[Record]) -> list[bool]:
        return self.run(self._write(write_records, records))

    def cancel(self, job: UUID, team: UUID) -> bool:
        answer = campaign_jobs.cancel_campaign_job(self.pool, id=job, team_id=team)
        return self.run(answer) is not None

    def retry(self, job: UUID, team: UUID) -> bool:
        answer = campaign_jobs.retry_campaign_job(self.pool, id=job, team_id=team)
        return self.run(answer) is not None

    def lose_token(self, run: Run, account: UUID, version: int) -> bool:
        """As a worker does whose credentials were refused; False: others have come meanwhile."""
        return self.run(self._lose_token(run, account, version))

    def reauthorise(self, account: UUID) -> int:
        return self.run(self._reauthorise(account))

    def end_wait(self, jobs: list[UUID]) -> None:
        self.sql(
            "update campaign_jobs set due_at = due_at - interval '720 hours' where id = any ($1)",
            jobs,
        )

    async def _submit(self, account: UUID, lane: int, ids: list[UUID]) -> None:
        async with self.pool.acquire() as connection:
            updated_at = await connection.fetchval(
                "select updated_at from ad_accounts where id = $1", account
            )
            for job_id in ids:
                await campaign_jobs.create_campaign_job(
                    connection,
                    id=job_id,
                    kind="TEST",
                    ad_account_id=account,
                    account_updated_at=updated_at,
                    team_id=self.team,
                    platform_type="META",
                    mode="sandbox",
                    payload="{}",
                    steps_total=1,
                    lane=lane,
                )

    async def _claim(self, worker: UUID, want: int, chance: float) -> list[Claimed]:
        async with self.pool.acquire() as connection:
            await connection.execute("select setseed($1)", chance)
            # time passes here by moving jobs into the past, where a session would look a second later
            await connection.execute("select set_config('mojito.head', '', false)")
            jobs = await claim_jobs(connection, worker_id=worker, want=want)
        return [Claimed(job.id, job.claim_token) for job in jobs]

    async def _second_draw(self, chance: float) -> float:
        async with self.pool.acquire() as connection:
            await connection.execute("select setseed($1)", chance)
            await connection.fetchval("select random()")
            return await connection.fetchval("select random()")

    async def _write(self, write: Any, items: list[Any]) -> list[Any]:
        async with self.pool.acquire() as connection:
            return await write(connection, items)

    async def _lose_token(self, run: Run, account: UUID, version: int) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            if not await ad_accounts.require_reauthorisation(
                connection, id=account, credentials_version=version
            ):
                return False
            move = Move(run.job, run.token, "PROCESSING", 7 * 86400.0, "reauth_required")
            await write_moves(connection, [move])
        return True

    async def _reauthorise(self, account: UUID) -> int:
        async with self.pool.acquire() as connection, connection.transaction():
            await ad_accounts.replace_credentials(
                connection,
                id=account,
                credentials=b"other",
                credentials_key_id="k",
                credentials_fingerprint="g",
            )
            return await campaign_jobs.wake_jobs_after_reauthorisation(
                connection, ad_account_id=account
            )

    async def _look(self) -> Seen:
        async with self.pool.acquire() as connection:
            events: dict[UUID, list[str]] = {}
            for row in await connection.fetch("select * from job_events order by id"):
                events.setdefault(row["campaign_job_id"], []).append(row["kind"])
            return Seen(
                accounts={row["id"]: row for row in await _rows(connection, "ad_accounts")},
                jobs={row["id"]: row for row in await _rows(connection, "campaign_jobs")},
                steps={
                    (row["campaign_job_id"], row["name"]): row
                    for row in await _rows(connection, "job_steps")
                },
                events=events,
                clock=await connection.fetchval("select clock_timestamp()"),
            )


async def _rows(connection: Any, table: str) -> list[Row]:
    sql = f"select *, xmin::text as written_by from {table}"  # noqa: S608 - names of this file
    return [dict(row) for row in await connection.fetch(sql)]

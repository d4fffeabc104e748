"""First figures: what the machinery costs beside a plain loop over the same database, in one run.

`python -m bench` (with the repository and its cmd/ on the path) starts a durable PostgreSQL of its own,
prints one table, and stops it. Ratios matter; absolute figures depend on the machine.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import uvloop

from common.embedded_postgres import EmbeddedPostgres
from common.keyring import new_key_line
from common.uuid7 import uuid7
from config.settings import Settings
from models.api_keys import create_key
from models.database import Pool, open_pool
from models.gen import campaign_jobs
from models.job import JobError
from models.listener import CHANNEL
from models.migrate import migrate
from models.plan import PlannedStep
from mojito.wiring import open_app
from workers.kinds import Ended, Run
from workers.ledger import Effect, Pace
from workers.platforms.base import Done
from workers.runner import Worker, WorkerSettings

JOBS = 5000
STEP_JOBS = 1000
PICKUPS = 200
POSTS = 1500
ACCOUNTS = 100
REPEATS = 3
PAYLOAD = json.dumps({"filler": "x" * 1450})
PACE = Pace(30, 30)
PLAIN = """
create table plain_jobs (id uuid primary key, payload jsonb not null, status text not null default 'PENDING',
    due_at timestamptz not null default now(), claim_token uuid, finished_at timestamptz);
alter table plain_jobs alter column payload set storage external;
create index on plain_jobs (due_at) where status = 'PENDING';
create table plain_steps (job_id uuid, name text, status text, outcome text, primary key (job_id, name));
"""
PLAIN_CLAIM = """
with picked as materialized (select id from plain_jobs where status = 'PENDING' and due_at <= now()
    order by due_at limit $1 for update skip locked)
update plain_jobs set status = 'PROCESSING', claim_token = $2 where id = any (array(select id from picked))
returning id, payload"""
PLAIN_FINISH = """
update plain_jobs set status = 'SUCCESS', finished_at = now()
where id = any ($1::uuid[]) and claim_token = $2"""


class NoOp:
    """A job that does nothing; counts and tells when all are done."""

    def __init__(self, steps: int = 0) -> None:
        self._steps = [PlannedStep(f"step[{n}]", "campaign", n) for n in range(steps)]
        self.seen: list[tuple[UUID, float]] = []

    async def __call__(self, run: Run) -> Ended:
        self.seen.append((run.job.id, time.perf_counter()))
        for step in self._steps:
            await run.ledger.step(step, Effect(_done), PACE)
        return Ended("SUCCESS")

    async def abandon(self, run: Run, error: JobError) -> Ended:  # noqa: ARG002 - its name is the protocol's
        return Ended("FAILED", error=error)


async def _done(_: Any) -> Done:
    return Done("1")


class Bench:
    """A database with accounts, and the ways to fill and drain it."""

    def __init__(self, url: str, pool: Pool, accounts: list[UUID]) -> None:
        self.url = url
        self.pool = pool
        self.accounts = accounts

    async def fill(self, count: int) -> None:
        await self.pool.execute(
            "truncate campaign_jobs, campaign_requests, job_steps, job_events, plain_jobs, plain_steps"
        )
        await self.pool.execute(
            """with made as (
                   insert into campaign_jobs (id, ad_account_id, platform_type, mode, kind)
                   select uuidv7(), ($1::uuid[])[1 + n % cardinality($1::uuid[])], 'META',
                       'sandbox', 'NOOP'
                   from generate_series(1, $3) as n returning id)
               insert into campaign_requests (campaign_job_id, payload) select id, $2 from made""",
            self.accounts,
            PAYLOAD,
            count,
        )

    async def fill_plain(self, count: int) -> None:
        await self.pool.execute("truncate plain_jobs, plain_steps")
        await self.pool.execute(
            "insert into plain_jobs (id, payload) select uuidv7(), $1 from generate_series(1, $2)",
            PAYLOAD,
            count,
        )

    async def drain(self, count: int, steps: int) -> float:
        """Jobs per second of one worker with everything on."""
        await self.fill(count)
        handler = NoOp(steps)
        worker = Worker(
            self.url, self.pool, uuid4(), {"NOOP": handler}, WorkerSettings(concurrency=500)
        )
        start = time.perf_counter()
        task = asyncio.create_task(worker.run())
        await self._until_drained()
        took = time.perf_counter() - start
        worker.stop()
        await task
        return count / took

    async def _until_drained(self) -> None:
        sql = (
            "select exists (select 1 from campaign_jobs where status in ('PENDING', 'PROCESSING'))"
        )
        while await self.pool.fetchval(sql):  # noqa: ASYNC110 - asks the database
            await asyncio.sleep(0.01)

    async def drain_plain(self, count: int, steps: int) -> float:
        """Jobs per second of a loop that claims, writes steps and finishes in batches of 500."""
        await self.fill_plain(count)
        connection = await asyncpg.connect(self.url)
        start = time.perf_counter()
        while rows := await connection.fetch(PLAIN_CLAIM, 500, token := uuid4()):
            ids = [row["id"] for row in rows]
            for step in range(steps):
                for status in ("RUNNING", "DONE"):
                    await connection.execute(
                        "insert into plain_steps select unnest($1::uuid[]), $2, $3 "
                        "on conflict (job_id, name) do update set status = excluded.status",
                        ids,
                        f"step[{step}]",
                        status,
                    )
            await connection.execute(PLAIN_FINISH, ids, token)
        took = time.perf_counter() - start
        await connection.close()
        return count / took

    async def pickup(self) -> tuple[float, float]:
        """Milliseconds from commit to handler, p50 and p99, at 50 jobs a second."""
        await self.fill(0)
        handler = NoOp()
        worker = Worker(
            self.url, self.pool, uuid4(), {"NOOP": handler}, WorkerSettings(concurrency=64)
        )
        task = asyncio.create_task(worker.run())
        await worker.started.wait()
        await asyncio.sleep(0.3)
        committed: dict[UUID, float] = {}
        for number in range(PICKUPS):
            job = await campaign_jobs.create_campaign_job(
                self.pool,
                id=uuid7(),
                kind="NOOP",
                ad_account_id=self.accounts[number % ACCOUNTS],
                platform_type="META",
                mode="sandbox",
                payload=PAYLOAD,
                steps_total=0,
                lane=2,
            )
            assert job is not None
            committed[job.id] = time.perf_counter()
            await self.pool.execute(f"notify {CHANNEL}")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        worker.stop()
        await task
        return _quantiles([at - committed[job] for job, at in handler.seen if job in committed])

    async def pickup_plain(self) -> tuple[float, float]:
        """The same for a loop that listens and claims one."""
        await self.fill_plain(0)
        connection, listener = await asyncpg.connect(self.url), await asyncpg.connect(self.url)
        woken, committed, seen = asyncio.Event(), {}, []
        await listener.add_listener(CHANNEL, lambda *_: woken.set())

        async def loop() -> None:
            while True:
                await woken.wait()
                woken.clear()
                while rows := await connection.fetch(PLAIN_CLAIM, 64, token := uuid4()):
                    seen.extend((row["id"], time.perf_counter()) for row in rows)
                    await connection.execute(PLAIN_FINISH, [row["id"] for row in rows], token)

        task = asyncio.create_task(loop())
        for _ in range(PICKUPS):
            job_id = uuid7()
            await self.pool.execute(
                "insert into plain_jobs (id, payload) values ($1, $2)", job_id, PAYLOAD
            )
            committed[job_id] = time.perf_counter()
            await self.pool.execute(f"notify {CHANNEL}")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()
        await listener.remove_listener(CHANNEL, lambda *_: None)
        listener.terminate()
        return _quantiles([at - committed[job] for job, at in seen if job in committed])


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


async def posts(bench: Bench, folder: Path) -> tuple[float, float]:
    """POST /ads/meta accepted per second in one process, and bare inserts of the same row."""
    (folder / "encryption-keys").write_text(new_key_line("bench"))
    settings = Settings(database_url=bench.url, data_dir=folder)
    async with open_app(settings) as app:
        made = await create_key(bench.pool, team="bench", name="bench")
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
        headers = {"Authorization": f"Bearer {made.key}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://api", headers=headers
        ) as client:
            account = await client.post("/api/v1/ad_accounts", json=ACCOUNT)
            body = json.dumps({**REQUEST, "ad_account_id": account.json()["id"]})

            async def one() -> None:
                answer = await client.post(
                    "/api/v1/ads/meta", content=body, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code == 202, answer.text

            async def bare() -> None:
                await campaign_jobs.create_campaign_job(
                    bench.pool,
                    id=uuid7(),
                    kind="BUILD_CAMPAIGN",
                    ad_account_id=bench.accounts[0],
                    platform_type="META",
                    mode="sandbox",
                    payload=body,
                    steps_total=5,
                    lane=2,
                )

            return await _rate(one), await _rate(bare)


async def _rate(call: Callable[[], Awaitable[None]]) -> float:
    """Calls per second with 16 at a time."""
    start = time.perf_counter()

    async def many() -> None:
        for _ in range(POSTS // 16):
            await call()

    await asyncio.gather(*(many() for _ in range(16)))
    return (POSTS // 16) * 16 / (time.perf_counter() - start)


async def median(measure: Callable[[], Awaitable[float]]) -> float:
    return statistics.median([await measure() for _ in range(REPEATS)])


async def main(server: EmbeddedPostgres, folder: Path) -> None:
    await migrate(server.url("bench"))
    pool = await open_pool(server.url("bench"), size=16, name="bench")
    await pool.execute(PLAIN)
    accounts = [uuid7() for _ in range(ACCOUNTS)]
    await pool.executemany(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode, max_running)
           values ($1, 'bench', 'META', $2, '', 'bench', '', 'sandbox', 1000)""",
        [(account, f"act_{number}") for number, account in enumerate(accounts)],
    )
    bench = Bench(server.url("bench"), pool, accounts)
    version, size = server.binaries.version, len(PAYLOAD)
    print(f"PostgreSQL {version}, durable commits; payload {size} bytes; medians of {REPEATS}")
    print(f"{'measure':44}{'ours':>12}{'plain':>12}{'ratio':>8}")
    for name, count, steps in (
        ("drain of no-op jobs, jobs/s", JOBS, 0),
        ("jobs of four durable steps, jobs/s", STEP_JOBS, 4),
    ):
        ours = await median(lambda c=count, s=steps: bench.drain(c, s))
        plain = await median(lambda c=count, s=steps: bench.drain_plain(c, s))
        print(f"{name:44}{ours:12.0f}{plain:12.0f}{ours / plain:8.2f}")
    mine, others = await bench.pickup(), await bench.pickup_plain()
    for name, ours, plain in zip(("p50", "p99"), mine, others, strict=True):
        print(
            f"{f'pickup at 50 jobs/s, {name}, ms':44}{ours:12.2f}{plain:12.2f}{ours / plain:8.2f}"
        )
    accepted, inserted = await posts(bench, folder)
    ratio = accepted / inserted
    print(
        f"{'POST /ads/meta beside a bare insert, 1/s':44}{accepted:12.0f}{inserted:12.0f}{ratio:8.2f}"
    )
    await pool.close()


ACCOUNT = {
    "name": "bench",
    "platform_type": "META",
    "platform_account_id": "act_99",
    "mode": "sandbox",
    "credentials": {"access_token": "bench"},
}
REQUEST = {
    "campaign": {
        "name": "Spring sale",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
    },
    "ad_sets": [
        {
            "name": "US 25-45",
            "daily_budget": 5000,
            "optimization_goal": "LINK_CLICKS",
            "billing_event": "IMPRESSIONS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "targeting": {
                "geo_locations": {"countries": ["US"]},
                "age_min": 25,
                "age_max": 45,
                "advantage_audience": False,
            },
            "ads": [
                {
                    "name": "Hero",
                    "creative": {
                        "type": "link",
                        "page_id": "1234567890",
                        "link": "https://example.com/offer",
                        "message": "50 % off",
                        "call_to_action": "LEARN_MORE",
                        "image": "hero",
                    },
                }
            ],
        }
    ],
    "media": {"hero": {"url": "https://example.com/hero.png"}},
}

if __name__ == "__main__":
    from common.log import configure

    configure("json", "error")
    with tempfile.TemporaryDirectory(prefix="mojito-bench-") as name:
        Path(name).chmod(0o755)
        with EmbeddedPostgres(Path(name) / "postgres") as postgres:
            postgres.create_database("bench")
            uvloop.run(main(postgres, Path(name)))
    sys.exit(0)

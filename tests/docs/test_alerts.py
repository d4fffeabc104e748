"""Each alert fires on the metrics of the trouble that it is for, and on those of a quiet day none does."""

import contextlib

import pytest
from uuid_utils.compat import uuid7

from models.database import open_pool
from routes.metrics import ApiMetrics
from tests.docs.promql import Evaluation, scraped
from tests.docs.test_operations import GROUP
from workers.metrics import WorkerMetrics

RULES = {rule["alert"]: rule["expr"] for rule in GROUP["rules"]}
MINUTES = 5
WORKER = """insert into workers (id, host, process_id, last_seen_at)
values (gen_random_uuid(), 'm', 1, now() - $1::text::interval)"""
JOB = """
with account as (
    insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, credentials_key_id,
        credentials_fingerprint, mode)
    values ($1, 'test', 'META', 'act_1', 'sealed', 'k', 'f', 'sandbox') returning id)
insert into campaign_jobs (id, ad_account_id, platform_type, mode, status, due_at, waiting_reason)
select gen_random_uuid(), id, 'META', 'sandbox', $2, now() + $3::text::interval, $4 from account"""


class Day:
    """An API process and a worker, with what happens to both between two scrapes."""

    def __init__(self, pool):
        self.pool = pool
        self.api, self.worker = ApiMetrics(pool), WorkerMetrics()
        self.is_scraped = True
        self.probe()
        for status in (202, 500):
            self.answer("POST", "/api/v1/ads/meta", status)
        for outcome in ("done", "unknown"):
            self.worker.called("META", outcome, 0.1)
        self.worker.refused("moves", 1)

    def answer(self, method, route, status, times=1):
        for _ in range(times):
            self.api.answered({"method": method, "path_template": route}, status, 0.01)

    def probe(self):
        """Load balancer, container engine and Prometheus ask all the time."""
        for route, times in (("/livez", 60), ("/readyz", 600), ("/metrics", 20)):
            self.answer("GET", route, 200, times)

    async def scrape(self):
        """As Prometheus finds it."""
        if not self.is_scraped:
            return scraped({"worker": self.worker.exposition().decode()})
        await self.api.look()
        self.api._looked_at = -1000.0
        told = {"api": self.api, "worker": self.worker}
        return scraped({name: one.exposition().decode() for name, one in told.items()})


@pytest.fixture
async def day(database):
    pool = await open_pool(database, size=2, name="test")
    await pool.execute(WORKER, "0 s")
    yield Day(pool)
    await pool.close()


async def firing(day, happens):
    first = await day.scrape()
    day.probe()
    day.answer("POST", "/api/v1/ads/meta", 202, 100)
    day.worker.called("META", "done", 0.1)
    async with happens(day):
        told = Evaluation(first, await day.scrape(), MINUTES * 60)
    return {name for name, expression in RULES.items() if told.fires(expression)}


@contextlib.asynccontextmanager
async def nothing(day):
    yield


@contextlib.asynccontextmanager
async def waiting_jobs(day):
    await day.pool.execute(JOB, uuid7(), "PENDING", "-10 min", None)
    yield


@contextlib.asynccontextmanager
async def no_api(day):
    day.is_scraped = False
    yield


@contextlib.asynccontextmanager
async def no_worker(day):
    await day.pool.execute("update workers set last_seen_at = now() - interval '5 min'")
    yield


@contextlib.asynccontextmanager
async def silent_database(day):
    await day.pool.close()
    yield


@contextlib.asynccontextmanager
async def failing_requests(day):
    day.answer("POST", "/api/v1/ads/meta", 500, 4)
    yield


@contextlib.asynccontextmanager
async def full_pool(day):
    """Measured between two looks at the queue, which need a connection."""
    await day.api.look()
    day.api.look = nothing_new
    async with day.pool.acquire(), day.pool.acquire():
        yield


async def nothing_new():
    """The queue was looked at a moment ago."""


@contextlib.asynccontextmanager
async def dead_token(day):
    await day.pool.execute(JOB, uuid7(), "PROCESSING", "1 h", "reauth_required")
    yield


@contextlib.asynccontextmanager
async def broken_platform(day):
    for _ in range(3):
        day.worker.called("META", "unknown", 30.0)
    yield


@contextlib.asynccontextmanager
async def lost_claims(day):
    day.worker.refused("moves", 101)
    yield


TROUBLES = {
    "MojitoJobsWait": waiting_jobs,
    "MojitoNoApi": no_api,
    "MojitoNoWorker": no_worker,
    "MojitoDatabaseSilent": silent_database,
    "MojitoApiFails": failing_requests,
    "MojitoPoolIsFull": full_pool,
    "MojitoAccountsNeedCredentials": dead_token,
    "MojitoPlatformRefuses": broken_platform,
    "MojitoStaleWrites": lost_claims,
}


async def test_on_a_quiet_day_nobody_is_called(day):
    assert await firing(day, nothing) == set()


@pytest.mark.parametrize("alert", RULES)
async def test_an_alert_fires_on_its_trouble_and_no_other_does(alert, day):
    assert await firing(day, TROUBLES[alert]) == {alert}

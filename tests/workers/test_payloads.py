"""When a claim brings what was asked for, and how a worker gets the rest."""

import asyncio
import secrets
import threading

import asyncpg
import msgspec
import pytest

from common.log import merge_ids
from models.gen import workers
from tests.workers.running import until, working
from workers.claimed import claim_jobs
from workers.claims import requests_of
from workers.kinds import Ended


def payload(size):
    return {"filler": secrets.token_hex(size // 2)}


async def some_jobs(shop, count, *, size):
    account = await shop.account(max_running=count)
    return [await shop.job(account, payload=payload(size)) for _ in range(count)]


async def stored(shop):
    rows = await shop.pool.fetch("select campaign_job_id, payload from campaign_requests")
    return {row["campaign_job_id"]: msgspec.json.decode(row["payload"]) for row in rows}


async def test_a_small_claim_brings_its_payloads(shop):
    await some_jobs(shop, 10, size=1500)

    claimed = await shop.claim()

    asked = await stored(shop)
    assert {job.id: msgspec.json.decode(job.request.payload) for job in claimed} == asked


async def test_a_claim_whose_payloads_are_many_bytes_leaves_them_out(shop):
    ids = await some_jobs(shop, 10, size=20_000)

    claimed = await shop.claim()

    assert {job.id for job in claimed} == set(ids)
    assert {job.request for job in claimed} == {None}


async def test_what_a_claim_left_out_is_read_and_what_it_told_is_kept(shop):
    await some_jobs(shop, 3, size=20_000)
    large = await shop.claim()
    await some_jobs(shop, 1, size=10)
    small = await shop.claim()

    requests = await requests_of(shop.pool, [*large, *small])

    assert {job.request is None for job in large} == {True}
    assert {job.request is None for job in small} == {False}
    asked = await stored(shop)
    assert {key: msgspec.json.decode(request.payload) for key, request in requests.items()} == asked


async def test_a_job_runs_with_what_was_asked_for_also_when_its_claim_left_that_out(shop):
    await some_jobs(shop, 10, size=20_000)
    seen = {}

    class Reads:
        async def __call__(self, run):
            seen[run.job.id] = msgspec.json.decode(run.request.payload)
            return Ended("SUCCESS")

    async with working(shop, Reads()):
        await until(lambda: len(seen) == 10)

    assert seen == await stored(shop)


@pytest.mark.parametrize(("count", "size"), [(10, 20_000), (65, 1)])
async def test_a_worker_of_an_earlier_version_gets_every_payload(shop, count, size):
    await some_jobs(shop, count, size=size)
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)

    rows = await shop.pool.fetch("select * from claim_campaign_jobs($1, $2)", shop.worker_id, count)

    asked = await stored(shop)
    assert {row["id"]: msgspec.json.decode(row["payload"]) for row in rows} == asked


async def test_a_claim_whose_answer_nobody_reads_holds_up_no_other(shop):
    await workers.register_worker(shop.pool, id=shop.worker_id, host="test", process_id=1)
    prepared, filled, sent, read = (threading.Event() for _ in range(4))

    async def claim_and_read_late():
        connection = await asyncpg.connect(shop.url)
        claim = {"worker_id": shop.worker_id, "want": 400}
        # prepares the statement: the next time it is sent at once
        await claim_jobs(connection, **claim)
        prepared.set()
        filled.wait()
        task = asyncio.create_task(claim_jobs(connection, **claim))
        await asyncio.sleep(0)  # the task sends
        sent.set()
        read.wait()  # nothing is read while this thread's loop stands still
        claimed = await task
        await connection.close()
        return claimed

    late = asyncio.create_task(asyncio.to_thread(asyncio.run, claim_and_read_late()))
    try:
        await asyncio.to_thread(prepared.wait)
        await some_jobs(shop, 500, size=1800)
        filled.set()
        await asyncio.to_thread(sent.wait)
        async with asyncio.timeout(20):
            other = await shop.claim(50)
    finally:
        filled.set()
        read.set()

    assert len(other) == 50
    assert len(await late) == 400


async def test_of_many_jobs_a_claim_leaves_the_requests_out_also_when_they_are_small(shop):
    await some_jobs(shop, 65, size=1)
    await shop.pool.execute("update campaign_requests set request_id = 'req-' || campaign_job_id")

    many = await shop.claim(65)
    requests = await requests_of(shop.pool, many)

    assert {job.request for job in many} == {None}
    asked = await stored(shop)
    assert len(asked) == 65
    assert {key: msgspec.json.decode(request.payload) for key, request in requests.items()} == asked
    assert all(request.request_id == f"req-{key}" for key, request in requests.items())


async def test_of_a_few_small_jobs_a_claim_tells_everything(shop):
    await some_jobs(shop, 64, size=1)
    await shop.pool.execute(
        "update campaign_requests set request_id = 'req', traceparent = 'trace'"
    )

    few = await shop.claim(64)

    asked = await stored(shop)
    assert {job.id: msgspec.json.decode(job.request.payload) for job in few} == asked
    assert {(job.request.request_id, job.request.traceparent) for job in few} == {("req", "trace")}


async def test_what_is_logged_of_a_job_carries_the_id_of_its_request_after_a_large_claim(shop):
    await some_jobs(shop, 65, size=1)
    await shop.pool.execute("update campaign_requests set request_id = 'req-' || campaign_job_id")
    seen = []

    class Reads:
        async def __call__(self, run):
            seen.append((str(run.job.id), merge_ids(None, "info", {})))
            return Ended("SUCCESS")

    async with working(shop, Reads(), concurrency=100):
        await until(lambda: len(seen) == 65)

    assert all(ids["request_id"] == f"req-{job_id}" for job_id, ids in seen)

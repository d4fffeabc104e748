"""Hosts that lose each other without a word: whatever is cut off, every object is made once."""

import asyncio
import contextlib
from uuid import uuid4

import pytest

from mojito.suites import EXCUSED
from tests.chaos.hosts import HOSTS, database_host, installation, platform_host
from tests.chaos.namespaces import Impossible, Network
from tests.house.conftest import until

pytestmark = pytest.mark.alone

ONE_OF_EACH = {"campaign": 1, "ad_set": 1, "ad": 1}


@pytest.fixture(scope="module")
def network():
    try:
        with Network(HOSTS) as network, network.inside("caller"):
            yield network
    except Impossible as why:
        pytest.skip(f"{EXCUSED}: {why}")


@pytest.fixture(scope="module")
def own_server(network):
    with database_host(network) as server:
        yield server


@pytest.fixture(scope="module")
async def own_sandbox(network, tmp_path_factory):
    async with platform_host(network, tmp_path_factory.mktemp("platform")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
async def hosts(network, own_server, own_sandbox, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    async with installation(network, own_sandbox, own_server, folder) as hosts:
        yield hosts


@pytest.fixture
async def house(hosts):
    await hosts.settle()
    return hosts


async def test_a_worker_that_lost_the_database_in_a_call_changes_nothing_when_it_returns(house):
    await house.sandbox.fault("slow", "*/adsets", seconds=2.8)
    job_id = await house.submit(house.request())
    await until(house.used_up_faults)
    lost = await house.holder(job_id)
    other = house.other(lost)

    with contextlib.ExitStack() as cut:
        with lost.paused():
            cut.enter_context(house.network.without("database", lost.name))
        job = await house.finished(job_id)
    await lost.has_said("job.lost", job_id=job_id, reason="claim_lost")
    house.stop(other)
    next_job = await house.finished(await house.submit(house.request(name="Next")))

    assert (job["status"], next_job["status"]) == ("SUCCESS", "SUCCESS")
    assert await house.kinds() == dict.fromkeys(ONE_OF_EACH, 2)


async def test_workers_that_lost_the_platform_in_a_call_wait_and_go_on(house):
    await house.sandbox.fault("slow", "*/adsets", seconds=2.5, times=3)
    with house.host("first").paused(), house.host("second").paused():
        # all are begun at once: else the first may be over before the last one is in its call
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]
    await until(house.used_up_faults)

    with contextlib.ExitStack() as cut:
        with house.host("first").paused(), house.host("second").paused():
            cut.enter_context(house.network.without("platform", "first", "second"))
        for job in jobs:
            await until(lambda job=job: house.is_parked(job))
    ended = [await house.finished(job) for job in jobs]

    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await house.kinds() == dict.fromkeys(ONE_OF_EACH, 3)


async def test_an_api_that_lost_the_database_says_so_soon_and_serves_again_by_itself(house):
    key = {"Idempotency-Key": str(uuid4())}
    body = house.request()

    with house.network.without("database", "api"):
        unready = await house.ready()
        # more than the pool has connections
        refused = await asyncio.gather(
            *(house.client.get("/ad_accounts") for _ in range(30)),
            *(house.client.post("/ads/meta", json=body, headers=key) for _ in range(3)),
        )

    async def is_taken():
        answer = await house.client.post("/ads/meta", json=body, headers=key)
        return answer if answer.status_code == 202 else None

    await until(house.is_ready)
    accepted = await until(is_taken)
    job = await house.finished(accepted.json()["campaign_job_id"])

    assert {answer.status_code for answer in refused} == {503}
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert unready.status_code == 503
    assert job["status"] == "SUCCESS"
    assert await house.kinds() == ONE_OF_EACH


@pytest.mark.parametrize("how", [Network.without, Network.mute], ids=["black hole", "no answers"])
async def test_jobs_outlive_a_database_that_is_lost_for_longer_than_the_silence(house, how):
    await house.sandbox.fault("slow", "*/adsets", seconds=1, times=4)
    jobs = [await house.submit(house.request(name=f"Job {n}", ads=2)) for n in range(8)]

    async def some_made():
        return (await house.kinds())["campaign"] >= 2

    await until(some_made)
    with how(house.network, "database", "api", "first", "second"):
        await until(lambda: house.are_silent("first", "second"))
    ended = [await house.finished(job) for job in jobs]

    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await house.kinds() == {"campaign": 8, "ad_set": 8, "ad": 16}

"""What a worker measures while it works, and the port where it tells."""

import socket
import threading

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.errors import ConfigurationError
from mojito.api_wiring import open_app
from mojito.metrics_port import served_metrics
from tests.chaos.programs import worker
from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import until
from workers.metrics import WorkerMetrics

ENDED = ("mojito_jobs_ended_total", "BUILD_CAMPAIGN", "SUCCESS")


async def scraped(url):
    """Values by name and labels."""
    async with httpx.AsyncClient(trust_env=False, verify=CLEAR, timeout=60) as client:
        answer = await client.get(url)
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_worker_tells_of_claims_steps_calls_and_ends(house):
    port = free_port()
    await house.sandbox.fault("throttle", "*/adsets", times=1)
    async with worker(house, worker_metrics_port=str(port)):
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]
        for job in jobs:
            assert (await house.finished(job))["status"] == "SUCCESS"

        async def counted():
            # a moment after callers can see it
            now = await scraped(f"http://127.0.0.1:{port}/metrics")
            return now if now.get(ENDED) == len(jobs) else None

        found = await until(counted)

    assert found[ENDED] == 3
    assert found["mojito_claimed_jobs_total",] >= 4
    assert found["mojito_claim_duration_seconds_count",] >= 1
    # what an earlier run of a job has done is no step of the next
    assert found["mojito_step_duration_seconds_count", "campaign", "done"] == 3
    assert found["mojito_step_duration_seconds_count", "ad_set", "done"] == 3
    assert found["mojito_step_duration_seconds_count", "ad_set", "waits"] >= 1
    assert found["mojito_platform_call_duration_seconds_count", "META", "done"] >= 12
    assert found["mojito_platform_call_duration_seconds_count", "META", "wait"] >= 1
    assert found["mojito_job_waits_total", "throttled"] >= 1
    assert found["mojito_job_wait_seconds_total", "throttled"] > 0
    assert found["mojito_flush_rows_sum", "moves"] >= 4
    assert found["mojito_flush_rows_sum", "intents"] >= 12
    assert found["mojito_flush_duration_seconds_count", "moves"] >= 1
    assert 0 < found["mojito_flush_duration_seconds_sum", "intents"] < 60
    assert found["mojito_pool_most_connections",] == 10


async def test_a_token_opens_what_is_closed_and_nothing_else_does(house):
    token = "sixteen characters"
    settings = msgspec.structs.replace(house.settings, metrics_token=token)
    words = ("", token, f"Bearer {token}x", f"Basic {token}", "Bearer", "Bearer \xe9")

    async with open_app(settings) as app:
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            refused = [
                await client.get("/metrics", headers=[(b"Authorization", word.encode("latin-1"))])
                for word in words
            ]
            shown = await client.get("/metrics", headers={"Authorization": f"bearer {token}"})
            alive = await client.get("/livez")

    assert [answer.status_code for answer in refused] == [401] * len(words)
    assert {answer.headers["www-authenticate"] for answer in refused} == {"Bearer"}
    assert {answer.json()["code"] for answer in refused} == {"unauthorized"}
    assert (shown.status_code, alive.status_code) == (200, 200)
    assert "mojito_database_answers 1.0" in shown.text


async def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError, match="MOJITO_WORKER_METRICS_PORT"):
            async with served_metrics(WorkerMetrics(), "127.0.0.1", port):
                pass


async def test_without_a_port_no_thread_is_started():
    before = set(threading.enumerate())

    async with served_metrics(WorkerMetrics(), "127.0.0.1", None):
        assert set(threading.enumerate()) <= before

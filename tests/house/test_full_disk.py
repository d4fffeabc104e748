"""A log that cannot be written costs lines; the work that they tell of goes on."""

import contextlib
import subprocess
import sys
from collections.abc import Generator

import httpx
import pytest

from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import ENVIRONMENT, PATIENCE_SECONDS, House, until


@contextlib.contextmanager
def worker_on_a_full_disk(house: House) -> Generator[subprocess.Popen[bytes]]:
    """Nothing that it logs is taken."""
    assert house.settings.database_url is not None
    own = {
        "MOJITO_DATABASE_URL": house.settings.database_url,
        "MOJITO_DATA_DIR": str(house.settings.data_dir),
        "MOJITO_SANDBOX_URL": house.sandbox.url,
        "MOJITO_POLL_SECONDS": "0.3",
    }
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        process = subprocess.Popen(
            [sys.executable, "-m", "mojito", "work"],
            env=ENVIRONMENT | own,
            stdout=full,
            stderr=full,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture
def sandbox_on_a_full_disk() -> Generator[str]:
    """Its address."""
    port = free_port()
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(port)],
            env=ENVIRONMENT,
            stdout=full,
            stderr=full,
        )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=PATIENCE_SECONDS)


async def test_a_sandbox_whose_output_is_full_answers(sandbox_on_a_full_disk: str):
    async def is_alive() -> bool:
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(trust_env=False, timeout=10, verify=CLEAR) as client:
                return (await client.get(f"{sandbox_on_a_full_disk}/livez")).status_code == 200
        return False

    assert await until(is_alive)


async def test_a_worker_whose_log_is_full_builds_its_campaigns_and_ends_well(house: House):
    with worker_on_a_full_disk(house) as worker:
        jobs = [await house.submit(house.request(name=f"Job {n}")) for n in range(3)]
        ends = [(await house.finished(job))["status"] for job in jobs]

    assert ends == ["SUCCESS"] * 3
    assert worker.returncode == 0

"""A program that crashes leaves none of its secrets on disk, whatever its shell allows."""

import resource
import subprocess
import sys

import httpx
import pytest

from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import PATIENCE_SECONDS, until

UNLIMITED = ["/bin/sh", "-c", 'ulimit -Sc "$(ulimit -Hc)"; exec "$@"', "sh"]


@pytest.fixture(params=["serve", "work"])
def program(request, house):
    """One that opens secrets, started where its memory would be written down; its metrics' port."""
    assert resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
    port = free_port()
    name = "MOJITO_PORT" if request.param == "serve" else "MOJITO_WORKER_METRICS_PORT"
    process = subprocess.Popen(
        [*UNLIMITED, sys.executable, "-m", "mojito", request.param],
        env=house.environment() | {name: str(port)},
    )
    yield process, port
    process.terminate()
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


async def test_a_crash_leaves_no_core(program):
    process, port = program

    async def runs():
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30, verify=CLEAR) as client:
                return (await client.get(f"http://127.0.0.1:{port}/metrics")).status_code == 200
        except httpx.TransportError:
            return False

    await until(runs)

    assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0

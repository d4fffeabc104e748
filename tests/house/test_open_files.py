"""A shell's limit of open files is no limit of the API: it takes what the system allows."""

import resource
import socket
import subprocess
import sys

import httpx
import pytest

from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import ENVIRONMENT, PATIENCE_SECONDS, until

FEW = 64


@pytest.fixture
def api_of_few(house):
    """The port of an API whose shell gives it few open files."""
    port = free_port()
    own = {
        "MOJITO_DATABASE_URL": house.settings.database_url,
        "MOJITO_DATA_DIR": str(house.settings.data_dir),
        "MOJITO_PORT": str(port),
        "MOJITO_LOG_LEVEL": "error",
    }
    limited = ["/bin/sh", "-c", f'ulimit -Sn {FEW}; exec "$@"', "sh"]
    process = subprocess.Popen(
        [*limited, sys.executable, "-m", "mojito", "serve"], env=ENVIRONMENT | own
    )
    yield port
    process.terminate()
    assert process.wait(timeout=PATIENCE_SECONDS) == 0


async def test_more_callers_than_a_shell_allows_are_answered(api_of_few):
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 4 * FEW
    url = f"http://127.0.0.1:{api_of_few}/livez"

    async def is_alive():
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30, verify=CLEAR) as client:
                return (await client.get(url)).status_code == 200
        except httpx.TransportError:
            return False

    await until(is_alive)
    held = [socket.create_connection(("127.0.0.1", api_of_few)) for _ in range(2 * FEW)]
    try:
        alive = await is_alive()
    finally:
        for connection in held:
            connection.close()

    assert alive

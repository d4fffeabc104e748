"""What live accounts get that sandboxes do not: real waits, and patience with outages."""

import asyncio
import subprocess
import sys

import pytest

from common.keyring import new_key_line
from config.settings import read_settings
from mojito.wiring import open_worker, paces
from tests.house.conftest import ENVIRONMENT


def test_only_live_accounts_bear_with_an_outage():
    live, sandbox = paces(read_settings({"MOJITO_DATABASE_URL": "postgresql://x@127.0.0.1/x"}))

    assert live.outage_seconds == 3600
    assert live.wait(600) == 600
    assert sandbox.outage_seconds == 0
    assert sandbox.wait(600) == 2


def test_calls_and_lists_take_as_long_as_the_settings_say():
    told = {
        "MOJITO_CALL_DEADLINE_SECONDS": "31",
        "MOJITO_LIST_LAG_SECONDS": "32",
        "MOJITO_SANDBOX_CALL_DEADLINE_SECONDS": "4",
        "MOJITO_SANDBOX_LIST_LAG_SECONDS": "5",
    }

    live, sandbox = paces(read_settings(told))

    assert (live.call_seconds, live.lag_seconds) == (31, 32)
    assert (sandbox.call_seconds, sandbox.lag_seconds) == (4, 5)


@pytest.fixture
async def settings(database, tmp_path):
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    return read_settings({"MOJITO_DATABASE_URL": database, "MOJITO_DATA_DIR": str(tmp_path)})


async def test_a_worker_builds_at_the_pace_of_the_accounts_mode(settings):
    live, sandbox = paces(settings)

    async with open_worker(settings) as worker:
        build = worker._runs._handlers["BUILD_CAMPAIGN"]

    assert build._paces == {"live": live, "sandbox": sandbox}


async def test_a_worker_keeps_house_as_long_as_it_is_open(settings):
    async with open_worker(settings):
        while_open = {task.get_name() for task in asyncio.all_tasks()}
    afterwards = {task.get_name() for task in asyncio.all_tasks()}

    assert "keep_house" in while_open
    assert "keep_house" not in afterwards


def test_a_worker_is_loaded_without_what_only_the_api_needs():
    """It is restarted in the middle of work: a third of its start went into a web framework."""
    told = subprocess.check_output(
        [sys.executable, "-c", "import sys, mojito.work; print(*sys.modules)"],
        env=ENVIRONMENT,
        text=True,
    )

    loaded = {name.partition(".")[0] for name in told.split()}
    assert "workers" in loaded
    assert not loaded & {"litestar", "uvicorn", "yaml", "routes", "middleware"}

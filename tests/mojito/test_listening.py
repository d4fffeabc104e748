"""Where nothing can be listened on, the message names the setting that helps."""

import socket

import pytest

from common.errors import ConfigurationError
from mojito.listening import bound
from mojito.metrics_port import served_metrics
from tests.free_ports import free_port
from tests.mojito.test_main import require_sentence, run
from workers.metrics import WorkerMetrics

NO_ADDRESSES = ["a..b", "x" * 70, "nowhere.invalid", "[::1]", "192.0.2.1"]


@pytest.mark.parametrize("host", NO_ADDRESSES)
def test_a_host_that_is_not_here_is_told_as_that(host):
    with pytest.raises(ConfigurationError, match="MOJITO_HOST"):
        bound(host, free_port())


@pytest.mark.parametrize("host", NO_ADDRESSES)
async def test_so_it_is_where_metrics_are_served(host):
    with pytest.raises(ConfigurationError, match="MOJITO_HOST"):
        async with served_metrics(WorkerMetrics(), host, free_port()):
            pass


@pytest.mark.parametrize("command", ["serve", "up"])
def test_programs_end_with_a_sentence(tmp_path, command):
    done = run(tmp_path, command, settings={"MOJITO_HOST": "a..b"})

    require_sentence(done)
    assert "MOJITO_HOST" in done.stderr


def test_a_port_that_another_has_is_told_as_that():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(ConfigurationError, match="another port with MOJITO_SANDBOX_PORT"):
            bound("127.0.0.1", taken.getsockname()[1], "MOJITO_SANDBOX_PORT")

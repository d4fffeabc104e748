"""`mojito up` with a database that is named and cannot be had."""

import pytest

from tests.free_ports import free_port
from tests.mojito.test_main import AWAY, NO_SUCH_HOST, require_sentence, run


@pytest.mark.parametrize("url", [AWAY, NO_SUCH_HOST, "no address"])
def test_it_says_so_in_a_sentence(tmp_path, url):
    ports = {"MOJITO_PORT": str(free_port()), "MOJITO_SANDBOX_PORT": str(free_port())}

    done = run(tmp_path, "up", url=url, settings=ports)

    require_sentence(done)
    assert "MOJITO_DATABASE_URL" in done.stderr


def test_a_database_that_refuses_is_named(tmp_path, server):
    ports = {"MOJITO_PORT": str(free_port()), "MOJITO_SANDBOX_PORT": str(free_port())}

    done = run(tmp_path, "up", url=server.url("nowhere"), settings=ports)

    require_sentence(done)
    assert '"nowhere" does not exist' in done.stderr

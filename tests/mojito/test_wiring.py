"""What live accounts get that sandboxes do not: real waits, and patience with outages."""

from config.settings import read_settings
from mojito.wiring import paces


def test_only_live_accounts_bear_with_an_outage():
    live, sandbox = paces(read_settings({"MOJITO_DATABASE_URL": "postgresql://x@127.0.0.1/x"}))

    assert live.outage_seconds == 3600
    assert live.wait(600) == 600
    assert sandbox.outage_seconds == 0
    assert sandbox.wait(600) == 2

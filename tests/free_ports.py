"""Ports for servers that are told their number before they listen."""

import contextlib
import itertools
import os
import secrets
import socket

FIRST, EACH = 12_000, 4_000
"""Below 32768, from where on systems number whoever connects: one that is free there may be taken at once."""
_STEPS = itertools.count(secrets.randbelow(EACH))


def free_port() -> int:
    """One that nobody has just now, and that no other test is given: not beside this one nor soon after."""
    beside = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = FIRST + beside * EACH + next(_STEPS) % EACH
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port

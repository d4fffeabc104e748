"""Ports for servers that are told their number before they listen."""

import contextlib
import os
import secrets
import socket

FIRST, EACH = 12_000, 4_000
"""Below 32768, from where on systems number whoever connects: one that is free there may be taken at once."""


def free_port() -> int:
    """One that nobody has just now, and that no test which runs beside this one is given."""
    beside = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = FIRST + beside * EACH
    while True:
        port = first + secrets.randbelow(EACH)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port

"""The house of `tests/house`, with a proxy before its PostgreSQL."""

from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.chaos.slow_proxy import SlowProxy, opened_proxy
from tests.house.conftest import house, sandbox, sandbox_address

__all__ = ["house", "sandbox", "sandbox_address"]


@pytest.fixture
async def proxy(database: str) -> AsyncGenerator[SlowProxy]:
    """Between whoever uses `proxied` and the database of the test."""
    folder = parse_qs(urlsplit(database).query)["host"][0]
    async with opened_proxy(Path(folder) / ".s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
def proxied(proxy: SlowProxy, database: str) -> str:
    """The address of the database through the proxy."""
    return f"postgresql://mojito@127.0.0.1:{proxy.port}{urlsplit(database).path}"

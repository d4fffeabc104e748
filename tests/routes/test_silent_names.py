"""Names below domains of one team that never answer hold up no other team's requests."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.asset_files import LocalAssetFiles
from common.guarded_http import GuardedClient
from common.name_lookups import NameLookups
from routes.assets import Assets

URL = "/api/v1/webhook_endpoints"
FEW = 4


class Silent(NameLookups):
    """Few places; names that begin so are looked up until the test is over."""

    def __init__(self) -> None:
        super().__init__(most_at_once=FEW, most_of_an_asker=FEW - 1, look_up=self._answer)
        self.asked = asyncio.Semaphore(0)
        self.over = threading.Event()

    async def __call__(self, host: str, port: int) -> list[str]:
        """Tells the test first."""
        self.asked.release()
        return await super().__call__(host, port)

    def _answer(self, host: str, port: int) -> list[str]:
        if host.startswith("silent"):
            self.over.wait()
        return ["127.0.0.1"]


@pytest.fixture
async def names() -> AsyncGenerator[Silent]:
    """Lets all of them end."""
    made = Silent()
    yield made
    made.over.set()


@pytest.fixture
async def assets(tmp_path: Path, names: Silent) -> AsyncGenerator[Assets]:
    """Names are looked up there."""
    client = GuardedClient(allowed_private_targets=["127.0.0.0/8"], resolve=names)
    yield Assets(files=LocalAssetFiles(tmp_path / "assets"), client=client, max_bytes=200_000)
    await client.aclose()


async def test_addresses_of_webhooks_that_one_team_makes_up_leave_places_to_others(api, names):
    one, other = await api.caller(team="One"), await api.caller(team="Other")

    silent = [
        asyncio.create_task(
            one.post(URL, json={"url": f"https://silent{n}.test/", "events": ["*"]})
        )
        for n in range(FEW)
    ]
    for _ in silent:
        await names.asked.acquire()
    answer = await other.post(URL, json={"url": "http://hooks.test/", "events": ["*"]})
    names.over.set()

    assert answer.status_code == 201, answer.text
    assert {made.status_code for made in await asyncio.gather(*silent)} <= {201, 422}

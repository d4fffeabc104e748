"""An endpoint that gets another address while messages are under way: what the old one did says nothing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from tests.house.conftest import House
from tests.house.receiver import LATER, OK, Receiver, status
from tests.house.webhooks import deliveries, endpoint_now, listen, over, post, tried

type Act = Callable[[], Awaitable[Any]]


class Leaving(Receiver):
    """Does something before it answers."""

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        act, self.act = self.act, _nothing
        await act()
        await super().serve(reader, writer)


async def _nothing() -> None:
    """Nothing more."""


async def move(house: House, endpoint: dict[str, Any], url: str) -> None:
    await change(house, endpoint, url=url)


async def change(house: House, endpoint: dict[str, Any], **wanted: Any) -> None:
    answer = await house.client.patch(f"/webhook_endpoints/{endpoint['id']}", json=wanted)
    assert answer.status_code == 200, answer.text


@contextlib.asynccontextmanager
async def moving(house: House, to: Receiver, answer: bytes) -> AsyncGenerator[dict[str, Any]]:
    """An endpoint whose address changes while its first message is under way."""
    old = Leaving(_nothing)
    old.always = answer
    async with old.open():
        endpoint = await listen(house, old)
        old.act = lambda: move(house, endpoint, to.url)
        yield endpoint


async def test_an_address_that_is_gone_disables_no_other(house, receiver):
    async with moving(house, receiver, status("410 Gone", b"", LATER)) as endpoint:
        await post(house, endpoint, "ping")
        async with house.working():
            await over(house)

    now = await endpoint_now(house, endpoint)
    assert (now["enabled"], now["failing_since"]) == (True, None)
    assert receiver.types == ["webhook.ping"]
    (delivery,) = await deliveries(house, endpoint)
    assert delivery["status"] == "DELIVERED"
    assert [one["http_status"] for one in delivery["tries"]] == [410, 204]


async def test_the_last_failure_of_an_old_address_disables_no_other(house, receiver):
    async with moving(house, receiver, status("503 Unavailable")) as endpoint:
        await post(house, endpoint, "ping")
        await house.pool.execute("update webhook_deliveries set tries_since_queued = 9")
        await house.pool.execute(
            "update webhook_endpoints set failing_since = now() - interval '49 hours'"
        )
        async with house.working():
            await over(house)

    now = await endpoint_now(house, endpoint)
    assert (now["enabled"], now["failing_since"]) == (True, None)
    assert (await deliveries(house, endpoint))[0]["status"] == "FAILED"


async def test_another_address_has_not_failed(house, receiver):
    endpoint = await listen(house, receiver)
    receiver.always = status("503 Unavailable")
    await post(house, endpoint, "ping")
    async with house.working():
        await tried(house, endpoint)
    failing = await endpoint_now(house, endpoint)

    await move(house, endpoint, receiver.url)
    same = await endpoint_now(house, endpoint)
    await move(house, endpoint, f"{receiver.url}/new")
    moved = await endpoint_now(house, endpoint)
    at_once = await house.pool.fetchval(
        "select max_running from ad_accounts where platform_type = 'WEBHOOK'"
    )

    assert failing["failing_since"] is not None
    assert same["failing_since"] == failing["failing_since"]
    assert moved["failing_since"] is None
    assert at_once == 8


async def test_what_waits_is_tried_at_once_at_another_address(house, receiver):
    async with Receiver().open() as old:
        old.always = status("503 Unavailable", b"", LATER)
        endpoint = await listen(house, old)
        await post(house, endpoint, "ping")
        async with house.working():
            await tried(house, endpoint)
            await move(house, endpoint, receiver.url)
            await over(house)

    (delivery,) = await deliveries(house, endpoint)
    assert [one["http_status"] for one in delivery["tries"]] == [503, 204]


async def test_what_waits_is_tried_at_once_by_an_endpoint_that_is_brought_back(house, receiver):
    receiver.answers = [status("503 Unavailable", b"", LATER), OK]
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    async with house.working():
        await tried(house, endpoint)
        await change(house, endpoint, enabled=False)
        await change(house, endpoint, enabled=True)
        await over(house)

    (delivery,) = await deliveries(house, endpoint)
    assert [one["http_status"] for one in delivery["tries"]] == [503, 204]


async def test_another_address_of_a_disabled_endpoint_gives_up_nothing_that_waits(house, receiver):
    receiver.always = status("503 Unavailable", b"", LATER)
    endpoint = await listen(house, receiver)
    await post(house, endpoint, "ping")
    async with house.working():
        waiting = await tried(house, endpoint)
    await change(house, endpoint, enabled=False)

    await move(house, endpoint, f"{receiver.url}/new")

    (delivery,) = await deliveries(house, endpoint)
    assert (delivery["status"], delivery["next_try_at"]) == ("PENDING", waiting["next_try_at"])

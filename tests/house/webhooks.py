"""What tests of webhooks ask of the API, and what they wait for."""

from typing import Any

from tests.house.conftest import House, until
from tests.house.receiver import Receiver


async def listen(house: House, receiver: Receiver, *events: str, below: str = "") -> dict[str, Any]:
    """An endpoint at the receiver."""
    body = {"url": f"{receiver.url}{below}", "events": list(events) or ["job.*"]}
    answer = await house.client.post("/webhook_endpoints", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def post(house: House, endpoint: dict[str, Any], action: str, body: Any = None) -> Any:
    address = f"/webhook_endpoints/{endpoint['id']}/{action}"
    answer = await house.client.post(address, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()


async def deliveries(house: House, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await house.client.get(f"/webhook_endpoints/{endpoint['id']}/deliveries")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def endpoint_now(house: House, endpoint: dict[str, Any]) -> dict[str, Any]:
    return (await house.client.get(f"/webhook_endpoints/{endpoint['id']}")).json()


async def tried(house: House, endpoint: dict[str, Any], times: int = 1) -> dict[str, Any]:
    """The newest delivery, when it was tried so often and nobody has it."""

    async def ask() -> dict[str, Any] | None:
        if await is_held(house):
            return None
        newest = (await deliveries(house, endpoint))[0]
        return newest if len(newest["tries"]) >= times and not await is_held(house) else None

    found = await until(ask)
    assert found is not None
    return found


async def is_held(house: House) -> bool:
    """Whether a worker has a job."""
    return await house.pool.fetchval(
        "select exists (select from campaign_jobs where claim_token is not null)"
    )


async def over(house: House) -> None:
    """Nothing is on its way."""

    async def ask() -> bool:
        return not await house.pool.fetchval(
            "select count(*) from campaign_jobs where status in ('PENDING', 'PROCESSING')"
        )

    await until(ask)


async def hurry(house: House) -> None:
    """Whatever waits is due now."""
    await house.pool.execute("update campaign_jobs set due_at = now() where claim_token is null")

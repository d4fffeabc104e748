"""Callers who lose answers, send again under the same key, and remember everything that they were told."""

import asyncio
import contextlib
from typing import Any

import httpx

from tests.chaos.storm.orders import Order
from tests.chaos.storm.town import Town
from tests.house.conftest import until

ENDS = frozenset({"SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED"})
TOKEN_DIED = ("ad_account_requires_reauth",)
PATIENCE_SECONDS = 120.0


class Told:
    """What one caller heard of its order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.ids: set[str] = set()
        self.ends: list[str] = []
        self.retries = 0
        self.last: dict[str, Any] = {}
        self.wrong: list[str] = []


class Callers:
    """They share connections; `answers` are kept for a search for secrets."""

    def __init__(self, town: Town, key: str) -> None:
        self._town = town
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False
        )
        self._attempt = 0
        self.answers: list[str] = []
        self.told: list[Told] = []

    async def close(self) -> None:
        await self._client.aclose()

    async def serve(self, order: Order) -> None:
        """From the request to the end of its job."""
        told = Told(order)
        self.told.append(told)
        try:
            await self._serve(told)
        except TimeoutError:
            now = [await self.job(job_id) for job_id in told.ids]
            told.wrong.append(f"nothing came of it for {PATIENCE_SECONDS:.0f} s; now: {now}")

    async def _serve(self, told: Told) -> None:
        order = told.order
        times = 2 if order.twist == "sent twice" else 1
        ids = await asyncio.gather(*(self._submit(told) for _ in range(times)))
        if order.twist == "cancelled and retried":
            await self._cancel_and_retry(told, ids[0])
        await self._watch(told, ids[0])

    async def job(self, job_id: str) -> dict[str, Any]:
        """As the API tells it now."""
        return (await self.call("GET", f"/campaign_jobs/{job_id}")).json()

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """An answer of some API process that is none of its excuses; asks again until there is one."""

        async def ask() -> httpx.Response | None:
            self._attempt += 1
            with contextlib.suppress(httpx.TransportError):
                answer = await self._client.request(
                    method, f"{self._town.address(self._attempt)}{path}", **options
                )
                self.answers.append(answer.text)
                if answer.status_code != 503:
                    return answer
                assert answer.headers["Retry-After"]
            return None

        answer = await until(ask, PATIENCE_SECONDS)
        assert answer is not None
        return answer

    async def _submit(self, told: Told) -> str:
        async def ask() -> str | None:
            answer = await self.call(
                "POST",
                "/ads/meta",
                json=told.order.body,
                headers={"Idempotency-Key": told.order.key},
            )
            if answer.status_code == 202:
                return answer.json()["campaign_job_id"]
            # an account whose token died takes no request until somebody gives it another
            if answer.status_code != 409 or answer.json()["code"] not in TOKEN_DIED:
                told.wrong.append(f"submitting: {answer.status_code} {answer.text}")
            return None

        job_id = await until(ask, PATIENCE_SECONDS)
        assert job_id is not None
        told.ids.add(job_id)
        return job_id

    async def _cancel_and_retry(self, told: Told, job_id: str) -> None:
        stopped = await self.call("POST", f"/campaign_jobs/{job_id}/cancel")
        if stopped.status_code not in (202, 409):
            told.wrong.append(f"cancelling: {stopped.status_code} {stopped.text}")
        if await self._end(job_id) == "CANCELLED":
            await until(lambda: self._retried(told, job_id), PATIENCE_SECONDS)

    async def _retried(self, told: Told, job_id: str) -> bool:
        answer = await self.call("POST", f"/campaign_jobs/{job_id}/retry")
        if answer.status_code == 202:
            return True
        code = answer.json()["code"]
        if code not in {*TOKEN_DIED, "job_already_processing", "job_not_retryable"}:
            told.wrong.append(f"retrying: {answer.status_code} {answer.text}")
        # the answer to an earlier try may have been lost, and the job may have ended since
        return code not in TOKEN_DIED

    async def _watch(self, told: Told, job_id: str) -> None:
        """Does what the remedy says when a step was given up after its eight attempts: asks again."""
        end = await self._end(job_id)
        told.last = await self.job(job_id)
        error = told.last["error"]
        if end != told.order.end and error and "gave up after" in error["message"]:
            told.retries += 1
            await until(lambda: self._retried(told, job_id), PATIENCE_SECONDS)
            await self._watch(told, job_id)
        else:
            told.ends.append(end)

    async def _end(self, job_id: str) -> str:
        async def ask() -> str | None:
            # who asks without a pause takes the processors that killed programs need to start
            answer = await self.call(
                "GET", f"/campaign_jobs/{job_id}", headers={"Prefer": "wait=2"}
            )
            status = answer.json()["status"]
            return status if status in ENDS else None

        found = await until(ask, PATIENCE_SECONDS)
        assert found is not None
        return found

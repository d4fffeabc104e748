"""What is fuzzed: a served API, the keys that open it, and objects that are really there."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from tests.routes.meta_requests import meta_request

ROOT = Path(__file__).parents[2]
IMAGE = (ROOT / "examples" / "hero.png").read_bytes()


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """One key that may do everything, and those that may not."""

    good: str
    scopeless: str
    revoked: str
    foreign: str


class Target:
    """A served API with an account, an asset and a job; what a case uses up is made anew for it."""

    def __init__(self, url: str, keys: Keys, token: str, files_url: str) -> None:
        self.url = url
        self.keys = keys
        self.token = token
        self.files_url = files_url
        self._client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {keys.good}"},
            trust_env=False,
            timeout=60,
        )
        self.account_id = self._account("act_1000000001")
        self.changing_id = self._account("act_1000000002")
        uploaded = self._client.post("/assets", files={"file": ("hero.png", IMAGE)})
        self.asset_id: str = _id(uploaded)
        self.jobs = [self._job() for _ in range(4)]
        self.webhook_id = _id(self._client.post("/webhook_endpoints", json=self.webhook_body()))
        self.delivery = self._delivery()
        """Below its endpoint."""
        shown = itertools.cycle(self.jobs)
        self._ids: dict[str, Callable[[], str]] = {
            "get_account": lambda: self.account_id,
            "change_account": lambda: self.changing_id,
            "patch_account": lambda: self.changing_id,
            "delete_account": lambda: self._account(_free_id()),
            "verify_account": lambda: self._account(_free_id()),
            "get_job": lambda: next(shown),
            "cancel_job": self._job,
            "retry_job": self._cancelled_job,
            "get_asset": lambda: self.asset_id,
            "get_asset_content": lambda: self.asset_id,
            "get_webhook_endpoint": lambda: self.webhook_id,
            "change_webhook_endpoint": self._webhook,
            "delete_webhook_endpoint": self._webhook,
            "rotate_webhook_secret": lambda: self.webhook_id,
            "list_webhook_deliveries": lambda: self.webhook_id,
            "get_webhook_delivery": lambda: self.delivery,
            "resend_webhook_delivery": lambda: self.delivery,
            "replay_webhooks": lambda: self.webhook_id,
            "ping_webhook_endpoint": lambda: self.webhook_id,
        }

    @property
    def secrets(self) -> list[str]:
        """What must be read nowhere."""
        return [self.token, self.keys.good, self.keys.scopeless, self.keys.foreign]

    def real_id(self, operation_id: str) -> str | None:
        """The id of an object that the operation can be carried out on; None when it asks for none."""
        make = self._ids.get(operation_id)
        return None if make is None else make()

    def good_body(self, operation_id: str) -> Any:
        """A body that is accepted; None when the operation takes none."""
        match operation_id:
            case "create_account":
                return self.account_body(_free_id())
            case "change_account":
                return {
                    "name": "Changed",
                    "status": "ACTIVE",
                    "max_running": 3,
                    "owner_user_id": str(uuid4()),
                    "additional_config": {"currency": "USD", "min_daily_budget": 100},
                    "credentials": {"access_token": self.token, "page_id": "1000000002"},
                }
            case "patch_account":
                return {"name": "Patched", "additional_config": {"currency": None}}
            case "build_on_meta":
                return meta_request(media={"hero": {"asset_id": self.asset_id}})
            case "create_asset":
                return {"url": f"{self.files_url}/hero.png?signature=1"}
            case _:
                return {
                    "create_webhook_endpoint": self.webhook_body(),
                    "change_webhook_endpoint": {**self.webhook_body(), "enabled": True},
                    "replay_webhooks": {
                        "since": "2026-01-01T00:00:00Z",
                        "until": "2026-01-02T00:00:00Z",
                    },
                }.get(operation_id)

    def webhook_body(self) -> dict[str, Any]:
        """An endpoint; no worker runs, so nothing is sent there."""
        return {
            "url": f"{self.files_url}/hook/{_free_id()}",
            "events": ["job.finished", "job.step.*"],
        }

    def account_body(self, platform_account_id: str) -> dict[str, Any]:
        """An account that does not exist yet, with the secret in it."""
        return {
            "name": "Client X",
            "platform_type": "META",
            "platform_account_id": platform_account_id,
            "mode": "sandbox",
            "credentials": {"access_token": self.token, "app_secret": self.token},
            "additional_config": {"currency": "USD"},
            "max_running": 4,
            "owner_user_id": str(uuid4()),
        }

    def close(self) -> None:
        self._client.close()

    def _account(self, platform_account_id: str) -> str:
        return _id(self._client.post("/ad_accounts", json=self.account_body(platform_account_id)))

    def _webhook(self) -> str:
        """One more than the one that is shown; others make room, a team has only so many."""
        listed = self._client.get("/webhook_endpoints", params={"limit": 200}).json()["data"]
        for others in listed:
            if others["id"] != self.webhook_id:
                self._client.delete(f"/webhook_endpoints/{others['id']}")
        return _id(self._client.post("/webhook_endpoints", json=self.webhook_body()))

    def _delivery(self) -> str:
        made = _id(self._client.post(f"/webhook_endpoints/{self.webhook_id}/ping"))
        return f"{self.webhook_id}/deliveries/{made}"

    def _job(self) -> str:
        body = meta_request(media={"hero": {"asset_id": self.asset_id}})
        return _id(self._client.post("/ads/meta", json=body))

    def _cancelled_job(self) -> str:
        return _id(self._client.post(f"/campaign_jobs/{self._job()}/cancel"))


def _free_id() -> str:
    """Always of one length: generators must not see the difference."""
    return f"act_{uuid4().int % 10**30:030}"


def _id(answer: httpx.Response) -> str:
    assert answer.is_success, answer.text
    return answer.json()["id"]

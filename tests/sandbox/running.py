"""A sandbox on a real port, with what tests say to it."""

import asyncio
import contextlib
import io
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import msgspec
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession
from PIL import Image

from sandbox.app import listen, server_of
from sandbox.state import State

# pyright: reportMissingTypeStubs=false
# the SDK has no types

READY_MADE = "act_1000000001"
PAGE = "1000000002"
PATIENCE_SECONDS = 60
"""With a sandbox on a slow machine."""
CLIP = Path(__file__).parents[2] / "examples" / "clip.mp4"

CAMPAIGN: dict[str, Any] = {
    "name": "Spring sale",
    "objective": "OUTCOME_TRAFFIC",
    "buying_type": "AUCTION",
    "status": "PAUSED",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
}
AD_SET: dict[str, Any] = {
    "name": "US",
    "daily_budget": 5000,
    "billing_event": "IMPRESSIONS",
    "optimization_goal": "LINK_CLICKS",
    "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
    "targeting": {
        "geo_locations": {"countries": ["US"]},
        "targeting_automation": {"advantage_audience": 0},
    },
    "status": "PAUSED",
}
LINK = {"link": "https://example.com/offer", "message": "50 % off", "name": "Spring sale"}
CREATIVE: dict[str, Any] = {
    "name": "Hero",
    "object_story_spec": {"page_id": PAGE, "link_data": LINK},
}


class Running:
    """A server in a thread of its own; stopping it is like the end of its process."""

    def __init__(self, database: Path | None = None) -> None:
        self.state = State(database)
        self._server = server_of(self.state)
        self._listening = listen("127.0.0.1", 0)
        self.port: int = self._listening.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.client = self.new_client()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self.client.get("/livez").raise_for_status()

    def stop(self) -> None:
        """Lets the port and the file go."""
        self.client.close()
        self._server.stop()
        self._thread.join()
        self._listening.close()
        self.state.close()

    def new_client(self) -> httpx.Client:
        """One more, with a connection of its own."""
        return httpx.Client(base_url=self.base, trust_env=False, timeout=PATIENCE_SECONDS)

    def account(self, **options: Any) -> dict[str, Any]:
        """One more account."""
        answer = self.control("POST", "accounts", {"platform": "META", **options})
        return answer.json()

    def token(self, account: str = READY_MADE) -> str:
        """The newest that works."""
        listed = self.control("GET", "accounts").json()["data"]
        return next(one["access_token"] for one in listed if one["id"] == account)

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call of the control plane."""
        return self.client.request(method, f"/_sandbox/{path}", json=body)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """What exists of a kind."""
        return self.control("GET", f"objects?kind={kind}").json()["data"]

    def calls(self) -> list[dict[str, Any]]:
        """What was called."""
        return self.control("GET", "calls").json()["data"]

    def order(self, fault: str, **order: Any) -> int:
        """A failure, for calls of the test's choice."""
        answer = self.control("POST", "faults", {"fault": fault, **order})
        assert answer.status_code == 201
        return answer.json()["id"]

    def advance(self, seconds: float) -> None:
        """Moves the clock."""
        self.control("POST", "clock", {"advance_seconds": seconds}).raise_for_status()

    def graph(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        *,
        token: str | None = None,
        files: dict[str, Any] | None = None,
    ) -> httpx.Response:
        """A call of the Graph API: forms with JSON text inside, the token in a header."""
        form = {name: as_text(value) for name, value in (params or {}).items()}
        where: dict[str, Any] = (
            {"data": form, "files": files} if method == "POST" else {"params": form}
        )
        return self.client.request(
            method,
            f"/meta/v26.0/{path}",
            headers={"Authorization": f"Bearer {token or self.token()}"},
            **where,
        )

    def make(self, edge: str, params: dict[str, Any], account: str = READY_MADE) -> str:
        """The id of something new."""
        answer = self.graph("POST", f"{account}/{edge}", params)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def make_tree(self) -> dict[str, str]:
        """A campaign with one of each below it."""
        campaign = self.make("campaigns", CAMPAIGN)
        ad_set = self.make("adsets", {**AD_SET, "campaign_id": campaign})
        creative = self.make("adcreatives", CREATIVE)
        body = {"name": "Ad", "adset_id": ad_set, "creative": {"creative_id": creative}}
        ad = self.make("ads", {**body, "status": "PAUSED"})
        return {"campaign": campaign, "ad_set": ad_set, "creative": creative, "ad": ad}

    def sdk(self, account: str = READY_MADE, app_secret: str | None = None) -> Any:
        """The official SDK; nothing but its base address differs."""
        session = FacebookSession(
            app_secret=app_secret, access_token=self.token(account), timeout=PATIENCE_SECONDS
        )
        session.requests.trust_env = False
        base = f"{self.base}/meta"
        setattr(session, "GRAPH", base)  # noqa: B010 - the SDK's class says it is constant
        return AdAccount(account, api=VideoHostToo(session, base))

    @contextlib.contextmanager
    def busy(self) -> Generator[None]:
        """It reads nothing and answers nobody."""
        is_over = threading.Event()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(is_over.wait)
        try:
            yield
        finally:
            is_over.set()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listening])


class VideoHostToo(FacebookAdsApi):
    """The SDK has the address of its video host written into it."""

    def __init__(self, session: FacebookSession, base: str) -> None:
        super().__init__(session)
        self._base = base

    def call(self, *args: Any, url_override: str | None = None, **kwargs: Any) -> Any:
        """As ever, elsewhere."""
        return super().call(*args, url_override=url_override and self._base, **kwargs)


def as_text(value: Any) -> str:
    """As forms carry it."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def picture(colour: str = "red", form: str = "PNG", size: tuple[int, int] = (800, 600)) -> bytes:
    """A real image."""
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, form)
    return content.getvalue()


def long_clip(size: int) -> bytes:
    """A real video made longer by a box of padding."""
    clip = CLIP.read_bytes()
    padding = size - len(clip)
    return clip + padding.to_bytes(4, "big") + b"free" + bytes(padding - 8)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error of an answer that must be one."""
    assert answer.status_code >= 400, answer.text
    return answer.json()["error"]

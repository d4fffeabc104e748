"""One example or more of every body that is sent or answered, made of the structs themselves."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from models.account import AccountPage, AccountView
from models.assets import AssetPage, AssetView
from models.campaign import Media
from models.job import JobError, JobView, Progress, StepView, Upstream, Waiting
from models.meta import MetaCampaignRequest
from models.plan import plan
from models.verification import (
    AccountFacts,
    Finding,
    MinimumBudgets,
    PageFacts,
    TokenFacts,
    Verification,
)
from routes import key_examples, webhook_examples
from routes.health import Health
from routes.intake import PlannedJob
from routes.job_lists import JobPage
from routes.subscriptions import JobEvent

_ACCOUNT_ID = UUID("01a1fdbd-727b-72df-8e78-57d7f58a930d")
_JOB_ID = UUID("01a1fdbe-0b1c-7e52-9c1d-3a5f0c9d2e41")
_ASSET_ID = UUID("01a1fdbc-9d20-7a10-8f3e-6b7c8d9e0f10")
_MORNING = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
_LATER = datetime(2026, 11, 21, 8, 30, 4, tzinfo=UTC)
_CURSOR = "AQGh_b5yBXKpjnhX1_WKkw3lqM0u8hZ4nQ8a"

LINK_AD: dict[str, Any] = {
    "ad_account_id": str(_ACCOUNT_ID),
    "campaign": {
        "name": "Spring sale",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
    },
    "ad_sets": [
        {
            "name": "US 25-45",
            "daily_budget": 5000,
            "billing_event": "IMPRESSIONS",
            "optimization_goal": "LINK_CLICKS",
            "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
            "targeting": {
                "geo_locations": {"countries": ["US"]},
                "age_min": 25,
                "age_max": 45,
                "advantage_audience": False,
            },
            "ads": [
                {
                    "name": "Hero",
                    "creative": {
                        "type": "link",
                        "page_id": "1000000002",
                        "link": "https://example.com/offer",
                        "message": "50 % off everything this week.",
                        "headline": "Spring sale",
                        "call_to_action": "LEARN_MORE",
                        "image": "hero",
                    },
                }
            ],
        }
    ],
    "media": {"hero": {"url": "https://example.com/hero.png"}},
}
_PLANNED = plan("META", msgspec.convert(LINK_AD, MetaCampaignRequest))
_IDS = {"media[hero]": "a1b2c3", "campaign": "23", "ad_set[0]": "24"}

_ACCOUNT = AccountView(
    id=_ACCOUNT_ID,
    name="Client X",
    platform_type="META",
    platform_account_id="act_1000000001",
    status="ACTIVE",
    mode="sandbox",
    livemode=False,
    max_running=4,
    throttled_until=None,
    has_credentials=True,
    credentials_updated_at=_MORNING,
    credentials_fingerprint="0a1b2c3d4e5f6071",
    owner_user_id=None,
    additional_config={"currency": "USD"},
    verified_at=None,
    token_expires_at=None,
    data_access_expires_at=None,
    currency=None,
    timezone_name=None,
    minimum_budgets=None,
    created_at=_MORNING,
    updated_at=_MORNING,
)
_VERIFICATION = Verification(
    ad_account_id=_ACCOUNT_ID,
    platform_type="META",
    platform_account_id="act_1000000001",
    livemode=False,
    ok=True,
    status="ACTIVE",
    jobs_woken=3,
    verified_at=_LATER,
    token=TokenFacts(
        works=True, expires="never", permissions=["ads_management", "pages_manage_ads"]
    ),
    account=AccountFacts(
        name="Client X",
        status="ACTIVE",
        currency="USD",
        timezone_name="America/Los_Angeles",
        minimum_budgets=MinimumBudgets(
            impressions=100, frequent_actions=500, campaign_spend_cap=10_000
        ),
    ),
    pages=[PageFacts(id="1000000002", name="Client X", may_advertise=True)],
    findings=[
        Finding(
            "no_instagram_account",
            "info",
            "No Instagram account is connected to the page.",
            "Connect one to show ads under its name.",
        )
    ],
)
_ASSET = AssetView(
    id=_ASSET_ID,
    kind="image",
    content_type="image/png",
    size_bytes=48213,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    width=1080,
    height=1080,
    duration_seconds=None,
    file_name="hero.png",
    origin="upload",
    livemode=False,
    created_at=_MORNING,
)
_NEW_JOB = JobView(
    campaign_job_id=_JOB_ID,
    id=_JOB_ID,
    kind="BUILD_CAMPAIGN",
    status="PENDING",
    ad_account_id=_ACCOUNT_ID,
    platform_type="META",
    livemode=False,
    progress=Progress(0, len(_PLANNED)),
    waiting=None,
    cancel_requested=False,
    steps=[StepView(name=step.name, kind=step.kind, status="PENDING") for step in _PLANNED],
    platform_ids={
        "campaign": None,
        "ad_sets": [{"id": None, "ads": [{"id": None, "creative": None}]}],
        "media": {"hero": None},
    },
    platform_campaign_id=None,
    error=None,
    created_at=_MORNING,
    started_at=None,
    finished_at=None,
    updated_at=_MORNING,
)
_WAITING_JOB = msgspec.structs.replace(
    _NEW_JOB,
    status="PROCESSING",
    waiting=Waiting(
        "throttled",
        datetime(2026, 11, 21, 8, 35, tzinfo=UTC),
        _LATER,
    ),
    started_at=_LATER,
    updated_at=_LATER,
)
_ERROR = JobError(
    step="creative[0][0]",
    code="refused_by_platform",
    message="Meta refuses the creative: the link is not allowed.",
    remedy="Change the blamed field and send a new request, with a new Idempotency-Key: it makes a "
    "campaign of its own, and what this job has made stays, paused.",
    pointer="/ad_sets/0/ads/0/creative/link",
    upstream=Upstream(platform="META", code=100, message="Invalid parameter"),
)
_ENDED_JOB = msgspec.structs.replace(
    _NEW_JOB,
    status="PARTIAL_SUCCESS",
    progress=Progress(len(_IDS), len(_PLANNED)),
    steps=[
        StepView(
            name=step.name,
            kind=step.kind,
            status="DONE"
            if step.name in _IDS
            else "FAILED"
            if step.name == _ERROR.step
            else "SKIPPED",
            platform_id=_IDS.get(step.name),
            error=_ERROR if step.name == _ERROR.step else None,
        )
        for step in _PLANNED
    ],
    platform_ids={
        "campaign": "23",
        "ad_sets": [{"id": "24", "ads": [{"id": None, "creative": None}]}],
        "media": {"hero": "a1b2c3"},
    },
    platform_campaign_id="23",
    error=_ERROR,
    started_at=_LATER,
    finished_at=_LATER,
    updated_at=_LATER,
)


def _creative(name: str, creative: dict[str, Any], media: dict[str, Any]) -> dict[str, Any]:
    """The link ad with another creative."""
    (ad_set,) = LINK_AD["ad_sets"]
    ad = {"name": name, "creative": {"page_id": "1000000002", **creative}}
    return {**LINK_AD, "ad_sets": [{**ad_set, "ads": [ad]}], "media": media}


_CARDS = [
    {"link": f"https://example.com/{name}", "headline": name.title(), "image": "hero"}
    for name in ("classic", "ginger")
]
_HERO = msgspec.to_builtins(Media(asset_id=_ASSET_ID))

EXAMPLES: dict[str, dict[str, Any]] = {
    "NewAccount": {
        "account": {
            "name": "Client X",
            "platform_type": "META",
            "platform_account_id": "act_1000000001",
            "mode": "sandbox",
            "credentials": {"access_token": "EAABexampletoken", "page_id": "1000000002"},
            "additional_config": {"currency": "USD"},
        }
    },
    "AccountChange": {
        "name": {"name": "Client X, spring", "max_running": 2},
        "credentials": {
            "credentials": {"access_token": "EAABexampletoken", "page_id": "1000000002"}
        },
    },
    "AccountPatch": {
        "setting": {"additional_config": {"currency": "EUR", "note": None}},
        "owner": {"owner_user_id": None},
        "credentials": {
            "credentials": {
                "access_token": "EAABexampletoken",
                "app_secret": None,
                "page_id": "1000000002",
                "instagram_user_id": None,
                "pixel_id": None,
            }
        },
    },
    "AccountView": {"account": _ACCOUNT},
    "Verification": {"well": _VERIFICATION},
    "AccountPage": {"page": AccountPage([_ACCOUNT], _CURSOR, livemode=False)},
    "MetaCampaignRequest": {
        "link": LINK_AD,
        "video": _creative(
            "Clip",
            {"type": "video", "video": "clip", "link": "https://example.com/offer"},
            {"clip": {"url": "https://example.com/clip.mp4"}},
        ),
        "carousel": _creative(
            "Two drinks",
            {"type": "carousel", "link": "https://example.com/drinks", "cards": _CARDS},
            {"hero": _HERO},
        ),
        "existing_post": _creative(
            "Our post", {"type": "existing_post", "post_id": "1000000002_1000000003"}, {}
        ),
    },
    "PlannedJob": {
        "plan": PlannedJob(
            ad_account_id=_ACCOUNT_ID, platform_type="META", livemode=False, steps=_NEW_JOB.steps
        )
    },
    "JobView": {"accepted": _NEW_JOB, "waiting": _WAITING_JOB, "ended": _ENDED_JOB},
    "JobPage": {"page": JobPage([_NEW_JOB], None, livemode=False)},
    "JobEvent": {
        "step": JobEvent(
            id=4711,
            type="job.step.done",
            campaign_job_id=_JOB_ID,
            created_at=_LATER,
            livemode=False,
            data={"step": "campaign", "platform_id": "23"},
        )
    },
    "NewAsset": {"address": {"url": "https://example.com/hero.png"}},
    "AssetView": {"image": _ASSET},
    "AssetPage": {"page": AssetPage([_ASSET], None, livemode=False)},
    **key_examples.EXAMPLES,
    **webhook_examples.made_with(_ENDED_JOB),
    "Health": {"ok": Health("ok"), "not_ready": Health("not_ready", ["no worker runs"])},
}
"""By the name of the struct, then by a name of their own."""

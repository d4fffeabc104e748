"""Steps of a request, seen by the adapter alone."""

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from models.credentials import MetaCredentials
from models.media import Media
from models.meta import MetaCampaignRequest
from models.plan import plan_meta
from workers.platforms.base import Account, Done, StepContext, StoredMedia

JOB = UUID("01a1fc84-2ca1-778d-8eed-736019b7f1b8")
RUN, OTHER_RUN = UUID(int=1), UUID(int=2)


def request_with(creative, **changes) -> MetaCampaignRequest:
    ad_set = {
        "name": "S",
        "daily_budget": 5000,
        "optimization_goal": "LINK_CLICKS",
        "billing_event": "IMPRESSIONS",
        "targeting": {
            "geo_locations": {"countries": ["US"]},
            "advantage_audience": False,
            "genders": [0],
        },
        "ads": [{"name": "A" * 120, "creative": creative}],
        **changes.pop("ad_set", {}),
    }
    campaign = {
        "name": "C",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
        **changes.pop("campaign", {}),
    }
    body = {"platform_account_id": "act_1", "campaign": campaign, "ad_sets": [ad_set], **changes}
    return msgspec.convert(body, MetaCampaignRequest)


LINK = {"type": "link", "page_id": "7", "link": "https://example.com", "image": "hero"}


@pytest.fixture
def context():
    def make(step_name, request=None, **changes):
        made = request or request_with(LINK, media={"hero": {"url": "https://example.com/h.png"}})
        step = next(s for s in plan_meta(made) if s.name == step_name)
        outcomes = {
            "campaign": Done("10"),
            "ad_set[0]": Done("11"),
            "creative[0][0]": Done("12"),
            "media[hero]": Done("hash"),
            "media[clip]": Done("20", {"thumbnail_url": "https://cdn/t.png"}),
        }

        async def save(_):
            return None

        async def go_on():
            return None

        async def media():
            return StoredMedia(Path("/dev/null"), "image", "image/png", 0, "", "x.png")

        values = {
            "step": step,
            "job_id": JOB,
            "account": Account(JOB, "act_1", "sandbox", MetaCredentials(access_token="EAAtoken")),
            "request": made,
            "outcomes": outcomes,
            "progress": {},
            "deadline_seconds": 30.0,
            "run": RUN,
            "earlier_run": RUN,
            "write_deadline": 1e12,
            "save": save,
            "go_on": go_on,
            "media": media,
            "guard": lambda: None,
        }
        return StepContext(**{**values, **changes})

    return make


__all__ = ["LINK", "OTHER_RUN", "RUN", "Media", "request_with"]

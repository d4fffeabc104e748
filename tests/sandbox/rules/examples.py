"""Requests that nothing is wrong with, the world they meet, and how to change them."""

import copy
from typing import Any

NOW = 1_800_000_000.0
DAY = 86_400
ACCOUNT = {"id": "act_1", "page_ids": ["7"], "min_daily_budget": 100}
CAMPAIGN = {
    "name": "C",
    "objective": "OUTCOME_TRAFFIC",
    "special_ad_categories": [],
    "status": "PAUSED",
    "buying_type": "AUCTION",
    "is_adset_budget_sharing_enabled": False,
}
AD_SET = {
    "name": "S",
    "campaign_id": "10",
    "daily_budget": 5000,
    "billing_event": "IMPRESSIONS",
    "optimization_goal": "LINK_CLICKS",
    "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
    "status": "PAUSED",
    "targeting": {
        "geo_locations": {"countries": ["US"]},
        "targeting_automation": {"advantage_audience": 0},
    },
}
LINK = {
    "link": "https://example.com",
    "image_hash": "h",
    "call_to_action": {"type": "LEARN_MORE", "value": {"link": "https://example.com"}},
}
VIDEO = {"video_id": "20", "image_url": "https://example.com/i.png", "message": "m"}
CREATIVE = {"name": "K", "object_story_spec": {"page_id": "7", "link_data": LINK}}
AD = {"name": "A", "adset_id": "11", "creative": {"creative_id": "12"}, "status": "PAUSED"}
BASE = {
    "campaign": CAMPAIGN,
    "ad_set": AD_SET,
    "creative": CREATIVE,
    "ad": AD,
    "update_ad_set": {"id": "11", "name": "new"},
}


class World:
    """A campaign, an ad set, a creative, an image and two videos."""

    def __init__(self, **changes: Any) -> None:
        self.now = NOW
        self.account = ACCOUNT
        self.campaign = {**CAMPAIGN, **changes.pop("campaign", {})}
        self.status = changes.pop("status", "PAUSED")
        self.siblings = changes.pop("siblings", [])
        self.ad_set = {**AD_SET, **changes.pop("ad_set", {})}

    def get(self, object_id):
        found = {
            "10": ("campaign", self.campaign),
            "11": ("ad_set", self.ad_set),
            "12": ("creative", CREATIVE),
            "20": ("video", {"video_status": "ready"}),
            "21": ("video", {"video_status": "processing"}),
        }.get(object_id)
        if found is None:
            return None
        return {"kind": found[0], "id": object_id, "status": self.status, "fields": found[1]}

    def children(self, parent_id, kind):
        return self.siblings if kind == "ad_set" else []

    def image(self, content_hash):
        return {"id": "h"} if content_hash == "h" else None


def changed(kind, changes):
    """The base request with dotted paths set; None takes a field away."""
    params = copy.deepcopy(BASE[kind])
    for path, value in changes.items():
        *way, last = path.split(".")
        place = params
        for name in way:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return params

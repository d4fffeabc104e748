"""The request that is posted: one ad set, one ad with an image."""

from typing import Any

REQUEST: dict[str, Any] = {
    "campaign": {
        "name": "Spring sale",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
    },
    "ad_sets": [
        {
            "name": "US 25-45",
            "daily_budget": 5000,
            "optimization_goal": "LINK_CLICKS",
            "billing_event": "IMPRESSIONS",
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
                        "page_id": "1234567890",
                        "link": "https://example.com/offer",
                        "message": "50 % off",
                        "call_to_action": "LEARN_MORE",
                        "image": "hero",
                    },
                }
            ],
        }
    ],
    "media": {"hero": {"url": "https://example.com/hero.png"}},
}

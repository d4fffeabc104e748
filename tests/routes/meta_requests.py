"""Requests for Meta as callers write them."""

from typing import Any


def meta_request(**changes: Any) -> dict[str, Any]:
    """A link ad with one image; the account is the ready-made one."""
    request = {
        "platform_account_id": "act_1000000001",
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
                            "page_id": "1000000002",
                            "link": "https://example.com/offer",
                            "message": "50 % off",
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
    return {name: value for name, value in {**request, **changes}.items() if value is not None}


STEPS = ["media[hero]", "campaign", "ad_set[0]", "creative[0][0]", "ad[0][0]"]

"""Requests for Meta, made from one that is right by changes at JSON pointers, and cases of rules."""

import copy
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.meta_rules import RuleContext, inspect

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CONTEXT = RuleContext(NOW, currency="USD", min_daily_budget=100)

EXAMPLE: dict[str, Any] = {
    "ad_account_id": "01a1fc84-2ca1-778d-8eed-736019b7f1b8",
    "activate": False,
    "priority": "normal",
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
            "start_time": "2026-12-01T00:00:00Z",
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

CAMPAIGN = "/campaign"
SET = "/ad_sets/0"
TARGETING = f"{SET}/targeting"
PLACES = f"{TARGETING}/geo_locations"
PROMOTED = f"{SET}/promoted_object"
AD = f"{SET}/ads/0"
CREATIVE = f"{AD}/creative"
ABSENT = object()

type Changes = dict[str, Any]

VIDEO = {"type": "video", "page_id": "1", "video": "hero"}
CAROUSEL = {
    "type": "carousel",
    "page_id": "1",
    "link": "https://example.com/",
    "cards": [
        {"link": "https://example.com/1", "image": "hero"},
        {"link": "https://example.com/2", "image": "hero"},
    ],
}
POST = {"type": "existing_post", "page_id": "1", "post_id": "1_2"}
NO_MEDIA: Changes = {"/media": ABSENT}
OF_PIXEL: Changes = {
    f"{SET}/optimization_goal": "OFFSITE_CONVERSIONS",
    PROMOTED: {"pixel_id": "7", "custom_event_type": "PURCHASE"},
}
SALES: Changes = {f"{CAMPAIGN}/objective": "OUTCOME_SALES", **OF_PIXEL}
APP: Changes = {
    f"{CAMPAIGN}/objective": "OUTCOME_APP_PROMOTION",
    f"{CAMPAIGN}/is_skadnetwork_attribution": False,
    f"{SET}/optimization_goal": "APP_INSTALLS",
    PROMOTED: {"application_id": "9", "object_store_url": "https://play.google.com/store/x"},
    f"{TARGETING}/user_os": ["Android"],
}
CAMPAIGN_BUDGET: Changes = {
    f"{CAMPAIGN}/daily_budget": 5000,
    f"{CAMPAIGN}/bid_strategy": "LOWEST_COST_WITHOUT_CAP",
    f"{SET}/daily_budget": ABSENT,
    f"{SET}/bid_strategy": ABSENT,
}
LIFETIME: Changes = {
    f"{SET}/daily_budget": ABSENT,
    f"{SET}/lifetime_budget": 50_000,
    f"{SET}/end_time": "2026-12-11T00:00:00Z",
}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: what it refuses and where, and the like that it accepts."""

    level: str
    code: str
    at: str
    refused: Changes
    accepted: Changes = {}
    both: Changes = {}

    def __str__(self) -> str:
        return f"{self.code} at {self.at}"


def request(*changes: Changes) -> dict[str, Any]:
    """The example with these changes, in their order."""
    document = copy.deepcopy(EXAMPLE)
    for change in changes:
        for pointer, value in change.items():
            _put(document, pointer, copy.deepcopy(value) if value is not ABSENT else ABSENT)
    return document


def found(violations: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Where and what, without the words for people."""
    return {(violation["pointer"], violation["code"]) for violation in violations}


def told(*changes: Changes) -> set[tuple[str, str]]:
    """What the rules find in the example with these changes."""
    return found(inspect(request(*changes), CONTEXT))


def _put(document: Any, pointer: str, value: Any) -> None:
    *parents, last = pointer.removeprefix("/").split("/")
    for name in parents:
        document = (
            document[int(name)] if isinstance(document, list) else document.setdefault(name, {})
        )
    if value is ABSENT:
        document.pop(last, None)
    elif isinstance(document, list):
        document[int(last) : int(last) + 1] = [value]
    else:
        document[last] = value

"""What callers want in the storm: requests of mixed shapes, drawn from a seed, and how each must end."""

from collections.abc import Sequence
from random import Random
from typing import Any, Literal

import msgspec

type Twist = Literal["none", "sent twice", "cancelled and retried"]


class Advertiser(msgspec.Struct, frozen=True):
    """An account as callers know it. A barred one lacks the permission to make anything."""

    id: str
    platform_id: str
    page_id: str
    is_barred: bool = False


class Order(msgspec.Struct, frozen=True):
    """One request, under a key that counts once, and the end that it must come to."""

    number: int
    key: str
    body: dict[str, Any]
    end: Literal["SUCCESS", "PARTIAL_SUCCESS", "FAILED"]
    twist: Twist

    @property
    def is_active(self) -> bool:
        """Whether the campaign shall run at the end."""
        return bool(self.body["activate"])


def orders(
    seed: int, count: int, advertisers: Sequence[Advertiser], assets: dict[str, str]
) -> list[Order]:
    """The same for the same seed."""
    random = Random(f"orders {seed}")  # noqa: S311 - a storm, not a secret
    return [_order(random, seed, number, advertisers, assets) for number in range(count)]


def _order(
    random: Random,
    seed: int,
    number: int,
    advertisers: Sequence[Advertiser],
    assets: dict[str, str],
) -> Order:
    (end,) = random.choices(["SUCCESS", "PARTIAL_SUCCESS", "FAILED"], [84, 9, 7])
    chosen = random.choice([one for one in advertisers if one.is_barred == (end == "FAILED")])
    sets = [_ad_set(random, number, n, chosen) for n in range(random.choice([1, 1, 1, 2, 3, 5]))]
    if end == "PARTIAL_SUCCESS":
        sets[0]["ads"].append(_ad(random, "Refused", "image", page_id="999999999"))
    body = {
        "ad_account_id": chosen.id,
        "activate": end == "SUCCESS" and random.random() < 0.2,
        "priority": random.choice(["high", "normal", "normal", "low"]),
        "campaign": {
            "name": f"Storm {seed}.{number}",
            "objective": "OUTCOME_TRAFFIC",
            "special_ad_categories": [],
        },
        "ad_sets": sets,
        "media": _media(sets, assets),
    }
    (twist,) = random.choices(["none", "sent twice", "cancelled and retried"], [78, 11, 11])
    twist = twist if end == "SUCCESS" or twist == "sent twice" else "none"
    return Order(number, f"storm-{seed}-{number}", body, end, twist)


def _ad_set(random: Random, number: int, place: int, chosen: Advertiser) -> dict[str, Any]:
    shapes = random.choices(
        ["image", "video", "carousel"], [72, 12, 16], k=random.choice([1, 1, 2])
    )
    ads = [
        _ad(random, f"Ad {number}.{place}.{n} {shape}", shape, page_id=chosen.page_id)
        for n, shape in enumerate(shapes)
    ]
    return {
        "name": f"Set {number}.{place}",
        "daily_budget": 5000,
        "optimization_goal": "LINK_CLICKS",
        "billing_event": "IMPRESSIONS",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "targeting": {"geo_locations": {"countries": ["US"]}, "advantage_audience": False},
        "ads": ads,
    }


def _ad(random: Random, name: str, shape: str, *, page_id: str) -> dict[str, Any]:
    said = {
        "page_id": page_id,
        "link": "https://example.com/offer",
        "message": f"{name}, {random.randrange(10**9)}",
        "call_to_action": "LEARN_MORE",
    }
    card = {"link": "https://example.com/one", "headline": "One", "image": "hero"}
    shown = {
        "image": {"type": "link", "image": "hero"},
        "video": {"type": "video", "video": "clip"},
        "carousel": {"type": "carousel", "cards": [card] * random.randint(2, 4)},
    }[shape]
    return {"name": name, "creative": {**said, **shown}}


def _media(sets: Sequence[dict[str, Any]], assets: dict[str, str]) -> dict[str, Any]:
    types = {ad["creative"]["type"] for ad_set in sets for ad in ad_set["ads"]}
    used = {"clip": "video"} if "video" in types else {}
    if types - {"video"}:
        used["hero"] = "image"
    return {key: {"asset_id": assets[kind]} for key, kind in used.items()}

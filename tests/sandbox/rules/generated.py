"""Requests by chance, near to what is right, and what would be sent of them step by step."""

import random
from collections.abc import Sequence
from typing import Any, get_args
from uuid import UUID

import msgspec

from models.credentials import MetaCredentials
from models.meta import MetaCampaignRequest
from models.meta_rules.objectives import GOALS, PROMOTED
from models.meta_words import CallToAction
from models.plan import plan_meta
from sandbox.meta.rules import Refusal, refuse
from tests.models.meta_requests import NOW
from workers.platforms.base import Account, Done, StepContext
from workers.platforms.meta import payloads

JOB = UUID("01a1fc84-2ca1-778d-8eed-736019b7f1b8")
PAGE = "1234567890"
BUTTONS = get_args(CallToAction.__value__)
LINK = "https://example.com/offer"
STORES = ("https://play.google.com/store/x", "https://apps.apple.com/app/x")
PIXEL = {"pixel_id": "7", "custom_event_type": "PURCHASE"}
APP = {"application_id": "9", "object_store_url": STORES[0]}
VALUES = {
    "page_id": PAGE,
    "pixel_id": "7",
    "custom_event_type": "ADD_TO_CART",
    "application_id": "9",
    "object_store_url": STORES[0],
    "product_set_id": "8",
    "place_page_set_id": "6",
}
PROMOTED_OTHERWISE = (
    None,
    {"page_id": PAGE},
    PIXEL,
    {"pixel_id": "7"},
    {**PIXEL, "custom_event_type": "LEAD"},
    APP,
    {**APP, "custom_event_type": "PURCHASE"},
    {**APP, "object_store_url": STORES[1]},
    {"application_id": "9"},
    {"product_set_id": "8", **PIXEL},
    {**PIXEL, **APP},
)
FREQUENCY = [{"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 3}]
USUALLY = 0.85
STRATEGIES: tuple[dict[str, Any], ...] = (
    {"bid_strategy": "LOWEST_COST_WITHOUT_CAP"},
    {"bid_strategy": "COST_CAP", "bid_amount": 100},
    {"bid_strategy": "LOWEST_COST_WITH_BID_CAP", "bid_amount": 100},
    {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS", "bid_constraints": {"roas_average_floor": 100}},
    {"bid_strategy": "LOWEST_COST_WITH_BID_CAP"},
    {"bid_amount": 100},
    {},
)
PLACES: tuple[dict[str, Any], ...] = (
    {"countries": ["US"]},
    {"countries": ["US"]},
    {"countries": ["BR"]},
    {"countries": ["DE"]},
    {"countries": ["TH"]},
    {"countries": ["ID"]},
    {"countries": ["SG"]},
    {"countries": []},
    {"country_groups": ["worldwide"]},
    {"country_groups": ["europe"]},
    {"zips": [{"key": "DE:10115"}]},
    {"zips": [{"key": "US:90210"}]},
    {"geo_markets": [{"key": "DMA:501"}]},
    {"countries": ["US"], "cities": [{"key": "1", "country": "US"}]},
    {"countries": ["UK"]},
    {"cities": [{"key": "1", "country": "UK"}]},
    {"cities": [{"key": "1", "country": "US", "radius": 10, "distance_unit": "mile"}]},
    {"cities": [{"key": "1", "country": "DE", "radius": 17, "distance_unit": "kilometer"}]},
)
APPEARANCES: tuple[dict[str, Any], ...] = (
    {},
    {"publisher_platforms": ["facebook"], "facebook_positions": ["story"]},
    {"publisher_platforms": ["facebook"], "facebook_positions": ["right_hand_column"]},
    {"facebook_positions": ["feed", "marketplace"]},
    {"facebook_positions": ["marketplace"]},
    {"publisher_platforms": ["instagram"], "instagram_positions": ["stream", "explore"]},
    {"publisher_platforms": ["instagram"], "device_platforms": ["desktop"]},
    {"publisher_platforms": ["audience_network"]},
    {"publisher_platforms": ["threads"]},
    {"publisher_platforms": ["instagram", "threads"], "instagram_positions": ["story"]},
    {"publisher_platforms": ["instagram", "threads"], "instagram_positions": ["stream"]},
    {"publisher_platforms": ["facebook"], "instagram_positions": ["stream"]},
)
GENDERS = (None, [0], [1], [2], [1, 2])
CATEGORIES = ([], ["NONE"], ["HOUSING"], ["EMPLOYMENT"], ["ISSUES_ELECTIONS_POLITICS"])
ATTRIBUTIONS = (
    None,
    [{"event_type": "CLICK_THROUGH", "window_days": 1}],
    [{"event_type": "CLICK_THROUGH", "window_days": 7}],
    [{"event_type": "VIEW_THROUGH", "window_days": 7}],
)


class Dice:
    """Mostly takes what is usual, which stands first; now and then anything else."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated

    def any(self, choices: Sequence[Any]) -> Any:
        """Each as often as the others."""
        return self._random.choice(choices)

    def near(self, choices: Sequence[Any]) -> Any:
        """Nine times of ten the first."""
        return choices[0] if self._random.random() < USUALLY else self.any(choices)


def request_of(seed: int) -> dict[str, Any]:
    """The same request for the same seed."""
    dice = Dice(seed)
    objective = dice.any(list(GOALS))
    campaign = {
        "name": "C",
        "objective": objective,
        "special_ad_categories": dice.near(CATEGORIES),
        "special_ad_category_country": dice.near(
            [dice.any([["US"], ["US"], ["BR"], ["DE"], None]), ["UK"]]
        ),
        "is_adset_budget_sharing_enabled": dice.near([None, False, True]),
        "spend_cap": dice.near([None, 9_999, 10_000]),
        "promoted_object": dice.any([None, {"product_catalog_id": "5"}]),
        "is_skadnetwork_attribution": False if objective == "OUTCOME_APP_PROMOTION" else None,
    }
    ad_set = _ad_set(dice, objective)
    if dice.near([False, True]):
        for name in ("daily_budget", "lifetime_budget", "bid_strategy"):
            campaign[name] = ad_set.pop(name, None)
    media: dict[str, Any] = {}
    ad_set["ads"] = [{"name": "A", "creative": _creative(dice, media)}]
    whole = {"campaign": campaign, "ad_sets": [ad_set], "media": media}
    return _given({"platform_account_id": "act_1", **whole})


def _ad_set(dice: Dice, objective: str) -> dict[str, Any]:
    destination = dice.any(list(GOALS[objective]))
    goal = dice.near([dice.any(GOALS[objective][destination]), "REACH"])
    event = dice.near(["IMPRESSIONS", "LINK_CLICKS", "THRUPLAY"])
    needed = [_promoted(fields) for fields in PROMOTED[objective].get(destination, ())]
    promoted = dice.any(needed) if needed else None
    system = dice.near([_system(promoted, objective), "Android", "iOS"])
    return {
        "name": "S",
        "destination_type": destination,
        "optimization_goal": goal,
        "billing_event": event,
        dice.near(["daily_budget", "lifetime_budget"]): dice.near([5000, 500, 99]),
        **dice.near(STRATEGIES),
        "end_time": dice.near(["2026-12-24T00:00:00Z", "2026-11-21T12:00:00Z", None]),
        "promoted_object": dice.near([promoted, *PROMOTED_OTHERWISE]),
        "attribution_spec": dice.near(ATTRIBUTIONS),
        "frequency_control_specs": dice.near([None, FREQUENCY]),
        "dsa_beneficiary": dice.near(["B", None]),
        "dsa_payor": dice.near(["P", None]),
        "targeting": {**_targeting(dice), "user_os": system and [system]},
    }


def _promoted(fields: tuple[str, ...]) -> dict[str, str]:
    return {field: VALUES[field] for field in fields}


def _system(promoted: dict[str, str] | None, objective: str) -> str | None:
    is_app = objective == "OUTCOME_APP_PROMOTION" or "application_id" in (promoted or {})
    return "Android" if is_app else None


def _targeting(dice: Dice) -> dict[str, Any]:
    return {
        "geo_locations": dice.any(PLACES),
        "age_min": dice.near([None, 13, 18, 20, 21, 26]),
        "age_max": dice.near([None, 65, 45]),
        "genders": dice.near(GENDERS),
        "excluded_geo_locations": dice.near([None, {"countries": ["FR"]}]),
        "advantage_audience": dice.near([False, True, None]),
        "interests": dice.near([None, [{"id": "6003"}]]),
        **dice.near(APPEARANCES),
    }


def _creative(dice: Dice, media: dict[str, Any]) -> dict[str, Any]:
    kind = dice.any(["link", "video", "carousel", "existing_post"])
    page = dice.near([PAGE, "99"])
    if kind == "existing_post":
        return {"type": kind, "page_id": page, "post_id": f"{page}_1"}
    media["hero"] = {"url": "https://example.com/hero"}
    common = {"type": kind, "page_id": page, "call_to_action": dice.any([None, *BUTTONS])}
    match kind:
        case "link":
            return {**common, "link": LINK, "image": "hero"}
        case "video":
            return {**common, "link": dice.near([LINK, None]), "video": "hero"}
    cards = [{"link": LINK, "image": "hero"}] * dice.near([2, 10])
    return {**common, "link": LINK, "cards": cards}


def _given(value: Any) -> Any:
    """Without what is null."""
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items() if inner is not None}
    return [_given(inner) for inner in value] if isinstance(value, list) else value


class SentWorld:
    """What stands on the platform after each step; everybody may speak for every page."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()
        self.account: dict[str, Any] = {"id": "act_1", "currency": "USD", "min_daily_budget": 100}
        self.objects: dict[str, tuple[str, dict[str, Any]]] = {
            "media": ("video", {"video_status": "ready"})
        }

    def get(self, object_id: str) -> dict[str, Any] | None:
        """By its id."""
        if object_id not in self.objects:
            return None
        kind, fields = self.objects[object_id]
        return {"kind": kind, "id": object_id, "status": "PAUSED", "fields": fields}

    def children(self, parent_id: str, kind: str) -> list[dict[str, Any]]:
        """There is one of everything."""
        return []

    def image(self, content_hash: str) -> dict[str, Any] | None:
        """Every image is known."""
        return {"id": content_hash}


def first_refusal(document: dict[str, Any]) -> tuple[str, Refusal] | None:
    """Which step of the request the imitated platform refuses, and what it says."""
    request = msgspec.convert(document, MetaCampaignRequest)
    world, outcomes = SentWorld(), dict[str, Done]()
    for step in plan_meta(request):
        context = _context(step, request, outcomes)
        if step.kind == "media":
            outcomes[step.name] = Done("media", {"thumbnail_url": "https://cdn.example/t.png"})
            continue
        params = msgspec.json.decode(msgspec.json.encode(getattr(payloads, step.kind)(context)))
        refusal = refuse(step.kind, params, world)
        if refusal is not None:
            return step.kind, refusal
        world.objects[step.name] = (step.kind, params)
        outcomes[step.name] = Done(step.name)
    return None


def _context(step: Any, request: MetaCampaignRequest, outcomes: dict[str, Done]) -> StepContext:
    async def nothing(*_: Any) -> Any:
        raise AssertionError

    return StepContext(
        step=step,
        job_id=JOB,
        account=Account(JOB, "act_1", "sandbox", MetaCredentials(access_token="EAAtoken")),
        request=request,
        outcomes=outcomes,
        progress={},
        deadline_seconds=1,
        run=JOB,
        earlier_run=None,
        write_deadline=0,
        save=nothing,
        go_on=nothing,
        media=nothing,
        guard=lambda: None,
    )

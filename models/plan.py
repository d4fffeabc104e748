"""The steps of a request, pure: workers run them, `validate_only` shows them."""

from typing import Any, Literal

import msgspec

from models.media import MediaKind
from models.meta import MetaCampaignRequest
from models.meta_creatives import creative_references

type StepKind = Literal["media", "campaign", "ad_set", "creative", "ad", "activate"]

LAYERS_THAT_COUNT = {"campaign", "ad_set", "ad"}
"""A campaign, ad set or ad that exists makes a job with failures PARTIAL_SUCCESS."""


class PlannedStep(msgspec.Struct, frozen=True):
    """One outside effect. A name is unique in its job and never renamed once released."""

    name: str
    kind: StepKind
    position: int
    needs: tuple[str, ...] = ()
    """Names of the steps that must be done before this one."""
    place: tuple[int, ...] = ()
    """Index of the ad set, and of the ad in it, where the step belongs to one."""
    media_key: str | None = None
    media_kind: Literal["image", "video"] | None = None


def plan(platform_type: str, request: Any) -> tuple[PlannedStep, ...]:
    """The steps of any platform's request, in the order in which they are shown."""
    return PLANS[platform_type](request)


def plan_meta(request: MetaCampaignRequest) -> tuple[PlannedStep, ...]:
    """Media and campaign first, then each ad set with its creatives and ads, activation last."""
    used = _media_of_creatives(request)
    kinds: dict[str, MediaKind] = {
        key: kind for uses in used.values() for key, kind in uses.items()
    }
    steps = [
        PlannedStep(f"media[{key}]", "media", at, media_key=key, media_kind=kinds.get(key, "image"))
        for at, key in enumerate(request.media)
    ]
    steps.append(PlannedStep("campaign", "campaign", len(steps)))
    ads: list[str] = []
    for i, ad_set in enumerate(request.ad_sets):
        parent = f"ad_set[{i}]"
        steps.append(PlannedStep(parent, "ad_set", len(steps), ("campaign",), (i,)))
        for j in range(len(ad_set.ads)):
            creative, ad, place = f"creative[{i}][{j}]", f"ad[{i}][{j}]", (i, j)
            media = tuple([f"media[{key}]" for key in used.get(place, ())])
            steps.append(PlannedStep(creative, "creative", len(steps), media, place))
            steps.append(PlannedStep(ad, "ad", len(steps), (parent, creative), place))
            ads.append(ad)
    if request.activate:
        steps.append(PlannedStep("activate", "activate", len(steps), tuple(ads)))
    return tuple(steps)


def _media_of_creatives(
    request: MetaCampaignRequest,
) -> dict[tuple[int, int], dict[str, MediaKind]]:
    """For each ad set and ad, the media keys its creative names and what kind each must be."""
    used: dict[tuple[int, int], dict[str, MediaKind]] = {}
    for i, ad_set in enumerate(request.ad_sets):
        for j, ad in enumerate(ad_set.ads):
            for _, key, kind in creative_references(ad.creative):
                used.setdefault((i, j), {})[key] = kind
    return used


PLANS = {"META": plan_meta}
REQUESTS = {"META": MetaCampaignRequest}
"""What each platform's requests are decoded into."""

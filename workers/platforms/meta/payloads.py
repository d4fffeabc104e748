"""Our request structs as the parameters that Meta expects."""

from typing import Any

import msgspec

from models.marker import marked
from models.meta import (
    CarouselCard,
    CarouselCreative,
    ExistingPostCreative,
    LinkCreative,
    MetaAd,
    MetaAdSet,
    MetaCampaignRequest,
    Targeting,
    VideoCreative,
)
from workers.platforms.base import Done, StepContext

CREATIVE_NAME_LENGTH = 100


def campaign(context: StepContext) -> dict[str, Any]:
    """Parameters of the campaign."""
    request: MetaCampaignRequest = context.request
    params = _plain(request.campaign)
    if not (request.campaign.daily_budget or request.campaign.lifetime_budget):
        # Meta wants it said; the request's documentation says what leaving it out means
        params.setdefault("is_adset_budget_sharing_enabled", False)
    return {
        "buying_type": "AUCTION",
        **params,
        "name": marked(request.campaign.name, context.job_id, context.step.name),
        "status": "PAUSED",
    }


def ad_set(context: StepContext) -> dict[str, Any]:
    """Parameters of an ad set."""
    wanted = ad_set_of(context)
    params = _plain(wanted)
    params.pop("ads")
    return {
        **params,
        "name": marked(wanted.name, context.job_id, context.step.name),
        "campaign_id": context.outcomes["campaign"].platform_id,
        "targeting": targeting(wanted.targeting),
        "status": "PAUSED",
    }


def targeting(wanted: Targeting) -> dict[str, Any]:
    """Our flag becomes Meta's automation; everybody is said by leaving genders out."""
    spec = _plain(wanted)
    advantage = spec.pop("advantage_audience", None)
    if advantage is not None:
        spec["targeting_automation"] = {"advantage_audience": int(advantage)}
    if 0 in (spec.get("genders") or ()):
        spec.pop("genders")
    return spec


def ad(context: StepContext) -> dict[str, Any]:
    """Parameters of an ad."""
    wanted = ad_of(context)
    i, j = context.step.place
    params = _plain(wanted)
    params.pop("creative")
    return {
        **params,
        "name": marked(wanted.name, context.job_id, context.step.name),
        "adset_id": context.outcomes[f"ad_set[{i}]"].platform_id,
        "creative": {"creative_id": context.outcomes[f"creative[{i}][{j}]"].platform_id},
        "status": "PAUSED",
    }


def creative(context: StepContext) -> dict[str, Any]:
    """Parameters of a creative: the same for the same request, so that Meta gives the same one back."""
    wanted = ad_of(context)
    spec = wanted.creative
    params: dict[str, Any] = {"name": wanted.name[:CREATIVE_NAME_LENGTH]}
    if spec.url_tags is not None:
        params["url_tags"] = spec.url_tags
    if isinstance(spec, ExistingPostCreative):
        own = _given(object_story_id=spec.post_id, instagram_user_id=spec.instagram_user_id)
        return {**params, **own}
    story: dict[str, Any] = {"page_id": spec.page_id}
    if spec.instagram_user_id is not None:
        story["instagram_user_id"] = spec.instagram_user_id
    match spec:
        case LinkCreative():
            story["link_data"] = _link_data(context, spec)
        case VideoCreative():
            story["video_data"] = _video_data(context, spec)
        case CarouselCreative():
            story["link_data"] = _carousel_data(context, spec)
    return {**params, "object_story_spec": story}


def ad_set_of(context: StepContext) -> MetaAdSet:
    """The ad set that a step is about."""
    request: MetaCampaignRequest = context.request
    return request.ad_sets[context.step.place[0]]


def ad_of(context: StepContext) -> MetaAd:
    """The ad that a step is about."""
    return ad_set_of(context).ads[context.step.place[1]]


def _link_data(context: StepContext, spec: LinkCreative) -> dict[str, Any]:
    return _given(
        link=spec.link,
        message=spec.message,
        name=spec.headline,
        description=spec.description,
        call_to_action=_button(spec.call_to_action, spec.link),
        image_hash=_id_of(context, spec.image),
    )


def _video_data(context: StepContext, spec: VideoCreative) -> dict[str, Any]:
    # the link of a video lives in its button only
    button = spec.call_to_action or ("LEARN_MORE" if spec.link else None)
    return _given(
        video_id=_media(context, spec.video).platform_id,
        title=spec.headline,
        message=spec.message,
        link_description=spec.description,
        call_to_action=_button(button, spec.link),
        **_thumbnail(context, spec.video, spec.thumbnail),
    )


def _carousel_data(context: StepContext, spec: CarouselCreative) -> dict[str, Any]:
    return _given(
        link=spec.link,
        message=spec.message,
        call_to_action=_button(spec.call_to_action, spec.link),
        child_attachments=[_card(context, spec, card) for card in spec.cards],
    )


def _card(context: StepContext, spec: CarouselCreative, card: CarouselCard) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if card.video is not None:
        video = _media(context, card.video)
        shown = {"video_id": video.platform_id, "picture": video.detail.get("thumbnail_url")}
    return _given(
        link=card.link,
        name=card.headline,
        description=card.description,
        image_hash=_id_of(context, card.image),
        call_to_action=_button(spec.call_to_action, card.link),
        **shown,
    )


def _thumbnail(context: StepContext, video: str, thumbnail: str | None) -> dict[str, Any]:
    """The image that was asked for, else the frame that Meta prefers."""
    if thumbnail is not None:
        return {"image_hash": _media(context, thumbnail).platform_id}
    return {"image_url": _media(context, video).detail.get("thumbnail_url")}


def _button(kind: str | None, link: str | None) -> dict[str, Any] | None:
    if kind is None:
        return None
    return {"type": kind, "value": {"link": link}} if link is not None else {"type": kind}


def _media(context: StepContext, key: str) -> Done:
    return context.outcomes[f"media[{key}]"]


def _id_of(context: StepContext, key: str | None) -> str | None:
    return None if key is None else _media(context, key).platform_id


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    """Only what the caller gave; times as ISO 8601 with their offset."""
    built: dict[str, Any] = msgspec.to_builtins(struct)
    return {name: value for name, value in built.items() if value is not None}

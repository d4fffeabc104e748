"""The request as a tree of pydantic models, of the same shape and strictness as the one compared with."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

MetaId = Annotated[str, Field(pattern=r"^[0-9]{1,32}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Name = Annotated[str, Field(min_length=1, max_length=400, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=5000)]
Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[^\s/?#]+[^\s]*$")]
MediaKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Money = Annotated[int, Field(gt=0, le=10**12)]
Age = Annotated[int, Field(ge=13, le=65)]
Objective = Literal[
    "OUTCOME_AWARENESS",
    "OUTCOME_TRAFFIC",
    "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS",
    "OUTCOME_SALES",
    "OUTCOME_APP_PROMOTION",
]
Goal = Literal[
    "REACH",
    "IMPRESSIONS",
    "AD_RECALL_LIFT",
    "THRUPLAY",
    "LINK_CLICKS",
    "LANDING_PAGE_VIEWS",
    "POST_ENGAGEMENT",
    "PAGE_LIKES",
    "CONVERSATIONS",
    "LEAD_GENERATION",
    "OFFSITE_CONVERSIONS",
    "VALUE",
    "APP_INSTALLS",
]
DestinationType = Literal[
    "WEBSITE", "APP", "MESSENGER", "WHATSAPP", "ON_POST", "ON_VIDEO", "ON_PAGE"
]
Moment = Annotated[AwareDatetime, Field(strict=False)]
BidStrategy = Literal["LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP"]
CallToAction = Literal["LEARN_MORE", "SHOP_NOW", "SIGN_UP", "SUBSCRIBE", "CONTACT_US"]


class Strict(BaseModel):
    """No unknown fields, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Media(Strict):
    """One image or video."""

    url: Url | None = None
    asset_id: Annotated[UUID | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def one_source(self) -> Self:
        if (self.url is None) == (self.asset_id is None):
            raise ValueError("give exactly one of url, asset_id")
        return self


class AnyCreative(Strict):
    """What all creatives have."""

    page_id: MetaId
    instagram_user_id: MetaId | None = None
    url_tags: Text | None = None
    message: Text | None = None
    call_to_action: CallToAction | None = None


class LinkCreative(AnyCreative):
    """A link with an image."""

    type: Literal["link"]
    link: Url
    headline: Text | None = None
    description: Text | None = None
    image: MediaKey | None = None


class VideoCreative(AnyCreative):
    """A video."""

    type: Literal["video"]
    video: MediaKey
    thumbnail: MediaKey | None = None
    link: Url | None = None
    headline: Text | None = None
    description: Text | None = None


class CarouselCard(Strict):
    """One card."""

    link: Url
    headline: Text | None = None
    description: Text | None = None
    image: MediaKey | None = None
    video: MediaKey | None = None


class CarouselCreative(AnyCreative):
    """Cards side by side."""

    type: Literal["carousel"]
    link: Url
    cards: Annotated[list[CarouselCard], Field(min_length=2, max_length=10)]


class ExistingPostCreative(AnyCreative):
    """A post that exists."""

    type: Literal["existing_post"]
    post_id: Annotated[str, Field(pattern=r"^[0-9]{1,32}_[0-9]{1,32}$")]


Creative = Annotated[
    LinkCreative | VideoCreative | CarouselCreative | ExistingPostCreative,
    Field(discriminator="type"),
]


class Ad(Strict):
    """An ad."""

    name: Name
    creative: Creative
    tracking_specs: list[dict[str, Any]] | None = None


class GeoLocations(Strict):
    """Where people are."""

    countries: list[Country] | None = None
    country_groups: list[str] | None = None
    regions: list[dict[str, str]] | None = None
    cities: list[dict[str, Any]] | None = None


class Reference(Strict):
    """An interest, a behaviour or an audience."""

    id: MetaId
    name: Text | None = None


class Targeting(Strict):
    """Who sees the ads."""

    geo_locations: GeoLocations | None = None
    excluded_geo_locations: GeoLocations | None = None
    age_min: Age | None = None
    age_max: Age | None = None
    genders: list[Literal[1, 2]] | None = None
    interests: list[Reference] | None = None
    custom_audiences: list[Reference] | None = None
    publisher_platforms: list[str] | None = None
    device_platforms: list[Literal["mobile", "desktop"]] | None = None
    advantage_audience: bool = False

    @model_validator(mode="after")
    def ages_in_order(self) -> Self:
        if (self.age_min or 18) > (self.age_max or 65):
            raise ValueError("age_min is above age_max")
        return self


class PromotedObject(Strict):
    """What is promoted."""

    page_id: MetaId | None = None
    pixel_id: MetaId | None = None
    application_id: MetaId | None = None
    custom_event_type: str | None = None


class AdSet(Strict):
    """An ad set with its ads."""

    name: Name
    optimization_goal: Goal
    billing_event: Literal["IMPRESSIONS", "LINK_CLICKS", "THRUPLAY"]
    targeting: Targeting
    ads: Annotated[list[Ad], Field(min_length=1, max_length=50)]
    daily_budget: Money | None = None
    lifetime_budget: Money | None = None
    bid_strategy: BidStrategy | None = None
    bid_amount: Money | None = None
    promoted_object: PromotedObject | None = None
    destination_type: DestinationType | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None

    @model_validator(mode="after")
    def bid_fits_strategy(self) -> Self:
        needed = self.bid_strategy in ("LOWEST_COST_WITH_BID_CAP", "COST_CAP")
        if needed != (self.bid_amount is not None):
            raise ValueError("bid_amount goes with a bid strategy that has a cap")
        return self

    @model_validator(mode="after")
    def lifetime_budget_ends(self) -> Self:
        if self.lifetime_budget is not None and self.end_time is None:
            raise ValueError("a lifetime budget needs an end_time")
        return self

    @model_validator(mode="after")
    def times_in_order(self) -> Self:
        start: datetime | None = self.start_time
        if start is not None and self.end_time is not None and start >= self.end_time:
            raise ValueError("end_time is not after start_time")
        return self


class Campaign(Strict):
    """The campaign."""

    name: Name
    objective: Objective
    special_ad_categories: list[Literal["NONE", "EMPLOYMENT", "HOUSING", "CREDIT"]]
    special_ad_category_country: list[Country] | None = None
    buying_type: Literal["AUCTION", "RESERVED"] = "AUCTION"
    daily_budget: Money | None = None
    lifetime_budget: Money | None = None
    bid_strategy: BidStrategy | None = None


class CampaignRequest(Strict):
    """The whole request."""

    ad_account_id: Annotated[UUID | None, Field(strict=False)] = None
    platform_account_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    activate: bool = False
    priority: Literal["high", "normal", "low"] = "normal"
    media: dict[MediaKey, Media] = {}
    campaign: Campaign
    ad_sets: Annotated[list[AdSet], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def one_account(self) -> Self:
        if (self.ad_account_id is None) == (self.platform_account_id is None):
            raise ValueError("give exactly one of ad_account_id, platform_account_id")
        return self

    @model_validator(mode="after")
    def one_budget(self) -> Self:
        holders = [self.campaign] if _has_budget(self.campaign) else self.ad_sets
        if not all(_has_budget(holder) for holder in holders):
            raise ValueError("a budget belongs to the campaign or to every ad set")
        return self

    @model_validator(mode="after")
    def media_is_named_and_used(self) -> Self:
        used = {
            key for ad_set in self.ad_sets for ad in ad_set.ads for key in _media_of(ad.creative)
        }
        if used != set(self.media):
            raise ValueError("creatives name media that is missing, or leave some unused")
        return self


def _has_budget(holder: Campaign | AdSet) -> bool:
    return (holder.daily_budget is None) != (holder.lifetime_budget is None)


def _media_of(creative: Creative) -> list[str]:
    match creative:
        case LinkCreative():
            keys = [creative.image]
        case VideoCreative():
            keys = [creative.video, creative.thumbnail]
        case CarouselCreative():
            keys = [key for card in creative.cards for key in (card.image, card.video)]
        case _:
            keys = []
    return [key for key in keys if key is not None]

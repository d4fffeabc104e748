"""What callers ask of Meta; fields bear Meta's own names."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from models.campaign import CampaignRequest, MediaKey, Name
from models.media import MediaKind, Url

type MetaId = Annotated[
    str, Meta(pattern="^[0-9]{1,32}$", description="A number of Meta's, as text.")
]
type PostId = Annotated[str, Meta(pattern="^[0-9]+_[0-9]+$")]
type Country = Annotated[
    str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166 code of two letters.")
]
type Money = Annotated[
    int,
    Meta(gt=0, le=10**12, description="In the smallest unit of the account's currency (cents)."),
]
type Moment = Annotated[datetime, Meta(tz=True)]
type Age = Annotated[int, Meta(ge=13, le=65)]
type Text = Annotated[str, Meta(min_length=1, max_length=5000)]

type Objective = Literal[
    "OUTCOME_AWARENESS",
    "OUTCOME_TRAFFIC",
    "OUTCOME_ENGAGEMENT",
    "OUTCOME_LEADS",
    "OUTCOME_SALES",
    "OUTCOME_APP_PROMOTION",
]
type SpecialAdCategory = Literal[
    "NONE",
    "EMPLOYMENT",
    "HOUSING",
    "CREDIT",
    "FINANCIAL_PRODUCTS_SERVICES",
    "ISSUES_ELECTIONS_POLITICS",
    "ONLINE_GAMBLING_AND_GAMING",
]
type BidStrategy = Literal[
    "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP", "LOWEST_COST_WITH_MIN_ROAS"
]
type BillingEvent = Literal[
    "IMPRESSIONS",
    "LINK_CLICKS",
    "THRUPLAY",
    "POST_ENGAGEMENT",
    "PAGE_LIKES",
    "APP_INSTALLS",
    "CLICKS",
]
type OptimizationGoal = Literal[
    "REACH",
    "IMPRESSIONS",
    "AD_RECALL_LIFT",
    "THRUPLAY",
    "LINK_CLICKS",
    "LANDING_PAGE_VIEWS",
    "QUALITY_CALL",
    "POST_ENGAGEMENT",
    "PAGE_LIKES",
    "EVENT_RESPONSES",
    "CONVERSATIONS",
    "LEAD_GENERATION",
    "QUALITY_LEAD",
    "OFFSITE_CONVERSIONS",
    "VALUE",
    "APP_INSTALLS",
    "APP_INSTALLS_AND_OFFSITE_CONVERSIONS",
]
type DestinationType = Literal[
    "WEBSITE",
    "APP",
    "MESSENGER",
    "WHATSAPP",
    "INSTAGRAM_DIRECT",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
    "ON_AD",
    "ON_EVENT",
    "ON_PAGE",
    "ON_POST",
    "ON_VIDEO",
]
type CallToAction = Literal[
    "LEARN_MORE",
    "SHOP_NOW",
    "SIGN_UP",
    "SUBSCRIBE",
    "BOOK_NOW",
    "BOOK_TRAVEL",
    "CONTACT_US",
    "DOWNLOAD",
    "GET_OFFER",
    "GET_QUOTE",
    "APPLY_NOW",
    "ORDER_NOW",
    "BUY_NOW",
    "CALL_NOW",
    "MESSAGE_PAGE",
    "WHATSAPP_MESSAGE",
    "INSTALL_MOBILE_APP",
    "USE_APP",
    "PLAY_GAME",
    "WATCH_MORE",
    "LISTEN_NOW",
    "DONATE_NOW",
    "GET_DIRECTIONS",
    "NO_BUTTON",
]
type Platform = Literal["facebook", "instagram", "threads", "messenger", "audience_network"]


class _Strict(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Unknown fields are refused, fields not given are not sent."""


class PromotedObject(_Strict, frozen=True, kw_only=True):
    """What the ads promote; which fields are needed depends on objective and goal."""

    page_id: Annotated[MetaId | None, Meta(description="The promoted page.")] = None
    pixel_id: Annotated[MetaId | None, Meta(description="The pixel that counts conversions.")] = (
        None
    )
    custom_event_type: Annotated[
        Annotated[str, Meta(pattern="^[A-Z_]{2,40}$")] | None,
        Meta(description="The conversion, for example PURCHASE."),
    ] = None
    custom_event_str: Annotated[
        Annotated[str, Meta(max_length=100)] | None,
        Meta(description="The event's own name when the type is OTHER."),
    ] = None
    application_id: Annotated[MetaId | None, Meta(description="The promoted app.")] = None
    object_store_url: Annotated[Url | None, Meta(description="The app's page in its store.")] = None
    product_set_id: Annotated[MetaId | None, Meta(description="The promoted product set.")] = None
    product_catalog_id: Annotated[
        MetaId | None, Meta(description="The promoted catalogue (campaign only).")
    ] = None


class GeoPlace(_Strict, frozen=True, kw_only=True):
    """A place by Meta's key, or around a point."""

    key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=40)] | None, Meta(description="Meta's key.")
    ] = None
    name: Annotated[
        Annotated[str, Meta(max_length=200)] | None, Meta(description="For people; not used.")
    ] = None
    country: Annotated[Country | None, Meta(description="The country it lies in.")] = None
    latitude: Annotated[
        Annotated[float, Meta(ge=-90, le=90)] | None, Meta(description="Of a custom location.")
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180, le=180)] | None, Meta(description="Of a custom location.")
    ] = None
    radius: Annotated[
        Annotated[float, Meta(gt=0, le=500)] | None, Meta(description="Around the place.")
    ] = None
    distance_unit: Annotated[
        Literal["mile", "kilometer"] | None, Meta(description="The unit of radius.")
    ] = None


class GeoLocations(_Strict, frozen=True, kw_only=True):
    """Places."""

    countries: Annotated[list[Country] | None, Meta(description="Whole countries.")] = None
    country_groups: Annotated[
        list[str] | None, Meta(description="Groups of countries, for example worldwide.")
    ] = None
    regions: Annotated[list[GeoPlace] | None, Meta(description="States, provinces.")] = None
    cities: Annotated[
        list[GeoPlace] | None, Meta(description="Cities, with or without radius.")
    ] = None
    zips: Annotated[list[GeoPlace] | None, Meta(description="Postal codes.")] = None
    geo_markets: Annotated[list[GeoPlace] | None, Meta(description="Market areas.")] = None
    custom_locations: Annotated[list[GeoPlace] | None, Meta(description="Pins with a radius.")] = (
        None
    )


class Reference(_Strict, frozen=True, kw_only=True):
    """Something of Meta's by its id."""

    id: Annotated[MetaId, Meta(description="Meta's id.")]
    name: Annotated[
        Annotated[str, Meta(max_length=400)] | None, Meta(description="For people; not used.")
    ] = None


class Interests(_Strict, frozen=True, kw_only=True):
    """People of whom one of these is true."""

    interests: Annotated[list[Reference] | None, Meta(description="Interests.")] = None
    behaviors: Annotated[list[Reference] | None, Meta(description="Behaviours.")] = None
    life_events: Annotated[list[Reference] | None, Meta(description="Life events.")] = None
    work_positions: Annotated[list[Reference] | None, Meta(description="Positions at work.")] = None


class Targeting(_Strict, frozen=True, kw_only=True):
    """Who may see the ads, and where."""

    geo_locations: Annotated[
        GeoLocations | None, Meta(description="Where people are; needed without custom audiences.")
    ] = None
    excluded_geo_locations: Annotated[
        GeoLocations | None, Meta(description="Where people are not.")
    ] = None
    age_min: Annotated[Age | None, Meta(description="Youngest; 18 by default.")] = None
    age_max: Annotated[Age | None, Meta(description="Oldest; 65 is everybody older too.")] = None
    genders: Annotated[
        Annotated[list[Literal[0, 1, 2]], Meta(max_length=2)] | None,
        Meta(description="1 men, 2 women; 0 alone, or leaving it out, is everybody."),
    ] = None
    locales: Annotated[list[int] | None, Meta(description="Languages by Meta's numbers.")] = None
    interests: Annotated[list[Reference] | None, Meta(description="Interests.")] = None
    flexible_spec: Annotated[
        list[Interests] | None, Meta(description="All of these groups at once.")
    ] = None
    exclusions: Annotated[Interests | None, Meta(description="People to leave out.")] = None
    custom_audiences: Annotated[list[Reference] | None, Meta(description="Audiences.")] = None
    excluded_custom_audiences: Annotated[
        list[Reference] | None, Meta(description="Audiences to leave out.")
    ] = None
    publisher_platforms: Annotated[
        list[Platform] | None, Meta(description="Where ads appear; everywhere by default.")
    ] = None
    facebook_positions: Annotated[list[str] | None, Meta(description="Places on Facebook.")] = None
    instagram_positions: Annotated[list[str] | None, Meta(description="Places on Instagram.")] = (
        None
    )
    threads_positions: Annotated[list[str] | None, Meta(description="Places on Threads.")] = None
    messenger_positions: Annotated[list[str] | None, Meta(description="Places in Messenger.")] = (
        None
    )
    audience_network_positions: Annotated[
        list[str] | None, Meta(description="Places in the Audience Network.")
    ] = None
    device_platforms: Annotated[
        list[Literal["mobile", "desktop"]] | None, Meta(description="Kinds of device.")
    ] = None
    user_os: Annotated[list[str] | None, Meta(description="Operating systems, iOS or Android.")] = (
        None
    )
    advantage_audience: Annotated[
        bool | None,
        Meta(description="Whether Meta may look beyond the targeting; must be said either way."),
    ] = None


class BidConstraints(_Strict, frozen=True, kw_only=True):
    """The least return that is accepted."""

    roas_average_floor: Annotated[
        int, Meta(ge=100, le=10_000_000, description="Return on spend times 10,000.")
    ]


class Attribution(_Strict, frozen=True, kw_only=True):
    """Which conversions count."""

    event_type: Annotated[
        Literal["CLICK_THROUGH", "VIEW_THROUGH", "ENGAGED_VIDEO_VIEW"],
        Meta(description="After what."),
    ]
    window_days: Annotated[int, Meta(ge=1, le=28, description="How long after.")]


class FrequencyControl(_Strict, frozen=True, kw_only=True):
    """How often one person may see the ads."""

    event: Annotated[Literal["IMPRESSIONS"], Meta(description="What is counted.")]
    interval_days: Annotated[int, Meta(ge=1, le=90, description="In how many days.")]
    max_frequency: Annotated[int, Meta(ge=1, le=90, description="How often at most.")]


class Schedule(_Strict, frozen=True, kw_only=True):
    """Hours in which ads run; with a lifetime budget only."""

    start_minute: Annotated[int, Meta(ge=0, le=1439, description="Minute of the day.")]
    end_minute: Annotated[int, Meta(ge=1, le=1440, description="Minute of the day.")]
    days: Annotated[
        list[Annotated[int, Meta(ge=0, le=6)]],
        Meta(min_length=1, max_length=7, description="0 is Sunday."),
    ]
    timezone_type: Annotated[
        Literal["USER", "ADVERTISER"] | None, Meta(description="Whose clock.")
    ] = None


class _Creative(_Strict, frozen=True, kw_only=True):
    page_id: Annotated[MetaId, Meta(description="The page that the ad speaks for.")]
    instagram_user_id: Annotated[
        MetaId | None, Meta(description="The Instagram account that the ad speaks for.")
    ] = None
    url_tags: Annotated[
        Annotated[str, Meta(max_length=2000)] | None,
        Meta(description="Appended to links, without a leading '?'."),
    ] = None


class LinkCreative(_Creative, frozen=True, kw_only=True, tag="link", tag_field="type"):
    """One link with an image."""

    link: Annotated[Url, Meta(description="Where a click leads.")]
    message: Annotated[Text | None, Meta(description="The text above.")] = None
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below the headline.")] = None
    call_to_action: Annotated[CallToAction | None, Meta(description="The button.")] = None
    image: Annotated[MediaKey | None, Meta(description="Name of an image in media.")] = None


class VideoCreative(_Creative, frozen=True, kw_only=True, tag="video", tag_field="type"):
    """A video."""

    video: Annotated[MediaKey, Meta(description="Name of a video in media.")]
    thumbnail: Annotated[
        MediaKey | None,
        Meta(description="Name of an image in media; else Meta's own choice is used."),
    ] = None
    link: Annotated[Url | None, Meta(description="Where a click on the button leads.")] = None
    message: Annotated[Text | None, Meta(description="The text above.")] = None
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below the headline.")] = None
    call_to_action: Annotated[
        CallToAction | None, Meta(description="The button; it needs a link.")
    ] = None


class CarouselCard(_Strict, frozen=True, kw_only=True):
    """One card; an image or a video."""

    link: Annotated[Url, Meta(description="Where a click leads.")]
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below.")] = None
    image: Annotated[MediaKey | None, Meta(description="Name of an image in media.")] = None
    video: Annotated[MediaKey | None, Meta(description="Name of a video in media.")] = None


class CarouselCreative(_Creative, frozen=True, kw_only=True, tag="carousel", tag_field="type"):
    """Several cards side by side."""

    link: Annotated[Url, Meta(description="Where a click beside the cards leads.")]
    cards: Annotated[
        list[CarouselCard], Meta(min_length=2, max_length=10, description="The cards.")
    ]
    message: Annotated[Text | None, Meta(description="The text above.")] = None
    call_to_action: Annotated[
        CallToAction | None, Meta(description="The button of every card.")
    ] = None


class ExistingPostCreative(
    _Creative, frozen=True, kw_only=True, tag="existing_post", tag_field="type"
):
    """A post that exists."""

    post_id: Annotated[PostId, Meta(description="Of the form <page>_<post>.")]


type Creative = LinkCreative | VideoCreative | CarouselCreative | ExistingPostCreative


class MetaAd(_Strict, frozen=True, kw_only=True):
    """An ad: one creative."""

    name: Annotated[Name, Meta(description="Your name for the ad.")]
    creative: Annotated[
        LinkCreative | VideoCreative | CarouselCreative | ExistingPostCreative,
        Meta(description="What people see."),
    ]
    tracking_specs: Annotated[
        list[dict[str, Any]] | None, Meta(description="What is tracked, as Meta writes it.")
    ] = None
    conversion_domain: Annotated[
        Annotated[str, Meta(max_length=253)] | None,
        Meta(description="Where conversions happen, for example example.com."),
    ] = None


class MetaAdSet(_Strict, frozen=True, kw_only=True):
    """An ad set: budget, audience and schedule of its ads."""

    name: Annotated[Name, Meta(description="Your name for the ad set.")]
    optimization_goal: Annotated[OptimizationGoal, Meta(description="What Meta optimises for.")]
    billing_event: Annotated[BillingEvent, Meta(description="What is paid for.")]
    targeting: Annotated[Targeting, Meta(description="Who sees the ads.")]
    ads: Annotated[list[MetaAd], Meta(min_length=1, max_length=50, description="The ads.")]
    daily_budget: Annotated[Money | None, Meta(description="Per day; or give lifetime_budget.")] = (
        None
    )
    lifetime_budget: Annotated[Money | None, Meta(description="In all; needs end_time.")] = None
    bid_strategy: Annotated[BidStrategy | None, Meta(description="How Meta bids.")] = None
    bid_amount: Annotated[
        Money | None, Meta(description="The cap, where the strategy has one.")
    ] = None
    bid_constraints: Annotated[
        BidConstraints | None, Meta(description="With LOWEST_COST_WITH_MIN_ROAS.")
    ] = None
    start_time: Annotated[Moment | None, Meta(description="When ads may begin.")] = None
    end_time: Annotated[Moment | None, Meta(description="When ads end.")] = None
    promoted_object: Annotated[PromotedObject | None, Meta(description="What is promoted.")] = None
    destination_type: Annotated[
        DestinationType | None, Meta(description="Where a click leads.")
    ] = None
    attribution_spec: Annotated[
        Annotated[list[Attribution], Meta(max_length=3)] | None,
        Meta(description="Which conversions count."),
    ] = None
    dsa_beneficiary: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512)] | None,
        Meta(description="On whose behalf (EU)."),
    ] = None
    dsa_payor: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512)] | None,
        Meta(description="Who pays (EU)."),
    ] = None
    regional_regulated_categories: Annotated[
        list[str] | None, Meta(description="Regulated categories, for example SINGAPORE_UNIVERSAL.")
    ] = None
    regional_regulation_identities: Annotated[
        dict[str, str] | None, Meta(description="Verified identities for them.")
    ] = None
    frequency_control_specs: Annotated[
        Annotated[list[FrequencyControl], Meta(max_length=1)] | None,
        Meta(description="How often people see the ads."),
    ] = None
    adset_schedule: Annotated[
        list[Schedule] | None, Meta(description="Hours in which ads run.")
    ] = None
    pacing_type: Annotated[
        list[Literal["standard", "no_pacing", "day_parting"]] | None,
        Meta(description="How budget is spent."),
    ] = None


class MetaCampaign(_Strict, frozen=True, kw_only=True):
    """The campaign itself."""

    name: Annotated[Name, Meta(description="Your name for the campaign.")]
    objective: Annotated[Objective, Meta(description="What the campaign is for.")]
    special_ad_categories: Annotated[
        list[SpecialAdCategory], Meta(description="Required; empty when none applies.")
    ]
    special_ad_category_country: Annotated[
        list[Country] | None, Meta(description="Where the special category applies.")
    ] = None
    buying_type: Annotated[Literal["AUCTION"] | None, Meta(description="AUCTION, the default.")] = (
        None
    )
    daily_budget: Annotated[
        Money | None, Meta(description="Per day for all ad sets; they must then carry none.")
    ] = None
    lifetime_budget: Annotated[
        Money | None, Meta(description="In all for all ad sets; they must then carry none.")
    ] = None
    bid_strategy: Annotated[
        BidStrategy | None, Meta(description="With a campaign budget only.")
    ] = None
    is_adset_budget_sharing_enabled: Annotated[
        bool | None,
        Meta(
            description="Whether ad sets may share a fifth of their budgets. Meta wants it said when the "
            "campaign has no budget; false is sent when it is left out."
        ),
    ] = None
    spend_cap: Annotated[Money | None, Meta(description="The most that is ever spent.")] = None
    promoted_object: Annotated[
        PromotedObject | None, Meta(description="Catalogue or app, where the objective needs one.")
    ] = None
    is_skadnetwork_attribution: Annotated[
        bool | None, Meta(description="For iOS apps: Apple's attribution.")
    ] = None


class MetaCampaignRequest(CampaignRequest, frozen=True, kw_only=True):
    """One campaign with its ad sets, creatives and ads."""

    campaign: Annotated[MetaCampaign, Meta(description="The campaign.")]
    ad_sets: Annotated[
        list[MetaAdSet], Meta(min_length=1, max_length=200, description="Its ad sets.")
    ]


def references(request: MetaCampaignRequest) -> Iterator[tuple[str, str, MediaKind]]:
    """Every use of a media entry: where in the request, which entry, what it must be."""
    for i, ad_set in enumerate(request.ad_sets):
        for j, ad in enumerate(ad_set.ads):
            at = f"/ad_sets/{i}/ads/{j}/creative"
            for pointer, key, kind in creative_references(ad.creative):
                yield at + pointer, key, kind


def creative_references(creative: Creative) -> Iterator[tuple[str, str, MediaKind]]:
    """The same for one creative, with pointers relative to it."""
    match creative:
        case LinkCreative(image=str(image)):
            yield "/image", image, "image"
        case VideoCreative():
            yield "/video", creative.video, "video"
            if creative.thumbnail is not None:
                yield "/thumbnail", creative.thumbnail, "image"
        case CarouselCreative():
            for k, card in enumerate(creative.cards):
                if card.image is not None:
                    yield f"/cards/{k}/image", card.image, "image"
                if card.video is not None:
                    yield f"/cards/{k}/video", card.video, "video"
        case _:
            return

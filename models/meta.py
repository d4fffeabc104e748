"""What callers ask of Meta; fields bear Meta's own names."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from models.campaign import CampaignRequest, Name
from models.media import MediaKind
from models.meta_creatives import (
    CarouselCard,
    CarouselCreative,
    Creative,
    ExistingPostCreative,
    LinkCreative,
    VideoCreative,
    creative_references,
)
from models.meta_delivery import (
    Attribution,
    BidConstraints,
    FrequencyControl,
    PromotedObject,
    RegulationIdentities,
    Schedule,
)
from models.meta_targeting import Targeting
from models.meta_words import (
    BidStrategy,
    BillingEvent,
    Country,
    DestinationType,
    Moment,
    Money,
    Objective,
    OptimizationGoal,
    RegulatedCategory,
    SpecialAdCategory,
    Strict,
)

type Disclosure = Annotated[str, Meta(min_length=1, max_length=512)]


class MetaAd(Strict, frozen=True, kw_only=True):
    """An ad: one creative, whose name is made from the ad's."""

    name: Annotated[
        Name, Meta(description="Your name for the ad; our marker is written behind it.")
    ]
    creative: Annotated[
        LinkCreative | VideoCreative | CarouselCreative | ExistingPostCreative,
        Meta(description="What people see."),
    ]
    tracking_specs: Annotated[
        list[dict[str, Any]] | None, Meta(description="What is tracked, as Meta writes it.")
    ] = None
    conversion_domain: Annotated[
        Annotated[
            str,
            Meta(max_length=253, pattern=r"^[A-Za-z0-9.-]+(?!\s)$", examples=["example.com"]),
        ]
        | None,
        Meta(description="Where conversions happen, for example example.com."),
    ] = None


class MetaAdSet(Strict, frozen=True, kw_only=True):
    """An ad set: budget, audience and schedule of its ads."""

    name: Annotated[
        Name, Meta(description="Your name for the ad set; our marker is written behind it.")
    ]
    optimization_goal: Annotated[OptimizationGoal, Meta(description="What Meta optimises for.")]
    billing_event: Annotated[BillingEvent, Meta(description="What is paid for.")]
    targeting: Annotated[Targeting, Meta(description="Who sees the ads.")]
    ads: Annotated[list[MetaAd], Meta(min_length=1, max_length=50, description="The ads.")]
    daily_budget: Annotated[
        Money | None,
        Meta(
            description="Per day, in hundredths of the account's currency, in whole units of those that "
            "Meta counts so (docs/requests.md names them). An ad set has "
            "this or lifetime_budget, unless the campaign has a budget."
        ),
    ] = None
    lifetime_budget: Annotated[
        Money | None,
        Meta(description="In all, counted as daily_budget is; it needs end_time."),
    ] = None
    bid_strategy: Annotated[
        BidStrategy | None,
        Meta(description="How Meta bids; at the campaign when the budget is there."),
    ] = None
    bid_amount: Annotated[
        Money | None, Meta(description="The cap, where the strategy has one.")
    ] = None
    bid_constraints: Annotated[
        BidConstraints | None, Meta(description="With LOWEST_COST_WITH_MIN_ROAS.")
    ] = None
    start_time: Annotated[Moment | None, Meta(description="When ads may begin; else at once.")] = (
        None
    )
    end_time: Annotated[Moment | None, Meta(description="When ads end; else never.")] = None
    promoted_object: Annotated[PromotedObject | None, Meta(description="What is promoted.")] = None
    destination_type: Annotated[
        DestinationType | None, Meta(description="Where a click leads.")
    ] = None
    attribution_spec: Annotated[
        Annotated[list[Attribution], Meta(min_length=1, max_length=3)] | None,
        Meta(description="Which conversions count; what fits the goal when left out."),
    ] = None
    dsa_beneficiary: Annotated[
        Disclosure | None,
        Meta(description="On whose behalf the ads are shown; required in the EU."),
    ] = None
    dsa_payor: Annotated[
        Disclosure | None, Meta(description="Who pays for the ads; required in the EU.")
    ] = None
    regional_regulated_categories: Annotated[
        list[RegulatedCategory] | None, Meta(description="Regulations of countries that apply.")
    ] = None
    regional_regulation_identities: Annotated[
        RegulationIdentities | None, Meta(description="Who was verified for them.")
    ] = None
    frequency_control_specs: Annotated[
        Annotated[list[FrequencyControl], Meta(min_length=1, max_length=1)] | None,
        Meta(description="How often people see the ads; with REACH and THRUPLAY only."),
    ] = None
    adset_schedule: Annotated[
        Annotated[list[Schedule], Meta(min_length=1)] | None,
        Meta(
            description="Hours in which ads run; with a lifetime budget and the pacing_type day_parting."
        ),
    ] = None
    pacing_type: Annotated[
        Annotated[
            list[Literal["standard", "no_pacing", "day_parting"]], Meta(min_length=1, max_length=2)
        ]
        | None,
        Meta(description="How the budget is spent over time; day_parting with adset_schedule."),
    ] = None
    is_dynamic_creative: Annotated[
        bool | None, Meta(description="Dynamic creative is not available in this release.")
    ] = None


class MetaCampaign(Strict, frozen=True, kw_only=True):
    """The campaign itself."""

    name: Annotated[
        Name, Meta(description="Your name for the campaign; our marker is written behind it.")
    ]
    objective: Annotated[Objective, Meta(description="What the campaign is for.")]
    special_ad_categories: Annotated[
        list[SpecialAdCategory], Meta(description="Required; empty when none applies.")
    ]
    special_ad_category_country: Annotated[
        list[Country] | None, Meta(description="Where the special category applies.")
    ] = None
    buying_type: Annotated[
        Literal["AUCTION"] | None, Meta(description="AUCTION, also when left out.")
    ] = None
    daily_budget: Annotated[
        Money | None,
        Meta(
            description="Per day for all ad sets, which must then carry none; in hundredths of the "
            "account's currency, in whole units of those that Meta counts so."
        ),
    ] = None
    lifetime_budget: Annotated[
        Money | None,
        Meta(description="In all for all ad sets, which must then carry none and have end_time."),
    ] = None
    bid_strategy: Annotated[
        BidStrategy | None, Meta(description="With a campaign budget, and then required.")
    ] = None
    is_adset_budget_sharing_enabled: Annotated[
        bool | None,
        Meta(
            description="Whether ad sets may share a fifth of their budgets. Meta wants it said when "
            "the campaign has no budget; false is sent when it is left out."
        ),
    ] = None
    spend_cap: Annotated[
        Money | None, Meta(description="The most that is ever spent, counted as daily_budget is.")
    ] = None
    promoted_object: Annotated[
        PromotedObject | None, Meta(description="Catalogue or app, where the objective needs one.")
    ] = None
    is_skadnetwork_attribution: Annotated[
        bool | None,
        Meta(
            description="Whether Apple's attribution for iOS 14 and newer is used. Required for "
            "OUTCOME_APP_PROMOTION, where Meta wants it said either way."
        ),
    ] = None


class MetaCampaignRequest(CampaignRequest, frozen=True, kw_only=True):
    """One campaign with its ad sets, creatives and ads."""

    platform_account_id: Annotated[
        Annotated[str, Meta(pattern=r"^act_[0-9]{1,32}(?!\s)$", examples=["act_1234567890"])]
        | None,
        Meta(
            description="Meta's id of the ad account, with act_. Give this or ad_account_id, "
            "never both."
        ),
    ] = None
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


__all__ = [
    "CarouselCard",
    "CarouselCreative",
    "Creative",
    "ExistingPostCreative",
    "LinkCreative",
    "MetaAd",
    "MetaAdSet",
    "MetaCampaign",
    "MetaCampaignRequest",
    "PromotedObject",
    "Targeting",
    "VideoCreative",
    "references",
]

"""How ads on Meta are delivered and counted: what is promoted, bids, frequency, hours, identities."""

from typing import Annotated, Literal

from msgspec import Meta

from models.media import Url
from models.meta_words import MetaId, Strict


class PromotedObject(Strict, frozen=True, kw_only=True):
    """What the ads promote; which fields are needed depends on objective, destination and goal."""

    page_id: Annotated[MetaId | None, Meta(description="The promoted page.")] = None
    pixel_id: Annotated[MetaId | None, Meta(description="The pixel that counts conversions.")] = (
        None
    )
    custom_event_type: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Z_]{2,40}(?!\s)$", examples=["PURCHASE"])] | None,
        Meta(description="The conversion, for example PURCHASE or LEAD."),
    ] = None
    custom_event_str: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(description="The event's own name when custom_event_type is OTHER."),
    ] = None
    application_id: Annotated[MetaId | None, Meta(description="The promoted app.")] = None
    object_store_url: Annotated[Url | None, Meta(description="The app's page in its store.")] = None
    product_set_id: Annotated[MetaId | None, Meta(description="The promoted product set.")] = None
    product_catalog_id: Annotated[
        MetaId | None, Meta(description="The promoted catalogue; at the campaign only.")
    ] = None
    place_page_set_id: Annotated[
        MetaId | None, Meta(description="The promoted places, for visits to stores.")
    ] = None


class BidConstraints(Strict, frozen=True, kw_only=True):
    """The least return that is accepted."""

    roas_average_floor: Annotated[
        int, Meta(ge=100, le=10_000_000, description="Return on spend times 10,000.")
    ]


class Attribution(Strict, frozen=True, kw_only=True):
    """Which conversions count."""

    event_type: Annotated[
        Literal["CLICK_THROUGH", "VIEW_THROUGH", "ENGAGED_VIDEO_VIEW"],
        Meta(description="After what."),
    ]
    window_days: Annotated[Literal[1, 7], Meta(description="How many days after.")]


class FrequencyControl(Strict, frozen=True, kw_only=True):
    """How often one person may see the ads."""

    event: Annotated[Literal["IMPRESSIONS"], Meta(description="What is counted.")]
    interval_days: Annotated[int, Meta(ge=1, le=90, description="In how many days.")]
    max_frequency: Annotated[int, Meta(ge=1, le=90, description="How often at most.")]


class Schedule(Strict, frozen=True, kw_only=True):
    """Hours in which ads run; with a lifetime budget only."""

    start_minute: Annotated[int, Meta(ge=0, le=1439, description="Minute of the day.")]
    end_minute: Annotated[int, Meta(ge=1, le=1440, description="Minute of the day.")]
    days: Annotated[
        list[Annotated[int, Meta(ge=0, le=6)]],
        Meta(min_length=1, max_length=7, description="Days of the week; 0 is Sunday."),
    ]
    timezone_type: Annotated[
        Literal["USER", "ADVERTISER"] | None, Meta(description="Whose clock.")
    ] = None


class RegulationIdentities(Strict, frozen=True, kw_only=True):
    """Identities that Meta has verified, by their numbers, for the categories that are declared."""

    taiwan_finserv_beneficiary: Annotated[MetaId | None, Meta(description="Who benefits.")] = None
    taiwan_finserv_payer: Annotated[MetaId | None, Meta(description="Who pays.")] = None
    taiwan_universal_beneficiary: Annotated[MetaId | None, Meta(description="Who benefits.")] = None
    taiwan_universal_payer: Annotated[MetaId | None, Meta(description="Who pays.")] = None
    australia_finserv_beneficiary: Annotated[MetaId | None, Meta(description="Who benefits.")] = (
        None
    )
    australia_finserv_payer: Annotated[MetaId | None, Meta(description="Who pays.")] = None
    india_finserv_beneficiary: Annotated[MetaId | None, Meta(description="Who benefits.")] = None
    india_finserv_payer: Annotated[MetaId | None, Meta(description="Who pays.")] = None
    singapore_universal_beneficiary: Annotated[MetaId | None, Meta(description="Who benefits.")] = (
        None
    )
    singapore_universal_payer: Annotated[MetaId | None, Meta(description="Who pays.")] = None
    universal_beneficiary: Annotated[
        MetaId | None, Meta(description="Who benefits (Thailand, Brazil).")
    ] = None
    universal_payer: Annotated[MetaId | None, Meta(description="Who pays (Thailand, Brazil).")] = (
        None
    )

"""The words and small values that requests for Meta are made of."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

type MetaId = Annotated[str, Meta(pattern=r"^[0-9]{1,32}(?!\s)$", examples=["1234567890"])]
type PostId = Annotated[
    str, Meta(pattern=r"^[0-9]{1,32}_[0-9]{1,32}(?!\s)$", examples=["1234567890_987"])
]
type Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}(?!\s)$", examples=["US"])]
type Word = Annotated[
    str, Meta(max_length=60, pattern=r"^[A-Za-z0-9_]+(?!\s)$", examples=["worldwide"])
]
type Money = Annotated[int, Meta(gt=0, le=10**12)]
type Moment = Annotated[datetime, Meta(tz=True)]
type Age = Annotated[int, Meta(ge=13, le=65)]
type Text = Annotated[str, Meta(min_length=1, max_length=5000)]
type Label = Annotated[str, Meta(max_length=400)]

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
type BillingEvent = Literal["IMPRESSIONS", "LINK_CLICKS", "THRUPLAY"]
type OptimizationGoal = Literal[
    "REACH",
    "IMPRESSIONS",
    "AD_RECALL_LIFT",
    "THRUPLAY",
    "LINK_CLICKS",
    "LANDING_PAGE_VIEWS",
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
    "BUY_NOW",
    "BUY_TICKETS",
    "CONTACT_US",
    "DOWNLOAD",
    "GET_OFFER",
    "GET_QUOTE",
    "GET_SHOWTIMES",
    "APPLY_NOW",
    "ORDER_NOW",
    "REQUEST_TIME",
    "SEE_MORE",
    "CALL_NOW",
    "MESSAGE_PAGE",
    "WHATSAPP_MESSAGE",
    "INSTALL_MOBILE_APP",
    "USE_APP",
    "PLAY_GAME",
    "WATCH_MORE",
    "LISTEN_NOW",
    "DONATE_NOW",
    "EVENT_RSVP",
    "LIKE_PAGE",
    "GET_DIRECTIONS",
    "NO_BUTTON",
]
type PublisherPlatform = Literal[
    "facebook", "instagram", "threads", "messenger", "audience_network"
]
type RegulatedCategory = Literal[
    "TAIWAN_FINSERV",
    "TAIWAN_UNIVERSAL",
    "AUSTRALIA_FINSERV",
    "INDIA_FINSERV",
    "SINGAPORE_UNIVERSAL",
    "THAILAND_UNIVERSAL",
    "BRAZIL_REGULATION",
]


class Strict(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Unknown fields are refused, fields not given are not sent."""

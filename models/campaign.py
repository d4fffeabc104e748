"""What the requests of every platform have in common."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from models.media import EXACTLY_ONE_SOURCE, Media

type Priority = Literal["high", "normal", "low"]
type Name = Annotated[
    str, Meta(min_length=1, max_length=400, pattern=r"\S", examples=["Spring sale"])
]
type MediaKey = Annotated[
    str,
    Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+(?!\s)$", examples=["hero"]),
]
type OneMedia = Annotated[Media, Meta(extra_json_schema=EXACTLY_ONE_SOURCE)]


class CampaignRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The frame around a campaign: which account, how urgent, which media."""

    ad_account_id: Annotated[
        UUID | None,
        Meta(description="Our id of the ad account. Give this or platform_account_id, never both."),
    ] = None
    platform_account_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(
            description="The platform's id of the ad account. Give this or ad_account_id, never both."
        ),
    ] = None
    activate: Annotated[
        bool,
        Meta(
            description="Everything is created PAUSED. True makes activation the last step, "
            "ads first, the campaign last."
        ),
    ] = False
    priority: Annotated[Priority, Meta(description="Which of the waiting jobs goes first.")] = (
        "normal"
    )
    media: Annotated[
        dict[MediaKey, OneMedia],
        Meta(
            description="Images and videos by names of your own, which creatives refer to. "
            "Every entry must be used."
        ),
    ] = {}

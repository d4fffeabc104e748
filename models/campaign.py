"""What the requests of every platform have in common."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from models.media import Media

type Priority = Literal["high", "normal", "low"]
type Name = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"\S")]
type MediaKey = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_.-]+$")]


class CampaignRequest(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The frame around a campaign: which account, how urgent, which media."""

    ad_account_id: Annotated[
        UUID | None, Meta(description="Our id of the ad account; or give platform_account_id.")
    ] = None
    platform_account_id: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(
            description="The platform's id of the ad account (Meta: act_…); or give ad_account_id.",
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
        dict[MediaKey, Media],
        Meta(description="Images and videos by a name of your own, which creatives refer to."),
    ] = {}

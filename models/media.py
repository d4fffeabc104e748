"""Where the bytes of a request's images and videos come from."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

type MediaKind = Literal["image", "video"]
type Url = Annotated[str, Meta(min_length=8, max_length=2048, pattern=r"^https?://[^\s]+$")]


class Generation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Media to be made by a provider. Not available in this release; requests with it are refused."""

    provider: Annotated[str, Meta(min_length=1, max_length=40, description="Who makes it.")]
    kind: Annotated[Literal["image", "video", "audio"], Meta(description="What is made.")]
    prompt: Annotated[
        str, Meta(min_length=1, max_length=10_000, description="What it should show.")
    ]
    aspect_ratio: Annotated[
        Annotated[str, Meta(pattern="^[0-9]{1,2}:[0-9]{1,2}$")] | None,
        Meta(description="For example 1:1."),
    ] = None


class Media(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One image or video; exactly one of the fields says where it comes from."""

    url: Annotated[
        Url | None, Meta(description="A public address; fetched once, when the job runs.")
    ] = None
    asset_id: Annotated[
        UUID | None, Meta(description="A file stored before with POST /assets.")
    ] = None
    generate: Annotated[
        Generation | None, Meta(description="Made by a provider; not available in this release.")
    ] = None

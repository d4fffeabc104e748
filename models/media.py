"""Where the bytes of a request's images and videos come from."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

type MediaKind = Literal["image", "video"]
# a dollar sign alone would let a line break follow, which no address and no key has
type Url = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=2048,
        pattern=r"^https?://[^\s/?#]+[^\s]*(?!\s)$",
        examples=["https://example.com/offer"],
    ),
]

LARGEST_FOR_META: dict[str, int] = {"image": 30 * 1024**2, "video": 4 * 1024**3}
"""Bytes (Ads guide, image and video specifications)."""
UNKNOWN_TO_META = frozenset({"image/webp"})
"""Types that assets may have and that are no images to Meta (100/1487411, reported by users)."""

_SOURCES = ("url", "asset_id", "generate")
_GIVEN = {"not": {"type": "null"}}
EXACTLY_ONE_SOURCE = {
    "oneOf": [{"required": [name], "properties": {name: _GIVEN}} for name in _SOURCES]
}
"""What a schema cannot say by the types of the fields alone; the rules check it."""


def refused_by_meta(kind: str, content_type: str, size_bytes: int) -> str | None:
    """Why Meta would not take a file; None when it may.

    >>> refused_by_meta("image", "image/webp", 1)
    'Meta does not take image/webp; send PNG, JPEG or GIF.'
    """
    if content_type in UNKNOWN_TO_META:
        return f"Meta does not take {content_type}; send PNG, JPEG or GIF."
    largest = LARGEST_FOR_META.get(kind)
    if largest is not None and size_bytes > largest:
        return f"Meta takes {kind}s of at most {largest:,} bytes; this one has {size_bytes:,}."
    return None


class Generation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Media to be made by a provider. Not available in this release; requests with it are refused."""

    provider: Annotated[
        str, Meta(min_length=1, max_length=40, description="Who makes it, for example gemini.")
    ]
    kind: Annotated[Literal["image", "video", "audio"], Meta(description="What is made.")]
    prompt: Annotated[
        str, Meta(min_length=1, max_length=10_000, description="What it should show.")
    ]
    aspect_ratio: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9]{1,2}:[0-9]{1,2}(?!\s)$", examples=["1:1"])] | None,
        Meta(description="Width to height, for example 1:1."),
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

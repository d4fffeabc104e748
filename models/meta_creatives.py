"""What people see of an ad on Meta."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from models.campaign import MediaKey
from models.media import MediaKind, Url
from models.meta_words import CallToAction, MetaId, PostId, Strict, Text


class AnyCreative(Strict, frozen=True, kw_only=True):
    """What all creatives have."""

    page_id: Annotated[MetaId, Meta(description="The page that the ad speaks for.")]
    instagram_user_id: Annotated[
        MetaId | None, Meta(description="The Instagram account that the ad speaks for.")
    ] = None
    url_tags: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2000)] | None,
        Meta(description="Appended to links, without a leading question mark."),
    ] = None


class LinkCreative(AnyCreative, frozen=True, kw_only=True, tag="link", tag_field="type"):
    """One link with an image."""

    link: Annotated[Url, Meta(description="Where a click leads.")]
    message: Annotated[Text | None, Meta(description="The text above.")] = None
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below the headline.")] = None
    call_to_action: Annotated[CallToAction | None, Meta(description="The button.")] = None
    image: Annotated[MediaKey | None, Meta(description="Name of an image in media.")] = None


class VideoCreative(AnyCreative, frozen=True, kw_only=True, tag="video", tag_field="type"):
    """A video."""

    video: Annotated[MediaKey, Meta(description="Name of a video in media.")]
    thumbnail: Annotated[
        MediaKey | None,
        Meta(description="Name of an image in media; else the frame that Meta prefers."),
    ] = None
    link: Annotated[
        Url | None,
        Meta(
            description="Where a click on the button leads. A video's link lives in its button "
            "alone: LEARN_MORE is used when no button is named."
        ),
    ] = None
    message: Annotated[Text | None, Meta(description="The text above.")] = None
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below the headline.")] = None
    call_to_action: Annotated[
        CallToAction | None, Meta(description="The button; most of them need a link.")
    ] = None


class CarouselCard(Strict, frozen=True, kw_only=True):
    """One card; it shows an image or a video."""

    link: Annotated[Url, Meta(description="Where a click leads.")]
    headline: Annotated[Text | None, Meta(description="The headline.")] = None
    description: Annotated[Text | None, Meta(description="The line below.")] = None
    image: Annotated[MediaKey | None, Meta(description="Name of an image in media.")] = None
    video: Annotated[MediaKey | None, Meta(description="Name of a video in media.")] = None


class CarouselCreative(AnyCreative, frozen=True, kw_only=True, tag="carousel", tag_field="type"):
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
    AnyCreative, frozen=True, kw_only=True, tag="existing_post", tag_field="type"
):
    """A post that exists."""

    post_id: Annotated[PostId, Meta(description="Of the form <page_id>_<post>.")]


type Creative = LinkCreative | VideoCreative | CarouselCreative | ExistingPostCreative


def creative_references(creative: Creative) -> Iterator[tuple[str, str, MediaKind]]:
    """Every use of a media entry: where in the creative, which entry, what it must be."""
    match creative:
        case LinkCreative(image=str(image)):
            yield "/image", image, "image"
        case VideoCreative():
            yield "/video", creative.video, "video"
            if creative.thumbnail is not None:
                yield "/thumbnail", creative.thumbnail, "image"
        case CarouselCreative():
            for index, card in enumerate(creative.cards):
                if card.image is not None:
                    yield f"/cards/{index}/image", card.image, "image"
                if card.video is not None:
                    yield f"/cards/{index}/video", card.video, "video"
        case _:
            return

"""What a media file is, by its bytes; neither its name nor what a sender calls it is believed."""

from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from PIL import Image, UnidentifiedImageError

from common.errors import MojitoError
from common.video_boxes import BrokenVideo, read_video

type MediaKind = Literal["image", "video", "audio"]

IMAGE_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with further pictures behind it, as phones write them
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
MOST_PIXELS = 80_000_000
"""A few kilobytes can claim to be gigabytes of pixels; no ad needs an image beyond this."""

_VIDEO_STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""Old QuickTime files have no ftyp box; they start with one of the others."""
_PHOTOGRAPHS = frozenset({b"heic", b"heix", b"mif1", b"avif"})
"""HEIC, as phones write it, and AVIF are images in the boxes of a video."""


class NotMedia(MojitoError):
    """The bytes are none of the kinds that we know, or broken."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="not_media")


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bytes say about themselves; null where they do not say it."""

    kind: MediaKind
    content_type: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None


_HEAD = 64
_WEB_PAGES = (b"<!doctype html", b"<html")


def examine(path: Path) -> MediaFacts:
    """Looks into a file, blocking. Raises NotMedia."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(0)
        if not head:
            raise _none_of_ours("the file is empty,")
        if head.lstrip().lower().startswith(_WEB_PAGES):
            raise _none_of_ours("the bytes are a web page,")
        if head[4:8] == b"ftyp" and head[8:12] in _PHOTOGRAPHS:
            raise _none_of_ours()
        if head[4:8] in _VIDEO_STARTS:
            return _video(file)
        audio = _audio_type(head)
        if audio is not None:
            return MediaFacts(kind="audio", content_type=audio)
        return _image(file)


def _video(file: BinaryIO) -> MediaFacts:
    try:
        video = read_video(file)
    except BrokenVideo as error:
        raise NotMedia(f"the bytes start like a video and are none: {error}") from error
    if video.width is None:
        return MediaFacts(
            kind="audio", content_type="audio/mp4", duration_seconds=video.duration_seconds
        )
    return MediaFacts(
        kind="video",
        content_type="video/quicktime" if video.is_quicktime else "video/mp4",
        width=video.width,
        height=video.height,
        duration_seconds=video.duration_seconds,
    )


def _audio_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[:3] == b"ID3" or _is_mp3_frame(head):
        return "audio/mpeg"
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """Sync bits, then layer III with a bit rate and a sample rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, rates = head[1] >> 3 & 3, head[2]
    return version != 1 and rates >> 4 not in (0, 15) and rates >> 2 & 3 != 3


def _image(file: BinaryIO) -> MediaFacts:
    try:
        with Image.open(file, formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            facts = _facts_of(image)
            _verify(image)
    except UnidentifiedImageError as error:
        raise _none_of_ours() from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotMedia("the image is broken or cut off") from error
    return facts


def _facts_of(image: Image.Image) -> MediaFacts:
    if image.width * image.height > MOST_PIXELS:
        raise _too_many_pixels()
    return MediaFacts(
        kind="image",
        content_type=IMAGE_TYPES[image.format or ""],
        width=image.width,
        height=image.height,
    )


def _verify(image: Image.Image) -> None:
    """Reads the file to its end, by checksums or by decoding it as small as its format allows."""
    if image.format == "PNG":
        image.verify()
        return
    image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()


def _none_of_ours(what: str = "the bytes are") -> NotMedia:
    return NotMedia(f"{what} no PNG, JPEG, GIF, WebP, MP4, MOV, MP3, WAV or M4A file")


def _too_many_pixels() -> NotMedia:
    return NotMedia(f"the image has more than {MOST_PIXELS:,} pixels")

"""A stored media file as callers see it, and the one way to store one."""

import re
from collections.abc import AsyncIterable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from common.asset_files import AssetFiles
from common.guarded_http import DownloadFailed
from common.media_files import MediaKind, examine
from common.uuid7 import uuid7
from models.gen import media_assets
from models.gen.rows import Connection, MediaAsset
from models.jsonb import clean_text
from models.media import Url

type Origin = Literal["upload", "url", "generated"]
type Moment = Annotated[datetime, Meta(tz=True)]

LONGEST_FILE_NAME = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\"]")


class NewAsset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that somebody else serves."""

    url: Annotated[
        Url,
        Meta(description="A public https address. It is fetched once, now; it must not redirect."),
    ]


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored media file. What it is was found out from its bytes."""

    id: Annotated[UUID, Meta(description="What `asset_id` in a request's `media` names.")]
    kind: Annotated[MediaKind, Meta(description="What the file is.")]
    content_type: Annotated[str, Meta(description="For example image/png or video/mp4.")]
    size_bytes: Annotated[int, Meta(description="How large the file is.")]
    sha256: Annotated[str, Meta(description="Hash of its bytes, hexadecimal.")]
    width: Annotated[int | None, Meta(description="In pixels; null for audio.")]
    height: Annotated[int | None, Meta(description="In pixels; null for audio.")]
    duration_seconds: Annotated[
        float | None, Meta(description="Of a video; null where the file does not say.")
    ]
    file_name: Annotated[
        str | None, Meta(description="What the file was called; null when it had no name.")
    ]
    origin: Annotated[Origin, Meta(description="How it came here.")]
    livemode: Annotated[
        bool, Meta(description="Whether a live key asks; a file itself serves live and test alike.")
    ]
    created_at: Annotated[Moment, Meta(description="When it was stored.")]


class AssetPage(msgspec.Struct, frozen=True):
    """Some of the team's assets."""

    data: Annotated[list[AssetView], Meta(description="Newest first.")]
    next_cursor: Annotated[
        str | None, Meta(description="For the next page; null when this is the last.")
    ]
    livemode: Annotated[bool, Meta(description="Whether a live key asks.")]


def asset_view(row: MediaAsset, *, livemode: bool) -> AssetView:
    """The asset of a row."""
    told = {"sha256": row.sha256.hex(), "livemode": livemode}
    names = [name for name in AssetView.__struct_fields__ if name not in told]
    return msgspec.convert({**told, **{name: getattr(row, name) for name in names}}, AssetView)


async def store_asset(
    connection: Connection,
    files: AssetFiles,
    chunks: AsyncIterable[bytes],
    *,
    team_id: UUID | None,
    origin: Origin,
    file_name: str | None,
    origin_url: str | None = None,
) -> MediaAsset:
    """Keeps the bytes and writes their row. Raises NotMedia, and what `chunks` raises.

    No connection is held while bytes arrive when `connection` is a pool.
    """
    kept, facts = await files.put(chunks, examine)
    row = await media_assets.create_media_asset(
        connection,
        id=uuid7(),
        team_id=team_id,
        **msgspec.structs.asdict(facts),
        size_bytes=kept.size_bytes,
        sha256=kept.sha256,
        file_name=plain_file_name(file_name),
        origin=origin,
        origin_url=None if origin_url is None else without_query(origin_url),
        storage_key=kept.key,
    )
    assert row is not None  # noqa: S101 - the statement always returns its row
    return row


def plain_file_name(name: str | None) -> str | None:
    r"""The last part alone, without what could mislead; names are for people and never open a file.

    >>> plain_file_name("C:\\photos\\hero.png"), plain_file_name("../../etc/passwd")
    ('hero.png', 'passwd')
    >>> plain_file_name("a\r\nX-Evil: 1.png"), plain_file_name(".."), plain_file_name("")
    ('aX-Evil: 1.png', None, None)
    """
    last = PurePosixPath((name or "").replace("\\", "/")).name
    plain = clean_text(_UNPRINTABLE.sub("", last), LONGEST_FILE_NAME).strip()
    return None if plain in ("", ".", "..") else plain


def without_query(url: str) -> str:
    """The address as it may be kept: its query often holds a signature that opens it.

    >>> without_query("https://example.com/hero.png?signature=secret#top")
    'https://example.com/hero.png'
    """
    return clean_text(re.split("[?#]", url, maxsplit=1)[0])


def download_problem(error: DownloadFailed) -> str:
    """The stable word for a failed download, the same at the door and in a job."""
    if error.code == "bad_status":
        return f"media_status_{error.status}"
    return _DOWNLOAD_PROBLEMS[error.code]


_DOWNLOAD_PROBLEMS = {
    "url_not_allowed": "media_address_refused",
    "address_not_public": "media_address_refused",
    "redirect_refused": "media_redirected",
    "too_large": "media_too_large",
    "timed_out": "media_unreachable",
    "unreachable": "media_unreachable",
}

"""The bytes of a request's media: a stored asset, or an address that is fetched once for each job."""

import contextlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from common.asset_files import AssetFiles
from common.errors import Reject, Retry, StepError, Wait
from common.guarded_http import DownloadFailed, GuardedClient
from common.media_files import NotMedia
from common.tasks import watched
from models.assets import download_problem, store_asset
from models.database import AWAY, DATABASE_FAILURES, Pool
from models.gen import media_assets
from models.gen.rows import MediaAsset
from models.media import LARGEST_FOR_META, UNKNOWN_TO_META, Media, MediaKind
from workers.platforms.base import StoredMedia

type Save = Callable[[dict[str, Any]], Awaitable[None]]
type RequireWanted = Callable[[Pool], Awaitable[None]]

LOOK_SECONDS = 1.0
"""So often a download asks whether anybody still waits for it."""

_SAVED = "asset_id"
_WRONG_KIND: dict[MediaKind, Literal["media_not_an_image", "media_not_a_video"]] = {
    "image": "media_not_an_image",
    "video": "media_not_a_video",
}
_REMEDIES = {
    "media_address_refused": "Serve the file from a public https address, or upload it with POST "
    "/api/v1/assets.",
    "media_redirected": "Name the address that the redirect leads to.",
    "media_too_large": "Send a smaller file: images up to 30 MB, videos up to 4 GB.",
    "media_unreachable": "Check that the address can be reached from the Internet.",
}
_WITHOUT_DATABASE = (
    *AWAY,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.TransactionRollbackError,
)
"""No fault of the step's: that it could not be carried out now is none of its attempts."""
_WITHOUT_DATABASE_SECONDS = 2.0
_LATER_STATUSES = frozenset({408, 425, 429})


class Wanted(msgspec.Struct, frozen=True):
    """Which media entry a step asks for."""

    media: Media
    key: str
    kind: MediaKind
    team_id: UUID | None

    def pointer(self, field: str) -> str:
        """Where the entry stands in the request, as a JSON pointer.

        >>> Wanted(Media(), "a/b~c", "image", None).pointer("url")
        '/media/a~1b~0c/url'
        """
        return f"/media/{self.key.replace('~', '~0').replace('/', '~1')}/{field}"


class MediaSource:
    """Finds or fetches media. Its errors are Reject and Retry, pointing at the entry, and Wait."""

    def __init__(self, pool: Pool, files: AssetFiles, client: GuardedClient) -> None:
        self._pool = pool
        self._files = files
        self._client = client

    async def open(
        self,
        media: Media,
        *,
        key: str,
        expected_kind: MediaKind,
        team_id: UUID | None,
        save: Save,
        progress: Mapping[str, Any],
        require_wanted: RequireWanted,
    ) -> StoredMedia:
        """The bytes, complete in a local file, of the right kind and not too large.

        A download may take minutes: it ends as soon as `require_wanted` raises.

        What an address served is kept as an asset whose id is saved, so that a later run of the
        step, on whatever machine shares the files, reads the same bytes.
        """
        wanted = Wanted(media, key, expected_kind, team_id)
        try:
            return await self._open(wanted, media, save, progress, require_wanted)
        except _WITHOUT_DATABASE as error:
            raise Wait(
                f"the database cannot be asked now ({type(error).__name__})",
                code="database_away",
                reason="retry",
                seconds=_WITHOUT_DATABASE_SECONDS,
                remedy="Nothing; the job goes on by itself.",
            ) from error

    async def _open(
        self,
        wanted: Wanted,
        media: Media,
        save: Save,
        progress: Mapping[str, Any],
        require_wanted: RequireWanted,
    ) -> StoredMedia:
        if media.url is not None:
            fetch = partial(self._while_wanted, wanted, media.url, require_wanted)
            row = await self._fetched(wanted, fetch, save, progress)
            return await self._checked(wanted, row, "url")
        if media.asset_id is not None:
            row = await self._asset(wanted, media.asset_id)
            return await self._checked(wanted, row, "asset_id")
        raise Reject(
            "media cannot be generated in this release",
            code="generation_not_available",
            remedy="Name a file by url or asset_id.",
            pointer=wanted.pointer("generate"),
        )

    async def _asset(self, wanted: Wanted, asset_id: UUID) -> MediaAsset:
        row = await media_assets.get_media_asset(self._pool, id=asset_id, team_id=wanted.team_id)
        if row is None:
            raise Reject(
                "there is no such asset any more",
                code="asset_not_found",
                remedy="Upload the file again and send a request that names the new asset.",
                pointer=wanted.pointer("asset_id"),
            )
        return row

    async def _fetched(
        self,
        wanted: Wanted,
        fetch: Callable[[], Awaitable[MediaAsset]],
        save: Save,
        progress: Mapping[str, Any],
    ) -> MediaAsset:
        before = await self._saved(wanted, progress)
        if before is not None and await self._is_kept(before):
            return before
        row = await fetch()
        if before is not None and before.sha256 != row.sha256:
            raise Reject(
                "the address serves other bytes than when the job began, and those are gone",
                code="media_changed",
                remedy="Send the request as a new one, with a new Idempotency-Key.",
                pointer=wanted.pointer("url"),
            )
        await save({_SAVED: str(row.id)})
        return row

    async def _saved(self, wanted: Wanted, progress: Mapping[str, Any]) -> MediaAsset | None:
        if _SAVED not in progress:
            return None
        return await media_assets.get_media_asset(
            self._pool, id=UUID(progress[_SAVED]), team_id=wanted.team_id
        )

    async def _is_kept(self, row: MediaAsset) -> bool:
        try:
            await self._files.path(row.storage_key)
        except FileNotFoundError:
            return False
        return True

    async def _while_wanted(
        self, wanted: Wanted, url: str, require_wanted: RequireWanted
    ) -> MediaAsset:
        async def look() -> None:
            with contextlib.suppress(*DATABASE_FAILURES):  # it goes on: somebody may well wait
                await require_wanted(self._pool)

        return await watched(self._fetch(wanted, url), look, LOOK_SECONDS)

    async def _fetch(self, wanted: Wanted, url: str) -> MediaAsset:
        try:
            async with self._client.download(
                url, max_bytes=LARGEST_FOR_META[wanted.kind], asker=("media", wanted.team_id)
            ) as download:
                return await store_asset(
                    self._pool,
                    self._files,
                    download.chunks(),
                    team_id=wanted.team_id,
                    origin="url",
                    origin_url=url,
                    file_name=download.file_name,
                )
        except DownloadFailed as error:
            raise _failed(wanted, error) from error
        except NotMedia as error:
            raise _wrong_kind(wanted, "url", error.message) from error
        except _WITHOUT_DATABASE:
            raise  # some of these are errors of the system, too, and none of the disk
        except OSError as error:
            raise Retry(
                f"the media file could not be written: {error.strerror or type(error).__name__}",
                code="media_storage_failed",
                remedy="Make room where assets are kept.",
            ) from error

    async def _checked(self, wanted: Wanted, row: MediaAsset, field: str) -> StoredMedia:
        if row.kind != wanted.kind:
            raise _wrong_kind(wanted, field, f"it is {row.content_type}")
        if row.content_type in UNKNOWN_TO_META:
            raise Reject(
                f"Meta does not take {row.content_type}",
                code="media_type_not_taken",
                remedy="Send the image as PNG, JPEG or GIF.",
                pointer=wanted.pointer(field),
            )
        if row.size_bytes > LARGEST_FOR_META[wanted.kind]:
            raise Reject(
                f"the {wanted.kind} has {row.size_bytes:,} bytes",
                code="media_too_large",
                remedy=_REMEDIES["media_too_large"],
                pointer=wanted.pointer(field),
            )
        try:
            path = await self._files.path(row.storage_key)
        except FileNotFoundError:
            raise _missing(wanted, field) from None
        return StoredMedia(
            path=path,
            kind=wanted.kind,
            content_type=row.content_type,
            size_bytes=row.size_bytes,
            sha256=row.sha256.hex(),
            file_name=_name(wanted, row),
        )


def _name(wanted: Wanted, row: MediaAsset) -> str:
    """Platforms look at the ending, so one that is missing or not true gets the right one behind it."""
    given = row.file_name or wanted.kind
    is_true = mimetypes.guess_type(given)[0] == row.content_type
    return given if is_true else f"{given}{mimetypes.guess_extension(row.content_type) or ''}"


def _failed(wanted: Wanted, error: DownloadFailed) -> StepError:
    """A host that may do better later is asked again; everything else needs a person."""
    code, status = download_problem(error), error.status or 0
    remedy = _REMEDIES.get(code, "Check that the address serves the file to everybody.")
    place = wanted.pointer("url")
    if code == "media_unreachable" or status >= 500 or status in _LATER_STATUSES:
        return Retry(error.message, code=code, remedy=remedy, pointer=place)
    return Reject(
        error.message, code=code, remedy=remedy, pointer=place, retryable=error.code == "bad_status"
    )


def _wrong_kind(wanted: Wanted, field: str, reason: str) -> Reject:
    return Reject(
        f"the file is not an acceptable {wanted.kind}: {reason}",
        code=_WRONG_KIND[wanted.kind],
        remedy="Use a PNG or JPEG file."
        if wanted.kind == "image"
        else "Use an MP4 or MOV file with pictures in it.",
        pointer=wanted.pointer(field),
    )


def _missing(wanted: Wanted, field: str) -> Reject:
    return Reject(
        "the asset is known, but its bytes are not where assets are kept",
        code="asset_bytes_missing",
        remedy="Upload the file again, or give this worker the folder that the API stores files in.",
        pointer=wanted.pointer(field),
        retryable=True,
    )

"""/api/v1/assets: media files that requests name by id. What a file is, its bytes say."""

import contextlib
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import structlog
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import Meta

from common.asset_files import AssetFiles
from common.errors import Invalid, NotFound, Unavailable, UnsupportedMedia
from common.guarded_http import DownloadFailed, GuardedClient
from common.media_files import MediaKind, NotMedia
from models import audit
from models.assets import AssetPage, AssetView, NewAsset, asset_view, download_problem, store_asset
from models.gen import media_assets
from models.gen.rows import MediaAsset
from routes.access import actor_of, not_found, object_id
from routes.body import body_violations, parse_json, refuse, require_plain
from routes.paging import MOST_LOOKED_AT, begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.readable import readable
from routes.uploads import UploadedFile, limited, refuse_length

type Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\s)$")]

log = structlog.get_logger()

LONGEST_JSON = 1024 * 1024
_LATER_SECONDS = 30
_LONGEST_STORING_SECONDS = 90.0
"""The longest download, and what it takes to look into the file and keep it."""
_FILE_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "The file."}},
}
_BODIES = {
    "multipart/form-data": {"schema": _FILE_FORM},
    "application/json": {"schema": {"$ref": "#/components/schemas/NewAsset"}},
}


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """What these routes work with, handed to `create_app` as `assets`."""

    files: AssetFiles
    client: GuardedClient
    max_bytes: int = 1024**3
    download_seconds: float = 60.0
    """The longest that a caller waits for a file from an address."""


class AssetsQuery(Page, frozen=True, kw_only=True):
    """Which assets."""

    kind: Annotated[MediaKind | None, Meta(description="Of this kind.")] = None
    sha256: Annotated[Sha256 | None, Meta(description="With these bytes, by their hash.")] = None


@post(
    "/assets",
    status_code=201,
    request_max_body_size=None,  # files are counted as they arrive, against a limit of their own
    opt={
        "scope": "jobs:write",
        "body": NewAsset,
        "body_content": _BODIES,
        "patience_seconds": _LONGEST_STORING_SECONDS,
        "tells": ("Location",),
        "refusals": (400, 403, 413, 415, 422),
    },
)
async def create_asset(request: ApiRequest, parts: NamedDependency[Parts]) -> Response[AssetView]:
    """Stores a media file: the field `file` of a form, or what an address serves.

    Images (PNG, JPEG, GIF, WebP), videos (MP4, MOV) and audio (MP3, WAV, M4A) are taken. The same
    bytes sent twice make two assets and are kept once. Requests for Meta cannot name WebP.
    """
    require_plain(request)
    match request.content_type[0]:
        case "multipart/form-data":
            row = await _upload(request, parts)
        case "application/json" | "":
            row = await _fetch(request, parts)
        case _:
            raise UnsupportedMedia(
                "Send multipart/form-data with a field 'file', or application/json with a url.",
                code="unsupported_media_type",
                headers={"Accept": "multipart/form-data, application/json"},
            )
    view = asset_view(row, livemode=request.auth.mode == "live")
    await audit.record(parts.pool, actor_of(request), "media_asset.created", view.id, after=view)
    return Response(view, status_code=201, headers={"Location": f"/api/v1/assets/{view.id}"})


@readable(
    "/assets",
    opt={
        "scope": "jobs:read",
        "query": AssetsQuery,
        "tells": ("Link",),
        "refusals": (400, 403),
    },
)
async def list_assets(request: ApiRequest, parts: NamedDependency[Parts]) -> Response[AssetPage]:
    """Lists the team's assets, newest first.

    A page for which 10,000 assets were looked at and few of them, or none, are what was asked for holds
    fewer than its limit allows; `next_cursor` leads on.
    """
    query = read_query(request, AssetsQuery)
    before_id = begins_before(request, query)
    last_id = await _last_to_look_at(parts, request, query, before_id)
    rows = await media_assets.list_media_assets(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=before_id,
        from_id=last_id,
        kind=query.kind,
        sha256=None if query.sha256 is None else bytes.fromhex(query.sha256),
        page_size=query.limit + 1,
    )
    page = cut(request, query, rows, last_looked_at=last_id)
    livemode = request.auth.mode == "live"
    shown = [asset_view(row, livemode=livemode) for row in page.rows]
    return Response(AssetPage(shown, page.next_cursor, livemode), headers=page.headers)


@readable("/assets/{asset_id:str}", opt={"scope": "jobs:read", "refusals": (403, 404)})
async def get_asset(
    request: ApiRequest, parts: NamedDependency[Parts], asset_id: FromPath[str]
) -> AssetView:
    """Shows one asset."""
    row = await _find(request, parts, asset_id)
    return asset_view(row, livemode=request.auth.mode == "live")


@readable(
    "/assets/{asset_id:str}/content",
    opt={
        "scope": "jobs:read",
        "refusals": (403, 404),
        "answer_content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
)
async def get_asset_content(
    request: ApiRequest, parts: NamedDependency[Parts], asset_id: FromPath[str]
) -> Stream:
    """Sends the bytes of one asset."""
    row = await _find(request, parts, asset_id)
    assets: Assets = parts.assets
    try:
        if request.method == "HEAD":
            await assets.files.path(row.storage_key)
            blocks: AsyncIterator[bytes] | Iterator[bytes] = iter(())
        else:
            blocks = await assets.files.open(row.storage_key)
    except FileNotFoundError:
        raise NotFound(
            "The asset is known, but its bytes are not kept here any more; store it again.",
            code="asset_bytes_missing",
        ) from None
    return Stream(blocks, media_type=row.content_type, headers=_content_headers(row))


async def _last_to_look_at(
    parts: Parts, request: ApiRequest, query: AssetsQuery, before_id: UUID | None
) -> UUID | None:
    """None: all of them, because every one is shown or there are not so many."""
    if query.kind is None and query.sha256 is None:
        return None
    return await media_assets.get_last_asset_to_look_at(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=before_id,
        before_it=MOST_LOOKED_AT - 1,
    )


async def _upload(request: ApiRequest, parts: Parts) -> MediaAsset:
    assets: Assets = parts.assets
    file = UploadedFile(request, assets.max_bytes)
    await file.open()
    try:
        with _keeping():
            return await store_asset(
                parts.pool,
                assets.files,
                file.chunks(),
                team_id=request.auth.team_id,
                origin="upload",
                file_name=file.file_name,
            )
    except NotMedia as error:
        raise UnsupportedMedia(_sentence(error.message), code="not_media") from None


async def _fetch(request: ApiRequest, parts: Parts) -> MediaAsset:
    assets: Assets = parts.assets
    wanted = await _read_json(request)
    try:
        async with assets.client.download(
            wanted.url,
            max_bytes=assets.max_bytes,
            total_seconds=assets.download_seconds,
            asker=request.auth.team_id,
        ) as download:
            with _keeping():
                return await store_asset(
                    parts.pool,
                    assets.files,
                    download.chunks(),
                    team_id=request.auth.team_id,
                    origin="url",
                    origin_url=wanted.url,
                    file_name=download.file_name,
                )
    except DownloadFailed as error:
        raise _refused_url(download_problem(error), error.message) from None
    except NotMedia as error:
        raise _refused_url("not_media", error.message) from None


@contextlib.contextmanager
def _keeping() -> Generator[None]:
    """Around what writes files: a folder that is full or closed is no fault of the request, and may pass."""
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise  # of the database or of the caller
    except OSError as error:
        log.error("asset.not_kept", error=error.strerror or type(error).__name__)  # noqa: TRY400 - the reason says it all
        raise Unavailable(
            "The file cannot be kept just now; nothing was stored.",
            code="asset_not_kept",
            headers={"Retry-After": str(_LATER_SECONDS)},
        ) from error


async def _read_json(request: ApiRequest) -> NewAsset:
    refuse_length(request, LONGEST_JSON)
    document = parse_json(await _gather(limited(request, LONGEST_JSON)))
    refuse(body_violations(NewAsset, document))
    return msgspec.convert(document, NewAsset)


async def _gather(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _find(request: ApiRequest, parts: Parts, asset_id: str) -> MediaAsset:
    row = await media_assets.get_media_asset(
        parts.pool, id=object_id(asset_id, "asset"), team_id=request.auth.team_id
    )
    if row is None:
        raise not_found("asset")
    return row


def _content_headers(row: MediaAsset) -> dict[str, Any]:
    """A browser saves the file and never shows it as a page of ours."""
    name = quote(row.file_name or str(row.id), safe="")
    return {
        "Content-Length": str(row.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=86400, immutable",
    }


def _refused_url(code: str, message: str) -> Invalid:
    text = _sentence(message)
    return Invalid(text, code=code, errors=[{"pointer": "/url", "code": code, "message": text}])


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


routes = [create_asset, list_assets, get_asset, get_asset_content]

"""Images in one call; videos in chunks that go on where Meta says, then a wait until they are encoded."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from common.errors import Reject, Retry, Wait
from models.meta import CarouselCreative, Creative, VideoCreative
from workers.platforms.base import Done, StepContext, StoredMedia
from workers.platforms.meta import payloads
from workers.platforms.meta.calls import Graph, Refusal
from workers.platforms.meta.outcomes import error_data
from workers.platforms.meta.sdk import Sdk

log = structlog.get_logger()

OFFSET_MOVED = (6001, 1363037)
SESSION_GONE = {1363030, 1363019}
UNKNOWN_OBJECT = {100, 803}
BEGUN = {"in_progress", "complete", "error"}
ENCODING_POLL_SECONDS = 10.0
MOST_POLLS = int(timedelta(minutes=60).total_seconds() / ENCODING_POLL_SECONDS)
FRAME_SECONDS = 3600.0
"""How long an address of a frame is believed; those of Meta's own servers live for days."""
_STATUS_FIELDS = ["status", "thumbnails", "picture", "length"]


class MediaUploads:
    """Brings the bytes of media steps to Meta."""

    def __init__(self, graph: Graph, sdk: Sdk) -> None:
        self._graph = graph
        self._sdk = sdk

    async def image(self, context: StepContext) -> Done:
        """The hash is made of the content: the same bytes give the same hash, however often sent."""
        media = await context.media()
        content = await asyncio.to_thread(media.path.read_bytes)
        answer = await self._graph.send(
            context,
            self._sdk.images(context.account.platform_account_id),
            effect="repeatable",
            files={"filename": (media.file_name, content, media.content_type)},
        )
        images: Any = answer.get("images")
        first = next(iter(images.values()), None) if isinstance(images, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON of a stranger
        told: dict[str, Any] = first if isinstance(first, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # likewise
        return Done(_told(told, "hash"), {"url": told.get("url")})

    async def video(self, context: StepContext) -> Done:
        """Uploads what is missing, then returns when the video is ready; raises Wait until it is."""
        if not context.progress.get("finished"):
            await self._upload(context, await context.media())
        return await self._when_ready(context)

    async def with_current_frames(self, context: StepContext) -> StepContext:
        """The step of a creative, with addresses of frames that Meta still serves.

        They are signed for a while only, and a creative may be made long after its video: after a dead
        token, or when somebody asks for a retry. Within the hour they stay, so that a creative that
        is sent again is the same one to Meta.
        """
        current: dict[str, Done] = {}
        for key in _framed_videos(payloads.ad_of(context).creative):
            before = context.outcomes[f"media[{key}]"]
            if _is_stale(before.detail):
                frame = _frame(await self._shown(context, before.platform_id))
                if frame["thumbnail_url"]:
                    current[f"media[{key}]"] = Done(before.platform_id, frame)
        if not current:
            return context
        return msgspec.structs.replace(context, outcomes={**context.outcomes, **current})

    async def _upload(self, context: StepContext, media: StoredMedia) -> None:
        offsets = (0, 0)
        if is_resumed := context.progress.get("upload_session_id") is not None:
            if await self._is_ready(context):
                await context.save({"finished": True})
                return
        else:
            offsets = await self._begin(context, media)
        try:
            await self._transfer(context, media, *offsets)
            await self._finish(context, media)
        except Refusal as refusal:
            if not _is_gone(refusal, is_resumed=is_resumed):
                raise
            if not (is_resumed and await self._is_encoding(context)):
                log.warning("video.session_gone")
                await self._begin(context, media)
                raise Retry(
                    "Meta does not know the upload any more; it begins again",
                    code="upload_session_gone",
                    upstream=refusal.step_error.upstream,
                ) from None
        await context.save({"finished": True})

    async def _is_ready(self, context: StepContext) -> bool:
        """Whether the last call of an earlier try arrived long ago. That all bytes are there tells
        nothing of that call: without it nothing is encoded."""
        return (await self._seen(context)).get("video_status") == "ready"

    async def _is_encoding(self, context: StepContext) -> bool:
        """Whether that call arrived, for an upload that is over."""
        status = await self._seen(context)
        processing: Any = status.get("processing_phase") or {}
        return status.get("video_status") == "ready" or processing.get("status") in BEGUN

    async def _seen(self, context: StepContext) -> dict[str, Any]:
        """The state of the video, empty where Meta does not show one."""
        try:
            return (await self._status(context)).get("status") or {}
        except Refusal as refusal:
            if refusal.error.get("code") in UNKNOWN_OBJECT:
                return {}
            raise

    async def _begin(self, context: StepContext, media: StoredMedia) -> tuple[int, int]:
        answer = await self._phase(
            context, {"upload_phase": "start", "file_size": media.size_bytes}
        )
        offsets = _offsets(answer, media.size_bytes)
        await context.save(
            {
                "upload_session_id": _told(answer, "upload_session_id"),
                "video_id": _told(answer, "video_id"),
                "finished": False,
                "polls": 0,
            }
        )
        return offsets

    async def _transfer(
        self, context: StepContext, media: StoredMedia, start: int, end: int
    ) -> None:
        """Sends the chunks that Meta names. After a restart the first one is sent only to be told."""
        if end == 0:
            end = min(1, media.size_bytes)
        detours = 0
        while start != end:
            answer, is_detour = await self._chunk(context, media, start, end)
            wanted = _offsets(answer, media.size_bytes)
            detours += is_detour or wanted[0] <= start
            if detours > 2 + media.size_bytes // 10_000_000:
                raise Retry(
                    "Meta does not take the next bytes of the video", code="upload_offset_moved"
                )
            start, end = wanted

    async def _chunk(
        self, context: StepContext, media: StoredMedia, start: int, end: int
    ) -> tuple[dict[str, Any], bool]:
        """Which bytes Meta wants next, and whether it wanted others than these."""
        chunk = await asyncio.to_thread(_read, media, start, end)
        session = context.progress["upload_session_id"]
        try:
            answer = await self._phase(
                context,
                {"upload_phase": "transfer", "upload_session_id": session, "start_offset": start},
                {"video_file_chunk": (media.file_name, chunk, "application/octet-stream")},
            )
        except Refusal as refusal:
            wanted = _wanted_offsets(refusal)
            if wanted is None:
                raise
            return wanted, True
        return answer, False

    async def _finish(self, context: StepContext, media: StoredMedia) -> None:
        await self._phase(
            context,
            {
                "upload_phase": "finish",
                "upload_session_id": context.progress["upload_session_id"],
                "title": media.file_name[:254],
            },
        )

    async def _phase(
        self, context: StepContext, params: dict[str, Any], files: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        call = self._sdk.create("ad_video", context.account.platform_account_id, params)
        return await self._graph.send(
            context, call, effect="repeatable", files=files, video_host=True
        )

    async def _status(self, context: StepContext) -> dict[str, Any]:
        return await self._shown(context, str(context.progress["video_id"]))

    async def _shown(self, context: StepContext, video_id: str) -> dict[str, Any]:
        call = self._sdk.video(video_id, _STATUS_FIELDS)
        return await self._graph.send(context, call, effect="reads")

    async def _when_ready(self, context: StepContext) -> Done:
        video = await self._status(context)
        status: Any = video.get("status") or {}
        match status.get("video_status"):
            case "ready":
                return Done(str(context.progress["video_id"]), _frame(video))
            case "error" | "expired" | "upload_failed" as word:
                # of this upload nothing comes any more: a retry sends the bytes again
                await context.save({"upload_session_id": None, "finished": False})
                raise Reject(
                    f"Meta could not use the video ({word})",
                    code="video_encoding_failed",
                    remedy="Play the file; send it again in another format (MP4, H.264, AAC).",
                    upstream={"platform": "META", "message": str(status)},
                    pointer=f"/media/{context.step.media_key}",
                )
            case _:
                await self._wait_for_encoding(context)
        raise AssertionError  # the line above always raises

    async def _wait_for_encoding(self, context: StepContext) -> None:
        polls = int(context.progress.get("polls", 0)) + 1
        if polls > MOST_POLLS:
            await context.save({"polls": 0})
            raise Reject(
                "Meta has not finished encoding the video in an hour",
                code="video_encoding_timed_out",
                remedy="Ask for a retry: it looks again at the same video.",
                retryable=True,
                pointer=f"/media/{context.step.media_key}",
            )
        await context.save({"polls": polls})
        raise Wait(
            "Meta is encoding the video",
            code="media_processing",
            reason="media_processing",
            seconds=ENCODING_POLL_SECONDS,
        )


def _read(media: StoredMedia, start: int, end: int) -> bytes:
    with media.path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _is_gone(refusal: Refusal, *, is_resumed: bool) -> bool:
    """Whether Meta refuses the upload itself, which it may have finished or forgotten since."""
    error = refusal.error
    is_unknown = is_resumed and error.get("code") in UNKNOWN_OBJECT
    return is_unknown or error.get("error_subcode") in SESSION_GONE


def _wanted_offsets(refusal: Refusal) -> dict[str, Any] | None:
    """Where Meta wants the upload to go on; None when the error is about something else."""
    error = refusal.error
    if (error.get("code"), error.get("error_subcode")) != OFFSET_MOVED:
        return None
    data = error_data(error)
    return data if "start_offset" in data and "end_offset" in data else None


def _told(answer: dict[str, Any], name: str) -> str:
    """What Meta calls something; a null would be used like a name from here on."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Retry(f"Meta told no {name}", code="unreadable_answer")
    return str(value)


def _offsets(answer: dict[str, Any], size: int) -> tuple[int, int]:
    """Which bytes Meta wants next; backwards, or behind the end, there are none to send."""
    told = [_told(answer, name) for name in ("start_offset", "end_offset")]
    start, end = (int(text) if text.isascii() and text.isdigit() else -1 for text in told)
    if not 0 <= start <= min(end, size):
        raise Retry("Meta wants bytes that the video does not have", code="unreadable_answer")
    return start, end


def _frame(video: dict[str, Any]) -> dict[str, Any]:
    thumbnails: Any = (video.get("thumbnails") or {}).get("data") or []
    preferred = [t for t in thumbnails if t.get("is_preferred")] or thumbnails
    address = preferred[0].get("uri") if preferred else video.get("picture")
    return {"thumbnail_url": address, "thumbnail_at": int(datetime.now(UTC).timestamp())}


def _is_stale(frame: Mapping[str, Any]) -> bool:
    age = datetime.now(UTC).timestamp() - int(frame.get("thumbnail_at") or 0)
    return not frame.get("thumbnail_url") or age > FRAME_SECONDS


def _framed_videos(creative: Creative) -> Iterator[str]:
    """Videos that are shown with a frame of Meta's choice."""
    match creative:
        case VideoCreative(thumbnail=None):
            yield creative.video
        case CarouselCreative():
            yield from {card.video for card in creative.cards if card.video is not None}
        case _:
            return

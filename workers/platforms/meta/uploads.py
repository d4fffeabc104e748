"""The bytes of a video, in chunks that go on where Meta says, over as many turns as they take."""

from typing import Any

import structlog

from common.errors import Retry, Wait
from workers.platforms.base import StepContext, StoredMedia
from workers.platforms.meta.calls import Graph, Refusal, require_success
from workers.platforms.meta.files import SentFile
from workers.platforms.meta.outcomes import error_data
from workers.platforms.meta.sdk import Sdk
from workers.platforms.meta.strangers import mapping, named, text
from workers.platforms.meta.turns import Turn

log = structlog.get_logger()

OFFSET_MOVED = (6001, 1363037)
SESSION_GONE = {1363030, 1363019}
UNKNOWN_OBJECT = {100, 803}
BEGUN = {"in_progress", "complete", "error"}
LARGEST_CHUNK = 64 * 1024**2
"""Bytes. Meta says how many it wants, mostly some megabytes; what is sent has its time (SLOWEST_UPLOAD)."""
_BYTES = "application/octet-stream"
_STATUS_FIELDS = ["status", "thumbnails", "picture", "length"]


class ChunkedUpload:
    """Sends what is missing of a video."""

    def __init__(self, graph: Graph, sdk: Sdk) -> None:
        self._graph = graph
        self._sdk = sdk

    async def shown(self, context: StepContext, video_id: str) -> dict[str, Any]:
        """The video as Meta shows it."""
        call = self._sdk.video(video_id, _STATUS_FIELDS)
        return await self._graph.send(context, call, effect="reads")

    async def run(self, context: StepContext, media: StoredMedia) -> None:
        """Until Meta has everything. Raises Wait when the turn is over."""
        if is_resumed := context.progress.get("upload_session_id") is not None:
            if await self._is_ready(context):
                await context.save({"finished": True})
                return
            following = _following(context)
        else:
            following = await self._begin(context, media)
        turn = Turn()
        try:
            await self._transfer(context, media, following, turn)
            await self._finish(context, media)
        except Retry as error:
            raise turn.met(error) from None
        except Refusal as refusal:
            if not _is_gone(refusal, is_resumed=is_resumed):
                raise turn.met(refusal) from None
            if not (is_resumed and await self._is_encoding(context)):
                await self._begin_again(context, media, refusal)
        await context.save({"finished": True})

    async def _is_ready(self, context: StepContext) -> bool:
        """Whether the last call of an earlier try arrived long ago. That all bytes are there tells
        nothing of that call: without it nothing is encoded."""
        return (await self._seen(context)).get("video_status") == "ready"

    async def _is_encoding(self, context: StepContext) -> bool:
        """Whether that call arrived, for an upload that is over."""
        status = await self._seen(context)
        phase = text(mapping(status.get("processing_phase")).get("status"))
        return status.get("video_status") == "ready" or phase in BEGUN

    async def _seen(self, context: StepContext) -> dict[str, Any]:
        """The state of the video, empty where Meta does not show one."""
        try:
            video = await self.shown(context, str(context.progress["video_id"]))
        except Refusal as refusal:
            if refusal.code in UNKNOWN_OBJECT:
                return {}
            raise
        return mapping(video.get("status"))

    async def _begin(self, context: StepContext, media: StoredMedia) -> tuple[int, int]:
        answer = await self._phase(
            context, {"upload_phase": "start", "file_size": media.size_bytes}
        )
        offsets = _offsets(answer, media.size_bytes)
        await context.save(
            {
                "upload_session_id": named(answer, "upload_session_id"),
                "video_id": named(answer, "video_id"),
                "following": None,
                "furthest": 0,
                "finished": False,
                "polls": 0,
            }
        )
        return offsets

    async def _begin_again(
        self, context: StepContext, media: StoredMedia, refusal: Refusal
    ) -> None:
        log.warning("video.session_gone")
        await self._begin(context, media)
        raise Retry(
            "Meta does not know the upload any more; it begins again",
            code="upload_session_gone",
            upstream=refusal.step_error.upstream,
        ) from None

    async def _transfer(
        self, context: StepContext, media: StoredMedia, following: tuple[int, int], turn: Turn
    ) -> None:
        """Sends the chunks that Meta names. Where none is known a byte is sent only to be told."""
        start, end = following if following[1] else (0, min(1, media.size_bytes))
        furthest, detours = int(context.progress.get("furthest") or 0), 0
        while start != end:
            answer, is_detour = await self._chunk(context, media, start, end)
            wanted = _offsets(answer, media.size_bytes)
            detours += is_detour or wanted[0] <= start
            if detours > 2 + media.size_bytes // 10_000_000:
                raise Retry(
                    "Meta does not take the next bytes of the video", code="upload_offset_moved"
                )
            start, end = wanted
            turn.has_moved |= start > furthest
            furthest = max(furthest, start)
            await context.save({"following": [start, end], "furthest": furthest})
            if start != end and turn.is_over:
                raise _to_be_continued(start, media)

    async def _chunk(
        self, context: StepContext, media: StoredMedia, start: int, end: int
    ) -> tuple[dict[str, Any], bool]:
        """Which bytes Meta wants next, and whether it wanted others than these."""
        size = min(end, start + LARGEST_CHUNK, media.size_bytes) - start
        session = context.progress["upload_session_id"]
        try:
            answer = await self._phase(
                context,
                {"upload_phase": "transfer", "upload_session_id": session, "start_offset": start},
                SentFile("video_file_chunk", media.path, size, media.file_name, _BYTES, start),
            )
        except Refusal as refusal:
            wanted = _wanted_offsets(refusal)
            if wanted is None:
                raise
            return wanted, True
        return answer, False

    async def _finish(self, context: StepContext, media: StoredMedia) -> None:
        answer = await self._phase(
            context,
            {
                "upload_phase": "finish",
                "upload_session_id": context.progress["upload_session_id"],
                "title": media.file_name[:254],
            },
        )
        require_success(answer)

    async def _phase(
        self, context: StepContext, params: dict[str, Any], file: SentFile | None = None
    ) -> dict[str, Any]:
        call = self._sdk.create("ad_video", context.account.platform_account_id, params)
        return await self._graph.send(
            context, call, effect="repeatable", file=file, video_host=True
        )


def _following(context: StepContext) -> tuple[int, int]:
    """The bytes that an earlier turn would have sent next. That all are there is worth asking again."""
    start, end = context.progress.get("following") or (0, 0)
    return (start, end) if start != end else (0, 0)


def _to_be_continued(sent: int, media: StoredMedia) -> Wait:
    return Wait(
        f"{sent:,} of {media.size_bytes:,} bytes of the video are sent",
        code="uploading",
        reason="not_ready",
        seconds=0,
        remedy="Nothing; the job goes on by itself.",
    )


def _is_gone(refusal: Refusal, *, is_resumed: bool) -> bool:
    """Whether Meta refuses the upload itself, which it may have finished or forgotten since."""
    is_unknown = is_resumed and refusal.code in UNKNOWN_OBJECT
    return is_unknown or refusal.subcode in SESSION_GONE


def _wanted_offsets(refusal: Refusal) -> dict[str, Any] | None:
    """Where Meta wants the upload to go on; None when the error is about something else."""
    if (refusal.code, refusal.subcode) != OFFSET_MOVED:
        return None
    data = error_data(refusal.error)
    return data if "start_offset" in data and "end_offset" in data else None


def _offsets(answer: dict[str, Any], size: int) -> tuple[int, int]:
    """Which bytes Meta wants next; backwards, or behind the end, there are none to send."""
    told = [named(answer, name) for name in ("start_offset", "end_offset")]
    start, end = (int(text) if text.isascii() and text.isdigit() else -1 for text in told)
    if not 0 <= start <= min(end, size):
        raise Retry("Meta wants bytes that the video does not have", code="unreadable_answer")
    return start, end

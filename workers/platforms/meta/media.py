"""Images in one call; videos in chunks, then a wait until they are encoded; the frames of those."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from common.errors import Reject, Retry, Wait
from models.meta import CarouselCreative, Creative, VideoCreative
from workers.platforms.base import Done, StepContext
from workers.platforms.meta import payloads
from workers.platforms.meta.calls import Graph
from workers.platforms.meta.files import SentFile
from workers.platforms.meta.sdk import Sdk
from workers.platforms.meta.strangers import mapping, mappings, named, text
from workers.platforms.meta.uploads import ChunkedUpload

ENCODING_POLL_SECONDS = 10.0
MOST_POLLS = int(timedelta(minutes=60).total_seconds() / ENCODING_POLL_SECONDS)
FRAME_SECONDS = 3600.0
"""How long an address of a frame is believed; those of Meta's own servers live for days."""


class MediaUploads:
    """Brings the bytes of media steps to Meta."""

    def __init__(self, graph: Graph, sdk: Sdk) -> None:
        self._graph = graph
        self._sdk = sdk
        self._upload = ChunkedUpload(graph, sdk)

    async def image(self, context: StepContext) -> Done:
        """The hash is made of the content: the same bytes give the same hash, however often sent."""
        media = await context.media()
        answer = await self._graph.send(
            context,
            self._sdk.images(context.account.platform_account_id),
            effect="repeatable",
            file=SentFile(
                "filename", media.path, media.size_bytes, media.file_name, media.content_type
            ),
        )
        told = mapping(next(iter(mapping(answer.get("images")).values()), None))
        return Done(named(told, "hash"), {"url": text(told.get("url"))})

    async def video(self, context: StepContext) -> Done:
        """Uploads what is missing, then returns when the video is ready; raises Wait until it is."""
        if not context.progress.get("finished"):
            await self._upload.run(context, await context.media())
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
                frame = _frame(await self._upload.shown(context, before.platform_id))
                if frame["thumbnail_url"]:
                    current[f"media[{key}]"] = Done(before.platform_id, frame)
                elif not before.detail.get("thumbnail_url"):
                    raise _without_frame(key)
        if not current:
            return context
        return msgspec.structs.replace(context, outcomes={**context.outcomes, **current})

    async def _when_ready(self, context: StepContext) -> Done:
        video_id = str(context.progress["video_id"])
        video = await self._upload.shown(context, video_id)
        status = mapping(video.get("status"))
        match status.get("video_status"):
            case "ready":
                return Done(video_id, _frame(video))
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


def _without_frame(key: str) -> Retry:
    """Meta refuses a creative without one for good, and makes frames beside the video."""
    return Retry(
        "Meta shows no frame of the video yet",
        code="video_frame_missing",
        remedy="Ask for a retry later, or send a new request that names a thumbnail of its own.",
        pointer=f"/media/{key}",
    )


def _frame(video: dict[str, Any]) -> dict[str, Any]:
    frames = mappings(mapping(video.get("thumbnails")).get("data"))
    frames.sort(key=lambda frame: not frame.get("is_preferred"))
    offered = [*(text(frame.get("uri")) for frame in frames), text(video.get("picture"))]
    address = next((address for address in offered if address), None)
    return {"thumbnail_url": address, "thumbnail_at": int(datetime.now(UTC).timestamp())}


def _is_stale(frame: Mapping[str, Any]) -> bool:
    age = datetime.now(UTC).timestamp() - int(frame.get("thumbnail_at") or 0)
    # another machine's clock may have told a moment that lies ahead
    return not frame.get("thumbnail_url") or not 0 <= age <= FRAME_SECONDS


def _framed_videos(creative: Creative) -> Iterator[str]:
    """Videos that are shown with a frame of Meta's choice."""
    match creative:
        case VideoCreative(thumbnail=None):
            yield creative.video
        case CarouselCreative():
            yield from {card.video for card in creative.cards if card.video is not None}
        case _:
            return

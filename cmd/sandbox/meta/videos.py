"""Videos: kept, encoded over the sandbox's clock, and shown."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from common.video_boxes import BrokenVideo, Video, read_video
from sandbox.meta import uploads
from sandbox.meta.asking import ENCODING_SECONDS, Ask, Result, video_status
from sandbox.meta.errors import MetaError, parameter
from sandbox.meta.wire import Sent, SentFile
from sandbox.objects import Record

LARGEST_AT_ONCE = 1024**3
TITLE_LIMIT = 255
FETCH_SECONDS = 10.0
THUMBNAILS = 3
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PHASE = {"processing": "in_progress", "ready": "complete", "error": "error"}


def upload(ask: Ask) -> Result:
    """One call of an upload: a phase of the chunked protocol, or everything at once."""
    match ask.params.get("upload_phase"):
        case "start":
            return uploads.start(ask)
        case "transfer":
            return uploads.transfer(ask)
        case "finish":
            return _finish(ask)
        case "cancel":
            return uploads.cancel(ask)
        case None:
            return _at_once(ask)
        case other:
            raise parameter("upload_phase", f"Unknown upload phase {other}")


async def fetch(sent: Sent) -> None:
    """Puts what `file_url` names among the files; from this machine only, and silent when it fails."""
    url = sent.params.get("file_url")
    if not isinstance(url, str) or urlsplit(url).hostname not in _LOOPBACK:
        return
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=FETCH_SECONDS) as client:
            answer = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return
    if answer.status_code == 200:
        sent.files.append(SentFile("source", url.rsplit("/", 1)[-1], answer.content))


def thumbnail_addresses(ask: Ask, video: Record) -> list[str]:
    """Frames that can be fetched, once there are some."""
    base = f"{ask.sent.base}/meta/files/thumbnails/{video.id}"
    return [f"{base}-{number}.jpg" for number in range(THUMBNAILS)]


def _at_once(ask: Ask) -> Result:
    file = next((f for f in ask.sent.files if f.field == "source"), None)
    if file is None and "file_url" in ask.params:
        raise MetaError(389, "(#389) Unable to fetch video file from URL.")
    if file is None:
        raise parameter("source", "A video file must be given")
    if len(file.content) < uploads.SMALLEST_BYTES:
        raise uploads.too_small(382)
    if len(file.content) > LARGEST_AT_ONCE:
        raise uploads.too_large()
    video_id = ask.state.store.new_id()
    ask.state.pieces.add(uploads.owner(video_id), 0, file.content)
    _add(ask, video_id, file.content, file.name)
    return Result({"id": video_id}, "created", video_id)


def _finish(ask: Ask) -> Result:
    """Makes the video of what was received; once, however often it is asked for."""
    upload = uploads.complete(ask)
    if upload is not None:
        content = ask.state.pieces.read(uploads.owner(upload.video_id))
        _add(ask, upload.video_id, content, "video")
        uploads.end(ask, upload)
        return Result({"success": True}, "created", upload.video_id)
    return Result({"success": True}, object_id=uploads.asked(ask).video_id)


def _add(ask: Ask, video_id: str, content: bytes, file_name: str) -> None:
    title = str(ask.params.get("title") or ask.params.get("name") or file_name)
    if len(title) >= TITLE_LIMIT:
        raise parameter("title", f"The title must be shorter than {TITLE_LIMIT} characters")
    found = _read(content)
    fields: dict[str, Any] = {
        "title": title,
        "description": ask.params.get("description"),
        "size": len(content),
        "is_video": found is not None,
        "width": found.width if found else None,
        "height": found.height if found else None,
        "seconds": found.duration_seconds if found else None,
    }
    ask.add("video", title, fields, object_id=video_id)


def _read(content: bytes) -> Video | None:
    """None for what has no picture."""
    try:
        found = read_video(io.BytesIO(content))
    except BrokenVideo:
        return None
    return found if found.width else None


def _status(ask: Ask, video: Record) -> dict[str, Any]:
    word = video_status(video, ask.now)
    done = min(100, int(100 * (ask.now - video.created_at) / ENCODING_SECONDS))
    status: dict[str, Any] = {
        "video_status": word,
        "processing_progress": done,
        "uploading_phase": {"status": "complete"},
        "processing_phase": {"status": _PHASE[word]},
        "publishing_phase": {"status": "complete" if word == "ready" else "not_started"},
    }
    if word == "error":
        message = "The video file could not be read. Please try again with another file."
        status["processing_phase"]["errors"] = [{"code": 1363031, "message": message}]
    return status


def _thumbnails(ask: Ask, video: Record) -> dict[str, Any] | None:
    if video_status(video, ask.now) != "ready":
        return None
    frames = [
        {
            "id": f"{video.id}{number}",
            "uri": uri,
            "is_preferred": number == 0,
            "width": video.fields["width"],
            "height": video.fields["height"],
            "scale": 1,
        }
        for number, uri in enumerate(thumbnail_addresses(ask, video))
    ]
    return {"data": frames}


def _picture(ask: Ask, video: Record) -> str:
    if video_status(video, ask.now) != "ready":
        return f"{ask.sent.base}/meta/files/placeholder.png"
    return thumbnail_addresses(ask, video)[0]


def _length(ask: Ask, video: Record) -> float | None:
    is_ready = video_status(video, ask.now) == "ready"
    return (video.fields["seconds"] or 0.0) if is_ready else None


FIELDS: dict[str, Callable[[Ask, Record], Any]] = {
    "status": _status,
    "thumbnails": _thumbnails,
    "picture": _picture,
    "length": _length,
    "title": lambda _, video: video.name,
    "source": lambda ask, video: f"{ask.sent.base}/meta/files/videos/{video.id}.mp4",
    "published": lambda ask, video: video_status(video, ask.now) == "ready",
}
"""What is computed rather than kept."""

"""Chunked uploads: the sandbox says which bytes it wants next, and keeps them until the end."""

from typing import Any

import msgspec

from sandbox.meta.asking import Ask, Result
from sandbox.meta.errors import MetaError, parameter
from sandbox.meta.wire import whole_number

CHUNK_BYTES = 1024 * 1024
SMALLEST_BYTES = 1024
LARGEST_BYTES = 4 * 1024**3
LIFE_SECONDS = 24 * 3600.0
_TRY_AGAIN = "There was a problem uploading your video file. Please try uploading it again."


class Upload(msgspec.Struct, frozen=True):
    """One session."""

    id: str
    account: str
    video_id: str
    size: int
    received: int
    state: str
    started_at: float


def start(ask: Ask) -> Result:
    """Promises the id of the video; there is none before the upload is finished."""
    size = whole_number(ask.params, "file_size")
    if size < SMALLEST_BYTES:
        raise too_small(6000)
    if size > LARGEST_BYTES:
        raise too_large()
    session_id, video_id = ask.state.store.new_id(), ask.state.store.new_id()
    ask.state.store.connection.execute(
        "insert into uploads values (?, ?, ?, ?, 0, 'open', ?)",
        (session_id, ask.account.id, video_id, size, ask.now),
    )
    offsets = _offsets(0, size)
    return Result({"upload_session_id": session_id, "video_id": video_id, **offsets})


def transfer(ask: Ask) -> Result:
    """Takes the chunk that was asked for, and names the next."""
    upload = asked(ask)
    offset = whole_number(ask.params, "start_offset")
    chunk = next((f.content for f in ask.sent.files if f.field == "video_file_chunk"), None)
    if chunk is None:
        raise parameter("video_file_chunk", "No video selected", 1363020)
    left = upload.size - upload.received
    if offset != upload.received or not chunk or len(chunk) > left or upload.state != "open":
        raise _elsewhere(upload)
    ask.state.pieces.add(owner(upload.video_id), upload.received, chunk)
    received = upload.received + len(chunk)
    ask.state.store.connection.execute(
        "update uploads set received = ? where id = ?", (received, upload.id)
    )
    return Result(_offsets(received, upload.size), object_id=upload.video_id)


def complete(ask: Ask) -> Upload | None:
    """The session that can be finished now; None for one that was finished before."""
    upload = asked(ask)
    if upload.state == "finished":
        return None
    if upload.received != upload.size:
        raise _elsewhere(upload)
    return upload


def end(ask: Ask, upload: Upload) -> None:
    """The video exists from here on."""
    ask.state.store.connection.execute(
        "update uploads set state = 'finished' where id = ?", (upload.id,)
    )


def cancel(ask: Ask) -> Result:
    """Forgets what was received."""
    upload = asked(ask)
    if upload.state == "finished":
        raise _unknown()
    ask.state.pieces.remove(owner(upload.video_id))
    ask.state.store.connection.execute("delete from uploads where id = ?", (upload.id,))
    return Result({"success": True}, object_id=upload.video_id)


def asked(ask: Ask) -> Upload:
    """The session that the call names."""
    row = ask.state.store.connection.execute(
        "select * from uploads where id = ? and account = ?",
        (str(ask.params.get("upload_session_id")), ask.account.id),
    ).fetchone()
    if row is None:
        raise _unknown()
    upload = Upload(**dict(row))
    if upload.state == "open" and ask.now > upload.started_at + LIFE_SECONDS:
        raise MetaError(
            6000, "Video Upload Timeout. The upload was not completed in time.", subcode=1363030
        )
    return upload


def owner(video_id: str) -> str:
    """Under which name the bytes are kept."""
    return f"video:{video_id}"


def too_small(code: int) -> MetaError:
    """Below a kilobyte nothing is a video."""
    return MetaError(
        code,
        f"(#{code}) The video file you tried to upload is too small. The minimum size for a video "
        "is 1 KB. Please try again with a larger file.",
        subcode=1363022,
    )


def too_large() -> MetaError:
    """More than the platform takes."""
    return MetaError(6000, "(#6000) The video you tried to upload is too large.", subcode=1363023)


def _elsewhere(upload: Upload) -> MetaError:
    """Not flagged as transient, though the same call with these offsets goes through."""
    return MetaError(6001, _TRY_AGAIN, subcode=1363037, data=_offsets(upload.received, upload.size))


def _unknown() -> MetaError:
    return MetaError(6000, _TRY_AGAIN, subcode=1363019)


def _offsets(received: int, size: int) -> dict[str, Any]:
    end_offset = min(received + CHUNK_BYTES, size)
    return {"start_offset": str(received), "end_offset": str(end_offset)}

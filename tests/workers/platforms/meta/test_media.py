"""Chunked uploads that were interrupted, or whose platform does not move on."""

import asyncio
import contextlib
import json
import re

import pytest

from common.errors import Reject, Retry, Wait
from tests.workers.platforms.meta.conftest import request_with
from workers.platforms.base import StoredMedia
from workers.platforms.meta.calls import Addresses, Graph, Refusal
from workers.platforms.meta.media import MOST_POLLS, MediaUploads
from workers.platforms.meta.sdk import Sdk

SIZE = 10
CREATIVE = {"type": "video", "page_id": "7", "video": "clip", "link": "https://example.com"}
PHASE = re.compile(rb"upload_phase(?:=|\"\r\n\r\n)(\w+)")
OFFSET = re.compile(rb"start_offset(?:=|\"\r\n\r\n)(\d+)")


class VideoHost:
    """Shows a video from the first byte on, as a place where uploads are watched does."""

    def __init__(self, received=0):
        self.phases = []
        self.received = received
        self.is_finished = False
        self.takes_bytes = True
        self.refuses = None
        self.state = "ready"

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(found[1])) if found else b""
            answer = json.dumps(self.answer(body)).encode()
            length = f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\n" + length.encode() + answer)
            await writer.drain()
        writer.close()

    def answer(self, body):
        phase = PHASE.search(body)
        if phase is None:
            return self.status()
        self.phases.append(phase[1].decode())
        if self.refuses is not None and self.phases[-1] != "start":
            return {"error": {"message": "gone", **self.refuses}}
        if self.phases[-1] == "finish":
            self.is_finished = True
            return {"success": True}
        if self.phases[-1] == "transfer" and self.takes_bytes:
            if int(OFFSET.search(body)[1]) != self.received:
                return {"error": {"code": 6001, "error_subcode": 1363037, **self.wanted()}}
            self.received = SIZE
        return {"upload_session_id": "5", "video_id": "20", **self.offsets()}

    def offsets(self):
        return {"start_offset": str(self.received), "end_offset": str(SIZE)}

    def wanted(self):
        return {"message": "elsewhere", "error_data": self.offsets()}

    def status(self):
        is_whole = self.received == SIZE or self.is_finished
        phases = {
            "uploading_phase": {
                "status": "complete" if is_whole else "in_progress",
                "bytes_transferred": self.received,
            },
            "processing_phase": {"status": "in_progress" if self.is_finished else "not_started"},
        }
        word = self.state if self.is_finished else "processing"
        return {"status": {"video_status": word, **phases}, "picture": "https://cdn/p.png"}


@pytest.fixture
async def host():
    host = VideoHost()
    listening = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = listening.sockets[0].getsockname()[1]
    yield host
    listening.close()


@pytest.fixture
async def upload(host, context, tmp_path):
    """Runs the step with what an earlier run saved."""
    url = f"http://127.0.0.1:{host.port}"
    graph = Graph(Addresses(url, url, url))
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(SIZE))

    async def media():
        return StoredMedia(file, "video", "video/mp4", SIZE, "", "clip.mp4")

    async def run(kept=None, **saved):
        progress = saved if kept is None else kept

        async def save(more):
            progress.update(more)

        request = request_with(CREATIVE, media={"clip": {"url": "https://e.com/c"}})
        step = context("media[clip]", request, progress=progress, save=save, media=media)
        return await MediaUploads(graph, Sdk("v26.0")).video(step)

    yield run
    await graph.close()


async def test_an_upload_goes_from_the_first_byte_to_a_video_that_is_ready(host, upload):
    done = await upload()

    assert done.platform_id == "20"
    assert host.phases == ["start", "transfer", "finish"]


async def test_a_video_that_can_be_seen_while_its_bytes_are_missing_is_uploaded_to_its_end(
    host, upload
):
    host.received = 4

    done = await upload(upload_session_id="5", video_id="20", finished=False, polls=0)

    assert done.platform_id == "20"
    assert host.phases == ["transfer", "transfer", "finish"]


async def test_an_upload_whose_last_call_arrived_is_not_sent_again(host, upload):
    host.is_finished = True

    done = await upload(upload_session_id="5", video_id="20", finished=False, polls=0)

    assert done.platform_id == "20"
    assert host.phases == []


async def test_a_platform_that_takes_bytes_and_never_moves_on_is_not_sent_them_for_ever(
    host, upload
):
    host.takes_bytes = False

    async with asyncio.timeout(30):
        with pytest.raises(Retry) as stuck:
            await upload()

    assert stuck.value.code == "upload_offset_moved"
    assert len(host.phases) < 8


UNDER_WAY = {"upload_session_id": "5", "video_id": "20", "finished": False, "polls": 0}


async def test_an_upload_whose_bytes_are_all_there_is_finished_by_the_call_that_is_missing(
    host, upload
):
    host.received = SIZE

    done = await upload(**UNDER_WAY)

    assert done.platform_id == "20"
    assert host.phases == ["transfer", "finish"]


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": 6000, "error_subcode": 1363019},
        {"code": 6001, "error_subcode": 1363030},
        {"code": 100},
    ],
    ids=str,
)
async def test_an_upload_that_was_finished_and_forgotten_is_waited_for_and_not_sent_again(
    host, upload, refusal
):
    host.is_finished, host.refuses, host.state = True, refusal, "processing"
    kept = dict(UNDER_WAY)

    with pytest.raises(Wait) as encoding:
        await upload(kept)

    assert encoding.value.reason == "media_processing"
    assert host.phases == ["transfer"]
    assert kept["finished"]


@pytest.mark.parametrize("code", [100, 6000])
async def test_an_upload_that_was_forgotten_unfinished_begins_again(host, upload, code):
    host.received, host.refuses = 4, {"code": code, "error_subcode": 1363019}
    kept = dict(UNDER_WAY)
    with pytest.raises(Retry) as gone:
        await upload(kept)
    host.received, host.refuses = 0, None

    done = await upload(kept)

    assert gone.value.code == "upload_session_gone"
    assert done.platform_id == "20"
    assert host.phases == ["transfer", "start", "transfer", "finish"]


async def test_a_refusal_of_a_new_upload_is_told_as_it_is(host, upload):
    host.refuses = {"code": 100}

    with pytest.raises(Refusal):
        await upload()

    assert host.phases == ["start", "transfer"]


@pytest.mark.parametrize("word", ["error", "expired", "upload_failed"])
async def test_a_video_that_came_to_nothing_is_sent_again_when_a_retry_is_asked_for(
    host, upload, word
):
    host.is_finished, host.state = True, word
    kept = {**UNDER_WAY, "finished": True}
    with pytest.raises(Reject) as failed:
        await upload(kept)
    host.state = "ready"

    done = await upload(kept)

    assert failed.value.code == "video_encoding_failed"
    assert done.platform_id == "20"
    assert host.phases == ["start", "transfer", "finish"]


async def test_a_retry_waits_for_a_slow_video_once_more(host, upload):
    host.is_finished, host.state = True, "processing"
    kept = {**UNDER_WAY, "finished": True, "polls": MOST_POLLS}
    with pytest.raises(Reject) as slow:
        await upload(kept)

    with pytest.raises(Wait) as again:
        await upload(kept)

    assert slow.value.code == "video_encoding_timed_out"
    assert again.value.reason == "media_processing"
    assert host.phases == []

"""Uploads of many chunks: they go over several turns, and what Meta has is not sent again."""

import json
import re
from pathlib import Path

import pytest

from common.errors import Retry, Wait
from tests.workers.platforms.meta.conftest import request_with
from tests.workers.platforms.meta.hosts import Host, hosted
from workers.platforms.base import Done, StoredMedia
from workers.platforms.meta import calls, turns, uploads

CREATIVE = {"type": "video", "page_id": "7", "video": "clip", "link": "https://example.com"}
SIZE = 10
CONTENT = b"0123456789"
PHASE = re.compile(rb"upload_phase(?:=|\"\r\n\r\n)(\w+)")
OFFSET = re.compile(rb"start_offset\"\r\n\r\n(\d+)")
CHUNK = re.compile(rb"octet-stream\r\n\r\n(.*?)\r\n--", re.DOTALL)


class Videos(Host):
    """Asks for two bytes at a time, and keeps what it was sent."""

    def __init__(self):
        super().__init__(self.answer)
        self.received = b""
        self.offsets = []
        self.chunk = 2
        self.says = {}
        """Instead of what it would say, by phase or number of the chunk."""
        self.finished = False

    def answer(self, *_):
        phase = PHASE.search(self.body)
        if phase is None:
            return {"status": {"video_status": "ready"} if self.finished else {}}
        match phase[1]:
            case b"finish":
                self.finished = "finish" not in self.says
                return self.says.get("finish", {"success": True})
            case b"transfer":
                return self.transfer()
            case _:
                return {"upload_session_id": "5", "video_id": "20", **self.wanted()}

    def transfer(self):
        offset = int(OFFSET.search(self.body)[1])
        self.offsets.append(offset)
        if offset == len(self.received):
            self.received += CHUNK.search(self.body)[1]
        elif len(self.offsets) not in self.says:
            error = {"code": 6001, "error_subcode": 1363037, "error_data": self.wanted()}
            return 400, json.dumps({"error": error})
        return self.says.get(len(self.offsets), self.wanted())

    def wanted(self):
        start = len(self.received)
        return {"start_offset": str(start), "end_offset": str(min(start + self.chunk, SIZE))}


@pytest.fixture
def upload(context, tmp_path: Path):
    """The step with what earlier turns saved."""
    file = tmp_path / "clip.mp4"
    file.write_bytes(CONTENT)

    def make(progress):
        async def media():
            return StoredMedia(file, "video", "video/mp4", SIZE, "", "clip.mp4")

        async def save(more):
            progress.update(more)

        request = request_with(CREATIVE, media={"clip": {"url": "https://e.com/c"}})
        return context("media[clip]", request, progress=progress, save=save, media=media)

    return make


async def test_a_long_upload_goes_over_several_turns(upload, monkeypatch):
    """Between them its job can be cancelled."""
    monkeypatch.setattr(turns, "LONGEST_TURN_SECONDS", 0.0)
    videos, progress, waits = Videos(), {}, []

    async with hosted(videos) as meta:
        for _ in range(4):
            with pytest.raises(Wait) as wait:
                await meta.perform(upload(progress))
            waits.append((wait.value.code, wait.value.seconds))
        done = await meta.perform(upload(progress))

    assert done.platform_id == "20"
    assert waits == [("uploading", 0)] * 4
    assert videos.received == CONTENT
    assert videos.offsets == [0, 2, 4, 6, 8]


async def test_an_upload_that_was_cut_off_goes_on_with_the_bytes_that_are_missing(upload):
    videos, progress = Videos(), {}
    videos.says = {3: (200, "Service Unavailable")}

    async with hosted(videos) as meta:
        with pytest.raises(Wait):
            await meta.perform(upload(progress))
        done = await meta.perform(upload(progress))

    assert done.platform_id == "20"
    assert videos.received == CONTENT
    assert videos.offsets == [0, 2, 4, 4, 6, 8]


async def test_a_chunk_that_fails_among_many_is_no_attempt_of_the_whole_upload(upload):
    videos, progress = Videos(), {}
    videos.says = dict.fromkeys((2, 4, 6), (500, '{"error": {"code": 1, "message": "m"}}'))

    async with hosted(videos) as meta:
        for _ in range(3):
            with pytest.raises(Wait) as wait:
                await meta.perform(upload(progress))
            assert wait.value.reason == "retry"
        done = await meta.perform(upload(progress))

    assert done.platform_id == "20"
    assert videos.received == CONTENT


async def test_a_platform_that_begins_again_and_again_is_not_followed_for_ever(upload):
    """Only what is further than ever before is worth a turn that costs no attempt."""
    videos, progress = Videos(), {}
    lost = (200, "Service Unavailable")
    videos.says = {3: lost, 6: lost}

    async with hosted(videos) as meta:
        with pytest.raises(Wait):
            await meta.perform(upload(progress))
        videos.received = b""
        with pytest.raises(Retry):
            await meta.perform(upload(progress))


async def test_no_more_is_read_at_once_than_memory_is_meant_for(upload, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_CHUNK", 3)
    videos = Videos()
    videos.chunk = SIZE

    async with hosted(videos) as meta:
        await meta.perform(upload({}))

    assert videos.received == CONTENT
    assert videos.offsets == [0, 3, 6, 9]


@pytest.mark.parametrize("answer", [{}, {"success": None}, {"id": "20"}], ids=str)
async def test_an_upload_is_not_finished_before_meta_says_so(upload, answer):
    videos, progress = Videos(), {}
    videos.says = {"finish": answer}

    async with hosted(videos) as meta:
        with pytest.raises(Wait):
            await meta.perform(upload(progress))
        assert not progress["finished"]
        videos.says = {}
        done = await meta.perform(upload(progress))

    assert done == Done("20", done.detail)
    assert videos.received == CONTENT


async def test_a_call_that_carries_a_file_has_the_time_that_the_file_needs(
    context, upload, monkeypatch
):
    """Thirty megabytes in thirty seconds are more than many lines carry, however often they are tried."""
    monkeypatch.setattr(calls, "SLOWEST_UPLOAD", SIZE / 60)
    host = Host(lambda *_: {"images": {"x": {"hash": "h"}}})

    async with hosted(host) as meta:
        done = await meta.perform(
            context("media[hero]", media=upload({}).media, deadline_seconds=0.0)
        )
        with pytest.raises(Retry, match="could not be reached"):
            await meta.perform(context("creative[0][0]", deadline_seconds=0.0))

    assert done.platform_id == "h"

"""Files in requests: what arrives is what httpx would have sent, and little of it is in memory meanwhile."""

import asyncio
import tracemalloc

import httpx
import pytest

from common.errors import Retry
from tests.workers.platforms.meta.hosts import Host, hosted
from workers.platforms.base import StoredMedia
from workers.platforms.meta.files import PIECE, SentFile, form

LARGE = 24 * 1024**2
MEMORY = LARGE // 3
URL = httpx.URL("http://127.0.0.1/act_1/advideos")


def stored(path, size):
    async def media():
        return StoredMedia(path, "image", "image/png", size, "", path.name)

    return media


class Sink:
    """Reads a request without keeping it."""

    def __init__(self):
        self.received = 0

    async def serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        while self.received < LARGE:
            self.received += len(await reader.read(65_536))
        answer = b'{"images": {"x": {"hash": "h"}}}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("name", ["clip.mp4", 'a"b\r\nc.mp4', "ü.mp4"])
async def test_a_form_is_written_as_httpx_writes_it(tmp_path, name):
    path = tmp_path / "clip"
    path.write_bytes(bytes(range(256)) * (3 * PIECE // 256))
    start, size = 7, 2 * PIECE + 1
    file = SentFile("chunk", path, size, name, "video/mp4", start)
    params = {"upload_phase": "transfer", "start_offset": "7"}

    request = form(URL, params, file, {"Authorization": "Bearer EAAtoken"})
    body = await request.aread()

    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    content = path.read_bytes()[start : start + size]
    own = httpx.Request(
        "POST",
        URL,
        data=params,
        files={"chunk": (name, content, "video/mp4")},
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert body == own.read()
    assert request.headers["Content-Length"] == own.headers["Content-Length"]
    assert request.headers["Authorization"] == "Bearer EAAtoken"
    assert "Transfer-Encoding" not in request.headers


async def test_a_large_image_is_never_whole_in_memory(context, tmp_path):
    path, sink = tmp_path / "large.png", Sink()
    with path.open("wb") as file:
        file.truncate(LARGE)
    host = Host(lambda *_: {})
    host.serve = sink.serve

    async with hosted(host) as meta:
        tracemalloc.start()
        done = await meta.perform(context("media[hero]", media=stored(path, LARGE)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert done.platform_id == "h"
    assert sink.received >= LARGE
    assert most < MEMORY


@pytest.mark.parametrize(
    ("left", "why"), [(b"png", "it is shorter than it was"), (None, "No such file or directory")]
)
async def test_a_file_that_cannot_be_read_whole_is_told_as_that_and_sent_again_later(
    context, tmp_path, left, why
):
    path = tmp_path / "short.png"
    if left is not None:
        path.write_bytes(left)

    async with hosted(Host(lambda *_: {"images": {"x": {"hash": "h"}}})) as meta:
        with pytest.raises(Retry) as broken:
            async with asyncio.timeout(30):
                await meta.perform(context("media[hero]", media=stored(path, 4)))

    assert broken.value.code == "media_storage_failed"
    assert broken.value.message == f"the media file could not be read: {why}"

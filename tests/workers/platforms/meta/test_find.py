"""What a look after an unanswered create finds, over the wire from a platform that answers as told."""

import asyncio
import contextlib
import json

import pytest

from common.errors import Reject, Retry
from models.marker import marked
from tests.workers.platforms.meta.conftest import JOB
from workers.platforms.meta import Meta

OURS = marked("C", JOB, "campaign")


class Lists:
    """Answers every list with the same page."""

    def __init__(self):
        self.page = {"data": []}
        self.asked = 0

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            answer = json.dumps(self.page).encode()
            length = f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\n" + length.encode() + answer)
            await writer.drain()
        writer.close()

    def holds(self, *names):
        self.page = {"data": [{"id": str(i), "name": name} for i, name in enumerate(names, 1)]}


@pytest.fixture
async def lists():
    lists = Lists()
    listening = await asyncio.start_server(lists.serve, "127.0.0.1", 0)
    lists.port = listening.sockets[0].getsockname()[1]
    yield lists
    listening.close()


@pytest.fixture
async def meta(lists):
    url = f"http://127.0.0.1:{lists.port}"
    meta = Meta(
        live_base_url=url, live_video_base_url=url, sandbox_base_url=url, api_version="v26.0"
    )
    yield meta
    await meta.close()


async def test_an_object_that_somebody_renamed_behind_its_marker_is_found(lists, meta, context):
    lists.holds(f"{OURS} (checked by Ann)")

    found = await meta.find(context("campaign"))

    assert found is not None
    assert found.platform_id == "1"


async def test_a_copy_that_somebody_made_is_not_taken_for_the_object(lists, meta, context):
    lists.holds(f"{OURS} - Copy", OURS)

    found = await meta.find(context("campaign"))

    assert found is not None
    assert found.platform_id == "2"


async def test_two_of_them_are_for_a_person_to_sort_out(lists, meta, context):
    lists.holds(OURS, OURS)

    with pytest.raises(Reject) as doubled:
        await meta.find(context("campaign"))

    assert doubled.value.code == "duplicate_found"


async def test_names_without_the_whole_marker_are_not_ours(lists, meta, context):
    lists.holds("C", f"C {OURS[3:-1]}", marked("C", JOB, "ad_set[0]"))

    assert await meta.find(context("campaign")) is None


async def test_a_list_that_was_not_read_to_its_end_does_not_prove_that_nothing_is_there(
    lists, meta, context
):
    lists.page = {"data": [], "paging": {"cursors": {"after": "x"}, "next": "https://more"}}

    with pytest.raises(Retry) as unread:
        await meta.find(context("campaign"))

    assert unread.value.code == "list_not_read"
    assert lists.asked > 1

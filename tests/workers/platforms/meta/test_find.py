"""What a look after an unanswered create finds, over the wire from a platform that answers as told."""

import asyncio
import contextlib
import json

import pytest

from common.errors import Reject, Retry, Unknown
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

    def holds(self, *names, status="PAUSED"):
        self.page = {
            "data": [
                {"id": str(i), "name": name, "status": status} for i, name in enumerate(names, 1)
            ]
        }


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


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"success": True},
        {"data": None},
        {"data": {"1": {"id": "1"}}},
        {"data": [], "paging": {"next": "https://more"}},
        {"data": [], "paging": {"cursors": {}, "next": "https://more"}},
        {"data": [], "paging": {"cursors": ["x"], "next": "https://more"}},
        {"data": [], "paging": {"cursors": {"after": 7}, "next": "https://more"}},
        {"data": [], "paging": "https://more"},
        {"data": [{"id": "1"}]},
        {"data": [{"id": "1", "name": None}]},
    ],
    ids=str,
)
async def test_an_answer_that_is_no_whole_list_does_not_prove_that_nothing_is_there(
    lists, meta, context, page
):
    lists.page = page

    with pytest.raises(Retry) as unread:
        await meta.find(context("campaign"))

    assert unread.value.code == "list_not_read"


@pytest.mark.parametrize("status", ["DELETED", "ARCHIVED"])
async def test_of_two_the_one_that_a_person_has_left_is_taken(lists, meta, context, status):
    lists.holds(OURS, OURS)
    lists.page["data"][0]["status"] = status

    found = await meta.find(context("campaign"))

    assert found is not None
    assert found.platform_id == "2"


async def test_of_two_that_a_person_has_deleted_nobody_is_asked_to_delete_one(lists, meta, context):
    lists.holds(OURS, OURS, status="DELETED")

    found = await meta.find(context("campaign"))

    assert found is not None
    assert found.platform_id == "1"


async def test_one_that_a_person_has_deleted_was_made_all_the_same(lists, meta, context):
    lists.holds(OURS, status="DELETED")

    found = await meta.find(context("campaign"))

    assert found is not None
    assert found.platform_id == "1"


@pytest.mark.parametrize("made", [None, "", True, False, {}, ["1"]], ids=str)
@pytest.mark.parametrize(("step", "outcome"), [("campaign", Unknown), ("creative[0][0]", Retry)])
async def test_a_create_that_tells_no_id_is_unanswered(lists, meta, context, made, step, outcome):
    lists.page = {"id": made}

    with pytest.raises(outcome) as unanswered:
        await meta.perform(context(step))

    assert unanswered.value.code == "no_answer"


@pytest.mark.parametrize("code", [100, 4, 190])
async def test_an_error_beside_an_id_leaves_open_what_was_made(lists, meta, context, code):
    lists.page = {"id": "120", "error": {"code": code, "message": "m"}}

    with pytest.raises(Unknown) as unanswered:
        await meta.perform(context("campaign"))

    assert unanswered.value.code == "no_answer"


@pytest.mark.parametrize("made", ["120", 120])
async def test_an_id_is_text_or_a_number(lists, meta, context, made):
    lists.page = {"id": made}

    done = await meta.perform(context("campaign"))

    assert done.platform_id == "120"

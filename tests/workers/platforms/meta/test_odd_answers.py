"""Answers in which something is missing that steps would go on with: nothing of them is believed."""

import json
from pathlib import Path

import pytest

from common.errors import Reject, Retry, Unknown
from common.http_transport import LONGEST_ANSWER
from tests.workers.platforms.meta.conftest import request_with
from tests.workers.platforms.meta.hosts import Host, hosted
from workers.platforms.base import Done, StoredMedia

CREATIVE = {"type": "video", "page_id": "7", "video": "clip", "link": "https://example.com"}
BEGUN = {"upload_session_id": "5", "video_id": "20", "start_offset": "0", "end_offset": "9"}
SIZE = 9


@pytest.fixture
def upload(context, tmp_path: Path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(bytes(SIZE))

    def make(saved):
        async def media():
            return StoredMedia(file, "video", "video/mp4", SIZE, "", "clip.mp4")

        async def save(more):
            saved.update(more)

        request = request_with(CREATIVE, media={"clip": {"url": "https://e.com/c"}})
        return context("media[clip]", request, progress=saved, save=save, media=media)

    return make


@pytest.mark.parametrize(
    "images",
    [{"x.png": {"hash": None}}, {"x.png": {"url": "u"}}, {"x.png": None}, {}, [], None],
    ids=repr,
)
async def test_an_image_without_a_hash_is_sent_again(context, images):
    async with hosted(Host(lambda *_: {"images": images})) as meta:
        with pytest.raises(Retry) as odd:
            await meta.perform(context("media[hero]"))

    assert odd.value.code == "unreadable_answer"


@pytest.mark.parametrize("missing", ["upload_session_id", "video_id"])
@pytest.mark.parametrize("value", [None, "", True, {}, "a b", "\0", "5" * 501], ids=repr)
async def test_an_upload_is_not_begun_under_no_name(upload, missing, value):
    saved = {}

    async with hosted(Host(lambda *_: {**BEGUN, missing: value})) as meta:
        with pytest.raises(Retry) as odd:
            await meta.perform(upload(saved))

    assert odd.value.code == "unreadable_answer"
    assert saved == {}


@pytest.mark.parametrize(
    "offsets", [(5, 3), (SIZE + 1, SIZE + 2), (-2, 4), ("x", 4), (None, 4)], ids=repr
)
async def test_bytes_that_the_video_does_not_have_are_not_sent(upload, offsets):
    wanted = dict(zip(("start_offset", "end_offset"), offsets, strict=True))
    host = Host(lambda *_: {**BEGUN, **(wanted if len(host.calls) == 2 else {})})

    async with hosted(host) as meta:
        with pytest.raises(Retry) as odd:
            await meta.perform(upload({}))

    assert odd.value.code == "unreadable_answer"
    assert len(host.calls) == 2


@pytest.mark.parametrize("value", ["null", "None", "12a", "", "1" * 40], ids=repr)
async def test_an_id_that_is_no_number_leaves_a_doubt(context, value):
    async with hosted(Host(lambda *_: {"id": value})) as meta:
        with pytest.raises(Unknown):
            await meta.perform(context("campaign"))


@pytest.mark.parametrize("value", [None, "", True, "x"], ids=repr)
async def test_a_list_whose_objects_have_no_ids_proves_nothing(context, value):
    host = Host(lambda *_: {"data": [{"id": "1", "name": "a"}, {"id": value, "name": "b"}]})

    async with hosted(host) as meta:
        with pytest.raises(Retry) as odd:
            await meta.find(context("campaign"))

    assert odd.value.code == "list_not_read"


async def test_figures_that_are_too_large_take_no_answer_away(context):
    host = Host(lambda *_: {"id": "1"})
    host.headers = {"X-App-Usage": '{"call_count": 1' + "0" * 400 + "}"}

    async with hosted(host) as meta:
        done = await meta.perform(context("campaign"))

    assert done == Done("1")


async def test_an_endless_answer_leaves_a_doubt_where_something_may_have_been_made(context):
    host = Host(lambda *_: (200, '{"id": "1"' + " " * LONGEST_ANSWER + "}"))

    async with hosted(host) as meta:
        with pytest.raises(Unknown, match="more than"):
            await meta.perform(context("campaign"))
        with pytest.raises(Retry, match="more than"):
            await meta.find(context("campaign"))


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, b'{"id": "1", "name": "\xff"}', "<html>"],
    ids=["deep", "letters", "page"],
)
async def test_an_answer_that_is_no_json_is_told_as_that(context, text):
    host = Host(lambda *_: (200, text))

    async with hosted(host) as meta:
        with pytest.raises(Unknown, match="unreadable answer"):
            await meta.perform(context("campaign"))
        with pytest.raises(Retry, match="unreadable answer"):
            await meta.find(context("campaign"))


@pytest.mark.parametrize("data", ["[" * 100_000, 7, ["a"]], ids=["deep", "number", "list"])
async def test_an_error_is_told_whatever_stands_beside_it(context, data):
    error = {"error": {"code": 100, "message": "Invalid parameter", "error_data": data}}
    host = Host(lambda *_: (400, json.dumps(error)))

    async with hosted(host) as meta:
        with pytest.raises(Reject, match="Invalid parameter"):
            await meta.perform(context("campaign"))


async def test_headers_that_are_nested_without_end_take_no_answer_away(context):
    host = Host(lambda *_: {"id": "1"})
    host.headers = {"X-App-Usage": "[" * 50_000}

    async with hosted(host) as meta:
        done = await meta.perform(context("campaign"))

    assert done == Done("1")


async def test_of_what_meta_blames_no_more_is_kept_than_somebody_reads(context):
    paths = [["name"] * 100] * 100
    error = {"code": 100, "message": "m", "error_data": {"blame_field_specs": paths}}
    host = Host(lambda *_: (400, json.dumps({"error": error})))

    async with hosted(host) as meta:
        with pytest.raises(Reject) as refused:
            await meta.perform(context("campaign"))

    told = refused.value.upstream["blame"]
    assert (len(told), {len(path) for path in told}) == (20, {20})

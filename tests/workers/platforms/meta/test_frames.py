"""Frames of videos: their addresses are signed for a while only."""

from datetime import UTC, datetime, timedelta

import pytest

from common.errors import Retry, Wait
from tests.workers.platforms.meta.conftest import request_with
from tests.workers.platforms.meta.hosts import Host, hosted
from workers.platforms.base import Done

VIDEO = {"type": "video", "page_id": "7", "video": "clip", "link": "https://example.com"}
CARDS = [{"link": "https://example.com", "video": "clip"}] * 2
CAROUSEL = {"type": "carousel", "page_id": "7", "link": "https://example.com", "cards": CARDS}
OWN = {**VIDEO, "thumbnail": "hero"}
MEDIA = {"clip": {"url": "https://e.com/c"}, "hero": {"url": "https://e.com/h"}}


def answers(method, path, fields):
    if method == "GET":
        frames = [{"uri": "https://cdn/new.png", "is_preferred": True}]
        return {"status": {"video_status": "ready"}, "thumbnails": {"data": frames}}
    return {"id": "12"}


def framed(minutes, address="https://cdn/old.png"):
    """So old when the test runs, not when it was collected."""

    def detail():
        told_at = datetime.now(UTC) - timedelta(minutes=minutes)
        return {"thumbnail_url": address, "thumbnail_at": int(told_at.timestamp())}

    return detail


def of_an_earlier_release():
    return {"thumbnail_url": "https://cdn/old.png"}


def creative_with(context, creative, detail):
    outcomes = {"media[clip]": Done("20", detail()), "media[hero]": Done("hash")}
    return context("creative[0][0]", request_with(creative, media=MEDIA), outcomes=outcomes)


@pytest.mark.parametrize("creative", [VIDEO, CAROUSEL], ids=["video", "carousel"])
@pytest.mark.parametrize(
    "detail",
    [framed(61), framed(1, None), of_an_earlier_release, framed(-2)],
    ids=["old", "none", "of an earlier release", "of a clock that went ahead"],
)
async def test_a_frame_whose_address_may_be_over_is_asked_for_again(context, creative, detail):
    host = Host(answers)

    async with hosted(host) as meta:
        await meta.perform(creative_with(context, creative, detail))

    assert [(method, path) for method, path, _ in host.calls] == [
        ("GET", "20"),
        ("POST", "adcreatives"),
    ]
    assert "https://cdn/new.png" in host.calls[-1][2]["object_story_spec"]


@pytest.mark.parametrize(
    ("creative", "detail"), [(VIDEO, framed(59)), (OWN, framed(600))], ids=["fresh", "own image"]
)
async def test_a_creative_that_needs_no_new_frame_asks_for_none(context, creative, detail):
    """The same parameters within the hour, so that Meta gives the same creative back."""
    host = Host(answers)

    async with hosted(host) as meta:
        await meta.perform(creative_with(context, creative, detail))

    assert [method for method, _, _ in host.calls] == ["POST"]
    assert "new.png" not in host.calls[0][2]["object_story_spec"]


async def test_an_old_frame_is_used_where_meta_tells_no_other(context):
    host = Host(lambda method, *_: {"status": {}} if method == "GET" else {"id": "12"})

    async with hosted(host) as meta:
        await meta.perform(creative_with(context, VIDEO, framed(61)))

    assert "https://cdn/old.png" in host.calls[-1][2]["object_story_spec"]


@pytest.mark.parametrize("creative", [VIDEO, CAROUSEL], ids=["video", "carousel"])
async def test_a_creative_is_not_sent_before_its_video_has_a_frame(context, creative):
    host = Host(lambda *_: {"status": {"video_status": "ready"}})

    async with hosted(host) as meta:
        with pytest.raises(Retry) as missing:
            await meta.perform(creative_with(context, creative, framed(1, None)))

    assert (missing.value.code, missing.value.pointer) == ("video_frame_missing", "/media/clip")
    assert [method for method, _, _ in host.calls] == ["GET"]


@pytest.mark.parametrize(
    "odd",
    [
        {"thumbnails": ["x"]},
        {"thumbnails": {"data": "x"}},
        {"thumbnails": {"data": [None, {"uri": None}, {"is_preferred": True}, {"uri": 7}]}},
        {"picture": {"url": "x"}},
    ],
    ids=str,
)
async def test_frames_of_an_odd_form_are_none(context, odd):
    host = Host(lambda method, *_: odd if method == "GET" else {"id": "12"})

    async with hosted(host) as meta:
        await meta.perform(creative_with(context, VIDEO, framed(61)))

    assert "https://cdn/old.png" in host.calls[-1][2]["object_story_spec"]


@pytest.mark.parametrize(
    "status", ["ready", ["ready"], {"video_status": {}, "processing_phase": "x"}], ids=str
)
async def test_a_state_of_an_odd_form_is_asked_for_again(context, status):
    kept = {"upload_session_id": "5", "video_id": "20", "finished": True, "polls": 0}
    step = context("media[clip]", request_with(VIDEO, media=MEDIA), progress=kept)

    async with hosted(Host(lambda *_: {"status": status})) as meta:
        with pytest.raises(Wait) as wait:
            await meta.perform(step)

    assert wait.value.code == "media_processing"

"""Videos: sent in chunks or at once, encoded over the clock, ready or broken."""

import http.server
import threading
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.sandbox.running import (
    CLIP,
    PAGE,
    READY_MADE,
    Running,
    error_of,
    long_clip,
    picture,
)

VIDEOS = f"{READY_MADE}/advideos"
MEBIBYTE = 1024 * 1024


def begin(sandbox: Running, size: int) -> dict[str, Any]:
    answer = sandbox.graph("POST", VIDEOS, {"upload_phase": "start", "file_size": size})
    assert answer.status_code == 200, answer.text
    return answer.json()


def transfer(sandbox: Running, session: str, start: int, chunk: bytes) -> httpx.Response:
    return sandbox.graph(
        "POST",
        VIDEOS,
        {"upload_phase": "transfer", "upload_session_id": session, "start_offset": start},
        files={"video_file_chunk": ("clip.mp4", chunk, "application/octet-stream")},
    )


def finish(sandbox: Running, session: str, **params: Any) -> httpx.Response:
    body = {"upload_phase": "finish", "upload_session_id": session, **params}
    return sandbox.graph("POST", VIDEOS, body)


def send_whole(sandbox: Running, content: bytes) -> str:
    started = begin(sandbox, len(content))
    session, start, end = started["upload_session_id"], 0, int(started["end_offset"])
    while start != end:
        answer = transfer(sandbox, session, start, content[start:end]).json()
        start, end = int(answer["start_offset"]), int(answer["end_offset"])
    assert finish(sandbox, session).json() == {"success": True}
    return started["video_id"]


def status(sandbox: Running, video: str) -> str:
    read = sandbox.graph("GET", video, {"fields": "status"}).json()
    return read["status"]["video_status"]


def test_a_video_is_ready_after_eight_seconds_of_the_clock(sandbox: Running) -> None:
    video = send_whole(sandbox, CLIP.read_bytes())
    before = status(sandbox, video)
    early = sandbox.graph("GET", video, {"fields": "thumbnails,length,picture"}).json()

    sandbox.advance(8)

    late = sandbox.graph("GET", video, {"fields": "thumbnails,length,picture"}).json()
    preferred = next(one for one in late["thumbnails"]["data"] if one["is_preferred"])
    fetched = sandbox.client.get(preferred["uri"])
    assert (before, status(sandbox, video)) == ("processing", "ready")
    assert set(early) == {"id", "picture"}
    assert late["length"] > 0
    assert early["picture"] != late["picture"] == preferred["uri"]
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.content.startswith(b"\xff\xd8")
    assert sandbox.client.get(early["picture"]).content.startswith(b"\x89PNG")


def test_thumbnails_have_the_shape_of_the_video(sandbox: Running, tmp_path: Any) -> None:
    video = send_whole(sandbox, CLIP.read_bytes())
    sandbox.advance(8)
    kept = sandbox.objects("video")[0]["fields"]

    listed = sandbox.graph("GET", f"{video}/thumbnails").json()["data"]
    file = tmp_path / "thumbnail.jpg"
    file.write_bytes(sandbox.client.get(listed[0]["uri"]).content)

    with Image.open(file) as image:
        ratio = image.width / image.height
    assert ratio == pytest.approx(kept["width"] / kept["height"], rel=0.01)


def test_bytes_that_are_no_video_end_in_an_error(sandbox: Running) -> None:
    video = send_whole(sandbox, b"no video" * 1000)

    before = status(sandbox, video)
    sandbox.advance(8)

    assert (before, status(sandbox, video)) == ("processing", "error")


def test_a_video_comes_into_being_when_its_upload_is_finished(sandbox: Running) -> None:
    content = CLIP.read_bytes()
    started = begin(sandbox, len(content))
    transfer(sandbox, started["upload_session_id"], 0, content)

    early = sandbox.graph("GET", started["video_id"])
    finish(sandbox, started["upload_session_id"], title="Clip")

    assert error_of(early)["error_subcode"] == 33
    made = sandbox.objects("video")
    assert [(one["id"], one["name"]) for one in made] == [(started["video_id"], "Clip")]
    assert sandbox.calls()[-1]["effect"] == "created"
    assert sandbox.calls()[-1]["object_id"] == started["video_id"]


def test_finishing_twice_makes_one_video(sandbox: Running) -> None:
    content = CLIP.read_bytes()
    started = begin(sandbox, len(content))
    transfer(sandbox, started["upload_session_id"], 0, content)
    sandbox.order("lose_reply")

    with pytest.raises(httpx.RemoteProtocolError):
        finish(sandbox, started["upload_session_id"])
    again = finish(sandbox, started["upload_session_id"])

    assert again.json() == {"success": True}
    assert sandbox.calls()[-1]["effect"] == "none"
    assert len(sandbox.objects("video")) == 1


def test_a_chunk_at_the_wrong_place_is_told_the_right_one(sandbox: Running) -> None:
    content = long_clip(2 * MEBIBYTE + 5)
    session = begin(sandbox, len(content))["upload_session_id"]
    sandbox.order("lose_reply")

    with pytest.raises(httpx.RemoteProtocolError):
        transfer(sandbox, session, 0, content[:MEBIBYTE])
    refused = error_of(transfer(sandbox, session, 0, content[:MEBIBYTE]))
    offsets = refused["error_data"]
    start, end = int(offsets["start_offset"]), int(offsets["end_offset"])
    accepted = transfer(sandbox, session, start, content[start:end]).json()

    assert (refused["code"], refused["error_subcode"]) == (6001, 1363037)
    assert refused["is_transient"] is False
    assert (start, end) == (MEBIBYTE, 2 * MEBIBYTE)
    assert accepted == {"start_offset": str(2 * MEBIBYTE), "end_offset": str(2 * MEBIBYTE + 5)}


def test_a_shorter_chunk_is_taken_and_a_longer_one_is_not(sandbox: Running) -> None:
    session = begin(sandbox, 2000)["upload_session_id"]

    shorter = transfer(sandbox, session, 0, bytes(1))
    longer = transfer(sandbox, session, 1, bytes(2000))

    assert shorter.json() == {"start_offset": "1", "end_offset": "2000"}
    assert error_of(longer)["error_subcode"] == 1363037


def test_an_upload_is_finished_only_when_all_is_there(sandbox: Running) -> None:
    session = begin(sandbox, 2000)["upload_session_id"]
    transfer(sandbox, session, 0, bytes(100))

    refused = finish(sandbox, session)

    assert error_of(refused)["error_data"] == {"start_offset": "100", "end_offset": "2000"}
    assert sandbox.objects("video") == []


def test_a_cancelled_upload_is_gone(sandbox: Running) -> None:
    session = begin(sandbox, 2000)["upload_session_id"]
    body = {"upload_phase": "cancel", "upload_session_id": session}

    cancelled = sandbox.graph("POST", VIDEOS, body)

    assert cancelled.json() == {"success": True}
    assert error_of(transfer(sandbox, session, 0, bytes(10)))["error_subcode"] == 1363019


def test_an_upload_ends_after_a_day(sandbox: Running) -> None:
    session = begin(sandbox, 2000)["upload_session_id"]

    sandbox.advance(24 * 3600 + 1)

    assert error_of(transfer(sandbox, session, 0, bytes(10)))["error_subcode"] == 1363030


@pytest.mark.parametrize(
    ("params", "code", "subcode"),
    [
        ({"upload_phase": "start", "file_size": 10}, 6000, 1363022),
        ({"upload_phase": "start", "file_size": 5 * 1024**3}, 6000, 1363023),
        ({"upload_phase": "start"}, 100, None),
        ({"upload_phase": "start", "file_size": "big"}, 100, None),
        ({"upload_phase": "dance"}, 100, None),
        ({"upload_phase": "transfer", "upload_session_id": "1"}, 6000, 1363019),
        ({}, 100, None),
        ({"file_url": "http://192.0.2.1/clip.mp4"}, 389, None),
        ({"file_url": "http://127.0.0.1:1/clip.mp4"}, 389, None),
        ({"file_url": "nonsense"}, 389, None),
    ],
)
def test_uploads_that_mean_nothing_are_refused(
    sandbox: Running, params: dict[str, Any], code: int, subcode: int | None
) -> None:
    answer = sandbox.graph("POST", VIDEOS, params)

    error = error_of(answer)
    assert (error["code"], error.get("error_subcode")) == (code, subcode)
    assert sandbox.objects("video") == []


def test_a_chunk_must_be_sent(sandbox: Running) -> None:
    session = begin(sandbox, 2000)["upload_session_id"]
    body = {"upload_phase": "transfer", "upload_session_id": session, "start_offset": 0}

    answer = sandbox.graph("POST", VIDEOS, body)

    assert error_of(answer)["error_subcode"] == 1363020


@pytest.fixture
def neighbour() -> Generator[str]:
    """A server on this machine that has the clip."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = CLIP.read_bytes() if self.path == "/clip.mp4" else b""
            self.send_response(200 if content else 404)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_video_is_fetched_from_this_machine(sandbox: Running, neighbour: str) -> None:
    fetched = sandbox.graph("POST", VIDEOS, {"file_url": f"{neighbour}/clip.mp4"})
    missing = sandbox.graph("POST", VIDEOS, {"file_url": f"{neighbour}/other.mp4"})

    assert [one["id"] for one in sandbox.objects("video")] == [fetched.json()["id"]]
    assert error_of(missing)["code"] == 389


def test_videos_are_listed_by_title_and_deleted(sandbox: Running) -> None:
    content = CLIP.read_bytes()
    made = sandbox.graph(
        "POST", VIDEOS, {"title": "One"}, files={"source": ("clip.mp4", content, "video/mp4")}
    ).json()["id"]

    found = sandbox.graph("GET", VIDEOS, {"title": "One", "fields": "title"}).json()["data"]
    other = sandbox.graph("GET", VIDEOS, {"title": "Two"}).json()["data"]
    sandbox.graph("DELETE", made)

    assert found == [{"title": "One", "id": made}]
    assert other == []
    assert sandbox.graph("GET", VIDEOS).json() == {"data": []}


def test_a_creative_may_show_a_video_that_is_ready(sandbox: Running) -> None:
    video = send_whole(sandbox, CLIP.read_bytes())
    files = {"filename": ("hero.png", picture(), "image/png")}
    images = sandbox.graph("POST", f"{READY_MADE}/adimages", files=files).json()["images"]
    image_hash = images["hero.png"]["hash"]
    sandbox.advance(8)
    action = {"type": "LEARN_MORE", "value": {"link": "https://example.com/"}}
    data = {"video_id": video, "image_hash": image_hash, "call_to_action": action}
    story = {"page_id": PAGE, "video_data": data}

    creative = sandbox.make("adcreatives", {"name": "Clip", "object_story_spec": story})
    read = sandbox.graph("GET", creative, {"fields": "video_id,call_to_action_type"}).json()

    assert read["video_id"] == video
    assert read["call_to_action_type"] == "LEARN_MORE"


def test_a_title_is_shorter_than_255_characters(sandbox: Running) -> None:
    content = CLIP.read_bytes()

    statuses = {
        length: sandbox.graph(
            "POST",
            VIDEOS,
            {"title": "t" * length},
            files={"source": ("clip.mp4", content, "video/mp4")},
        ).status_code
        for length in (254, 255)
    }

    assert statuses == {254: 200, 255: 400}

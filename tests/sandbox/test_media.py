"""Images and videos: what is taken, what is refused, and when a video is ready."""

import base64
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

IMAGES = f"{READY_MADE}/adimages"
VIDEOS = f"{READY_MADE}/advideos"
MEBIBYTE = 1024 * 1024


def send_image(sandbox: Running, content: bytes, name: str = "hero.png") -> httpx.Response:
    return sandbox.graph("POST", IMAGES, files={"filename": (name, content, "image/png")})


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


def test_the_same_bytes_are_the_same_image(sandbox: Running) -> None:
    first = send_image(sandbox, picture(), "a.png").json()["images"]["a.png"]
    effects = [sandbox.calls()[-1]["effect"]]
    second = send_image(sandbox, picture(), "b.png").json()["images"]["b.png"]
    effects.append(sandbox.calls()[-1]["effect"])

    assert first["hash"] == second["hash"]
    assert (first["width"], first["height"]) == (800, 600)
    assert effects == ["created", "none"]
    assert [one["id"] for one in sandbox.objects("image")] == [first["hash"]]


def test_a_field_may_be_named_as_the_file_and_there_may_be_several(sandbox: Running) -> None:
    files = {
        "a.png": ("a.png", picture("red"), "image/png"),
        "b.jpg": ("b.jpg", picture("blue", "JPEG"), "image/jpeg"),
    }

    images = sandbox.graph("POST", IMAGES, files=files).json()["images"]

    assert set(images) == {"a.png", "b.jpg"}
    assert sandbox.client.get(images["b.jpg"]["url"]).headers["content-type"] == "image/jpeg"


def test_an_image_of_one_account_is_not_another_ones(sandbox: Running) -> None:
    other = sandbox.account()
    image_hash = send_image(sandbox, picture()).json()["images"]["hero.png"]["hash"]

    listed = sandbox.graph("GET", f"{other['id']}/adimages", token=other["access_token"])
    again = sandbox.graph(
        "POST",
        f"{other['id']}/adimages",
        files={"filename": ("x.png", picture(), "image/png")},
        token=other["access_token"],
    )

    assert listed.json() == {"data": []}
    assert again.json()["images"]["x.png"]["hash"] == image_hash
    assert len(sandbox.objects("image")) == 2


@pytest.mark.parametrize(
    ("content", "subcode"),
    [
        (b"this is no image", 1487411),
        (CLIP.read_bytes(), 1487411),
        (picture(form="WEBP"), 1487411),
        (picture(form="JPEG")[:2000], 1487197),
        (picture() + bytes(30 * MEBIBYTE), 1487197),
    ],
    ids=["text", "video", "webp", "cut off", "too large"],
)
def test_what_is_no_usable_image_is_refused(sandbox: Running, content: bytes, subcode: int) -> None:
    answer = send_image(sandbox, content)

    assert (error_of(answer)["code"], error_of(answer)["error_subcode"]) == (100, subcode)
    assert sandbox.objects("image") == []


@pytest.mark.parametrize("params", [{}, {"bytes": "not base64!"}])
def test_an_image_must_be_sent(sandbox: Running, params: dict[str, Any]) -> None:
    answer = sandbox.graph("POST", IMAGES, params)

    assert error_of(answer)["error_subcode"] == 1487242


def test_bytes_may_say_that_they_are_base64(sandbox: Running) -> None:
    encoded = "data:image/png;base64," + base64.b64encode(picture()).decode()

    images = sandbox.graph("POST", IMAGES, {"bytes": encoded}).json()["images"]

    assert images["bytes"]["width"] == 800


def test_an_image_is_deleted_and_comes_back_when_it_is_sent_again(sandbox: Running) -> None:
    image_hash = send_image(sandbox, picture()).json()["images"]["hero.png"]["hash"]

    deleted = sandbox.client.delete(
        f"/meta/v26.0/{IMAGES}?hash={image_hash}&access_token={sandbox.token()}"
    )
    listed = sandbox.graph("GET", IMAGES).json()["data"]
    send_image(sandbox, picture())

    assert deleted.json() == {"success": True}
    assert listed == []
    assert sandbox.graph("GET", IMAGES).json()["data"][0]["hash"] == image_hash


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
    image_hash = send_image(sandbox, picture()).json()["images"]["hero.png"]["hash"]
    sandbox.advance(8)
    action = {"type": "LEARN_MORE", "value": {"link": "https://example.com/"}}
    data = {"video_id": video, "image_hash": image_hash, "call_to_action": action}
    story = {"page_id": PAGE, "video_data": data}

    creative = sandbox.make("adcreatives", {"name": "Clip", "object_story_spec": story})
    read = sandbox.graph("GET", creative, {"fields": "video_id,call_to_action_type"}).json()

    assert read["video_id"] == video
    assert read["call_to_action_type"] == "LEARN_MORE"


@pytest.mark.parametrize(
    "path",
    [
        f"images/{READY_MADE}/{'0' * 32}.png",
        "videos/1.mp4",
        "thumbnails/1-0.jpg",
        "thumbnails/nonsense",
    ],
)
def test_files_that_do_not_exist_are_not_found(sandbox: Running, path: str) -> None:
    assert sandbox.client.get(f"/meta/files/{path}").status_code == 404

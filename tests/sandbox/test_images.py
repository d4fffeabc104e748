"""Images: what is taken, what is refused, and how they are found again."""

import base64
from typing import Any

import httpx
import pytest

from tests.sandbox.running import CLIP, LINK, PAGE, READY_MADE, Running, error_of, picture

IMAGES = f"{READY_MADE}/adimages"
MEBIBYTE = 1024 * 1024


def send_image(sandbox: Running, content: bytes, name: str = "hero.png") -> httpx.Response:
    return sandbox.graph("POST", IMAGES, files={"filename": (name, content, "image/png")})


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


def test_a_deleted_image_cannot_be_shown_in_a_new_creative(sandbox: Running) -> None:
    image_hash = send_image(sandbox, picture()).json()["images"]["hero.png"]["hash"]
    spec = {"page_id": PAGE, "link_data": {**LINK, "image_hash": image_hash}}
    creative = {"name": "Hero", "object_story_spec": spec}

    sandbox.graph("DELETE", IMAGES, {"hash": image_hash})
    answer = sandbox.graph("POST", f"{READY_MADE}/adcreatives", creative)

    assert error_of(answer)["code"] == 100
    assert sandbox.objects("creative") == []


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

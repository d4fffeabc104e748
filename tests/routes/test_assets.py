"""Media files over HTTP: sent, fetched from an address, listed, shown, downloaded and refused."""

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from routes.assets import Assets
from tests.common.loopback import loopback, with_body
from tests.routes.conftest import Api

EXAMPLES = Path(__file__).parents[2] / "examples"
HERO = (EXAMPLES / "hero.png").read_bytes()
CLIP = (EXAMPLES / "clip.mp4").read_bytes()
ASSETS = "/api/v1/assets"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


async def send(
    caller: httpx.AsyncClient, content: bytes = HERO, name: str = "hero.png"
) -> dict[str, Any]:
    answer = await caller.post(ASSETS, files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def part(name: str, content: bytes, file_name: str = "a.png") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def stored(folder: Path) -> list[str]:
    return [path.name for path in (folder / "assets").rglob("*") if path.is_file()]


def noise_image() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((700, 700), 80).save(file, "PNG")
    return file.getvalue()


async def test_a_folder_that_takes_nothing_is_no_fault_of_the_request(
    caller: httpx.AsyncClient, tmp_path: Path
):
    (tmp_path / "assets").write_text("no folder")

    async with loopback(with_body(HERO)) as server:
        answers = [
            await caller.post(ASSETS, files={"file": ("hero.png", HERO)}),
            await caller.post(ASSETS, json={"url": f"http://127.0.0.1:{server.port}/hero.png"}),
        ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "asset_not_kept")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await caller.get(ASSETS)).json()["data"] == []


async def test_an_image_is_stored_with_what_its_bytes_say(caller: httpx.AsyncClient):
    answer = await caller.post(ASSETS, files={"file": ("hero.png", HERO, "text/html")})

    asset = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ASSETS}/{asset['id']}"
    assert asset | {"id": 0, "created_at": 0} == {
        "id": 0,
        "kind": "image",
        "content_type": "image/png",
        "size_bytes": len(HERO),
        "sha256": hashlib.sha256(HERO).hexdigest(),
        "width": 1080,
        "height": 1080,
        "duration_seconds": None,
        "file_name": "hero.png",
        "origin": "upload",
        "livemode": False,
        "created_at": 0,
    }


async def test_a_video_is_stored_with_its_size_and_length(caller: httpx.AsyncClient):
    asset = await send(caller, CLIP, "clip.mp4")

    assert (asset["kind"], asset["content_type"]) == ("video", "video/mp4")
    assert (asset["width"], asset["height"], asset["duration_seconds"]) == (720, 720, 4.0)


async def test_a_file_is_fetched_from_an_address(caller: httpx.AsyncClient):
    async with loopback(with_body(HERO)) as server:
        url = f"http://127.0.0.1:{server.port}/summer/hero.png?signature=secret"

        answer = await caller.post(ASSETS, json={"url": url})

    asset = answer.json()
    assert answer.status_code == 201
    assert (asset["origin"], asset["file_name"]) == ("url", "hero.png")
    assert asset["sha256"] == hashlib.sha256(HERO).hexdigest()


async def test_signatures_of_addresses_are_not_kept(api: Api, caller: httpx.AsyncClient):
    async with loopback(with_body(HERO)) as server:
        url = f"http://127.0.0.1:{server.port}/hero.png"

        await caller.post(ASSETS, json={"url": f"{url}?signature=secret"})

    assert await api.pool.fetchval("select origin_url from media_assets") == url


async def test_the_bytes_come_back_as_a_download(caller: httpx.AsyncClient):
    asset = await send(caller, CLIP, "Größe 1.mp4")

    answer = await caller.get(f"{ASSETS}/{asset['id']}/content")

    assert answer.status_code == 200
    assert answer.content == CLIP
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(CLIP))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%201.mp4"
    )


async def test_one_asset_is_shown_as_it_was_answered(caller: httpx.AsyncClient):
    asset = await send(caller)

    answer = await caller.get(f"{ASSETS}/{asset['id']}")

    assert answer.status_code == 200
    assert answer.json() == asset


async def test_assets_are_listed_newest_first_in_pages(caller: httpx.AsyncClient):
    sent = [await send(caller, name=f"{n}.png") for n in range(3)]

    first = (await caller.get(ASSETS, params={"limit": 2})).json()
    second = (await caller.get(ASSETS, params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert first["data"] + second["data"] == sent[::-1]
    assert second["next_cursor"] is None


async def test_assets_are_listed_by_kind(caller: httpx.AsyncClient):
    await send(caller)
    video = await send(caller, CLIP)

    page = (await caller.get(ASSETS, params={"kind": "video"})).json()

    assert page == {"data": [video], "next_cursor": None, "livemode": False}


async def test_assets_are_found_by_the_hash_of_their_bytes(caller: httpx.AsyncClient):
    image = await send(caller)
    await send(caller, CLIP)

    found = (await caller.get(ASSETS, params={"sha256": image["sha256"]})).json()
    none = (await caller.get(ASSETS, params={"sha256": "0" * 64})).json()
    refused = await caller.get(ASSETS, params={"sha256": image["sha256"].upper()})

    assert (found["data"], none["data"]) == ([image], [])
    assert refused.status_code == 400


async def test_the_same_bytes_twice_are_two_assets_kept_once(
    caller: httpx.AsyncClient, tmp_path: Path
):
    first, second = await send(caller), await send(caller, name="again.png")

    assert first["id"] != second["id"]
    assert first["sha256"] == second["sha256"]
    assert len(stored(tmp_path)) == 1


async def test_another_team_finds_nothing(api: Api, caller: httpx.AsyncClient):
    asset = await send(caller)
    stranger = await api.caller(team="Strangers")

    answers = [
        await stranger.get(f"{ASSETS}/{asset['id']}"),
        await stranger.get(f"{ASSETS}/{asset['id']}/content"),
    ]
    page = await stranger.get(ASSETS)

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(404, "asset_not_found")] * 2
    assert page.json()["data"] == []


@pytest.mark.parametrize("asset_id", [str(uuid4()), "nonsense"], ids=["unknown", "nonsense"])
async def test_an_unknown_asset_is_not_found(caller: httpx.AsyncClient, asset_id: str):
    answer = await caller.get(f"{ASSETS}/{asset_id}")

    assert (answer.status_code, answer.json()["code"]) == (404, "asset_not_found")


async def test_bytes_that_are_gone_are_told_apart_from_unknown_assets(
    caller: httpx.AsyncClient, assets: Assets
):
    asset = await send(caller)
    await assets.files.delete(asset["sha256"])

    answer = await caller.get(f"{ASSETS}/{asset['id']}/content")

    assert (answer.status_code, answer.json()["code"]) == (404, "asset_bytes_missing")


@pytest.mark.parametrize("content", [b"", b"just text", HERO[:-20], CLIP[:-20]])
async def test_what_is_no_media_is_refused_and_not_kept(
    caller: httpx.AsyncClient, tmp_path: Path, content: bytes
):
    answer = await caller.post(ASSETS, files={"file": ("hero.png", content, "image/png")})

    assert (answer.status_code, answer.json()["code"]) == (415, "not_media")
    assert stored(tmp_path) == []


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    caller: httpx.AsyncClient, tmp_path: Path
):
    answer = await caller.post(ASSETS, files={"file": ("noise.png", noise_image())})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert stored(tmp_path) == []


async def test_a_file_that_does_not_say_how_large_it_is_is_counted(
    caller: httpx.AsyncClient, tmp_path: Path
):
    async def body() -> AsyncIterator[bytes]:
        whole = part("file", noise_image()) + b"--b--\r\n"
        for start in range(0, len(whole), 1000):
            yield whole[start : start + 1000]

    answer = await caller.post(ASSETS, content=body(), headers=FORM)

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert stored(tmp_path) == []


@pytest.mark.parametrize("size", [1, 7, 1024])
async def test_a_form_may_arrive_in_pieces_of_any_size(caller: httpx.AsyncClient, size: int):
    whole = part("file", HERO[:0] + HERO, "piecemeal.png") + b"--b--\r\n"

    async def body() -> AsyncIterator[bytes]:
        step = max(size, len(whole) // 2000)
        for start in range(0, len(whole), step):
            yield whole[start : start + step]

    answer = await caller.post(ASSETS, content=body(), headers=FORM)

    assert answer.status_code == 201
    assert answer.json()["sha256"] == hashlib.sha256(HERO).hexdigest()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd.png", "passwd.png"),
        ("C:\\Users\\me\\hero.png", "hero.png"),
        ("/absolute.png", "absolute.png"),
        ("..", None),
        ("evil\u202egnp.exe", "evilgnp.exe"),
    ],
)
async def test_a_hostile_file_name_is_only_ever_a_label(
    caller: httpx.AsyncClient, tmp_path: Path, name: str, kept: str | None
):
    form = part("file", HERO, name) + b"--b--\r\n"

    answer = await caller.post(ASSETS, content=form, headers=FORM)

    assert answer.json()["file_name"] == kept
    assert stored(tmp_path) == [hashlib.sha256(HERO).hexdigest()]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (b"", 400, "not_multipart"),
        (b"nothing of a form", 400, "not_multipart"),
        (part("file", HERO), 400, "not_multipart"),
        (b"--b--\r\n", 422, "file_missing"),
        (part("picture", HERO) + b"--b--\r\n", 422, "invalid_request"),
        (part("file", HERO) + part("file", HERO) + b"--b--\r\n", 422, "invalid_request"),
        (part("file", HERO) + part("a/b", b"x") + b"--b--\r\n", 422, "invalid_request"),
    ],
    ids=["empty", "other text", "cut off", "no part", "other name", "two files", "more fields"],
)
async def test_any_other_form_is_refused_and_nothing_is_kept(
    caller: httpx.AsyncClient, tmp_path: Path, form: bytes, status: int, code: str
):
    answer = await caller.post(ASSETS, content=form, headers=FORM)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert stored(tmp_path) == []


async def test_a_form_without_a_file_is_refused_as_the_document_says(caller: httpx.AsyncClient):
    document = (await caller.get("/api/v1/openapi.json")).json()

    answer = (await caller.post(ASSETS, content=b"--b--\r\n", headers=FORM)).json()

    example = document["components"]["examples"]["file_missing"]["value"]
    assert {**answer, "instance": example["instance"]} == example


async def test_a_form_without_boundary_is_refused(caller: httpx.AsyncClient):
    answer = await caller.post(
        ASSETS, content=b"x", headers={"Content-Type": "multipart/form-data"}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "not_multipart")


async def test_another_content_type_is_refused(caller: httpx.AsyncClient):
    answer = await caller.post(ASSETS, content=HERO, headers={"Content-Type": "image/png"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "", "jobs:read"),
        ("GET", "", "jobs:write"),
        ("GET", f"/{uuid4()}", "jobs:write"),
        ("GET", f"/{uuid4()}/content", "jobs:write"),
    ],
    ids=["upload", "list", "asset", "content"],
)
async def test_each_route_asks_for_its_scope(api: Api, method: str, path: str, scope: str):
    caller = await api.caller(scopes=[scope])

    answer = await caller.request(method, ASSETS + path)

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_without_a_key_nothing_is_answered(api: Api):
    answer = await api.client.post(ASSETS, files={"file": ("hero.png", HERO)})

    assert answer.status_code == 401

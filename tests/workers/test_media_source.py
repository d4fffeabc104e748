"""Where the bytes of media come from: assets and addresses, fetched once, checked, or refused."""

import struct
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.asset_files import LocalAssetFiles
from common.errors import Reject, Retry, StepError, Wait
from common.guarded_http import GuardedClient
from common.uuid7 import uuid7
from models import database as databases
from models.assets import store_asset
from models.database import Pool, open_pool
from models.gen import teams
from models.gen.rows import MediaAsset
from models.media import LARGEST_FOR_META, Generation, Media
from tests.common.loopback import Loopback, loopback, with_body
from tests.sandbox.running import picture
from workers.media_source import MediaSource
from workers.platforms.base import StoredMedia

EXAMPLES = Path(__file__).parents[2] / "examples"
HERO = (EXAMPLES / "hero.png").read_bytes()
CLIP = (EXAMPLES / "clip.mp4").read_bytes()
WEBP = picture(form="WEBP")


class Step:
    """One media step over several runs, with what it saved."""

    def __init__(self, source: MediaSource, team_id: UUID | None) -> None:
        self.source = source
        self.team_id = team_id
        self.progress: dict[str, Any] = {}

    async def open(
        self, media: Media, kind: Any = "image", key: str = "hero", team_id: UUID | None = None
    ) -> StoredMedia:
        return await self.source.open(
            media,
            key=key,
            expected_kind=kind,
            team_id=team_id or self.team_id,
            save=self.save,
            progress=self.progress,
            require_wanted=self.require_wanted,
        )

    async def require_wanted(self, _: Pool) -> None:
        """Somebody always waits."""

    async def save(self, more: dict[str, Any]) -> None:
        self.progress |= more

    async def failure(self, media: Media, kind: Any = "image", key: str = "hero") -> StepError:
        with pytest.raises(StepError) as caught:
            await self.open(media, kind, key)
        return caught.value


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    pool = await open_pool(database, size=2, name="test")
    yield pool
    await pool.close()


@pytest.fixture
def files(tmp_path: Path) -> LocalAssetFiles:
    return LocalAssetFiles(tmp_path / "assets")


@pytest.fixture
async def step(pool: Pool, files: LocalAssetFiles) -> AsyncGenerator[Step]:
    team = await teams.ensure_team(pool, id=uuid7(), name="Team")
    assert team is not None
    client = GuardedClient(allowed_private_targets=["127.0.0.0/8"])
    yield Step(MediaSource(pool, files, client), team.id)
    await client.aclose()


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def add(
    pool: Pool, files: LocalAssetFiles, team_id: UUID | None, content: bytes, name: str | None
) -> MediaAsset:
    return await store_asset(
        pool, files, stream(content), team_id=team_id, origin="upload", file_name=name
    )


def at(server: Loopback, path: str = "hero.png") -> Media:
    return Media(url=f"http://127.0.0.1:{server.port}/{path}")


async def test_an_asset_is_read_from_its_file(step: Step, pool: Pool, files: LocalAssetFiles):
    row = await add(pool, files, step.team_id, HERO, "hero.png")

    media = await step.open(Media(asset_id=row.id))

    assert media.path.read_bytes() == HERO
    assert media == StoredMedia(
        path=media.path,
        kind="image",
        content_type="image/png",
        size_bytes=len(HERO),
        sha256=row.sha256.hex(),
        file_name="hero.png",
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("HERO.PNG", "HERO.PNG"),
        ("hero", "hero.png"),
        ("download.php", "download.php.png"),
        ("hero.webp", "hero.webp.png"),
    ],
)
async def test_a_file_is_called_by_an_ending_that_is_true(
    step: Step, pool: Pool, files: LocalAssetFiles, given: str, told: str
):
    row = await add(pool, files, step.team_id, HERO, given)

    media = await step.open(Media(asset_id=row.id))

    assert media.file_name == told


async def test_a_job_without_a_team_reads_assets_without_one(
    step: Step, pool: Pool, files: LocalAssetFiles
):
    row = await add(pool, files, None, CLIP, None)
    step.team_id = None

    media = await step.open(Media(asset_id=row.id), "video")

    assert media.path.read_bytes() == CLIP
    assert media.file_name == "video.mp4"


async def test_an_address_is_fetched_and_kept_as_an_asset(step: Step, pool: Pool):
    async with loopback(with_body(CLIP)) as server:
        media = await step.open(at(server, "clip.mp4?signature=secret"), "video", "clip")

    kept = await pool.fetchrow("select * from media_assets")
    assert kept is not None
    assert media.path.read_bytes() == CLIP
    assert (media.kind, media.content_type, media.file_name) == ("video", "video/mp4", "clip.mp4")
    assert (kept["origin"], kept["team_id"]) == ("url", step.team_id)
    assert step.progress == {"asset_id": str(kept["id"])}


async def test_a_later_run_reads_the_same_bytes_and_does_not_fetch_again(step: Step):
    async with loopback(with_body(HERO)) as server:
        first = await step.open(at(server))
        server.answer = with_body(CLIP)

        second = await step.open(at(server))

    assert second == first
    assert len(server.requests) == 1


async def test_bytes_that_were_lost_are_fetched_again_when_they_are_still_the_same(
    step: Step, files: LocalAssetFiles
):
    async with loopback(with_body(HERO)) as server:
        first = await step.open(at(server))
        await files.delete(first.sha256)

        second = await step.open(at(server))

    assert second.path.read_bytes() == HERO
    assert len(server.requests) == 2


async def test_other_bytes_in_the_middle_of_a_job_are_refused(step: Step, files: LocalAssetFiles):
    async with loopback(with_body(HERO)) as server:
        first = await step.open(at(server))
        await files.delete(first.sha256)
        server.answer = with_body(CLIP)

        error = await step.failure(at(server))

    assert isinstance(error, Reject)
    assert (error.code, error.pointer) == ("media_changed", "/media/hero/url")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (with_body(b"<!doctype html>"), "image", "media_not_an_image"),
        (with_body(b"<!doctype html>"), "video", "media_not_a_video"),
        (with_body(CLIP), "image", "media_not_an_image"),
        (with_body(HERO), "video", "media_not_a_video"),
        (with_body(b"", "Location: /other", status="302 Found"), "image", "media_redirected"),
        (with_body(b"", status="403 Forbidden"), "image", "media_status_403"),
        (with_body(b"", status="404 Not Found"), "image", "media_status_404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 31457281\r\n\r\n", "image", "media_too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4294967297\r\n\r\n", "video", "media_too_large"),
    ],
)
async def test_what_will_not_get_better_is_rejected(
    step: Step, answer: bytes, kind: str, code: str
):
    async with loopback(answer) as server:
        error = await step.failure(at(server), kind, "a/b~c")

    assert isinstance(error, Reject)
    assert (error.code, error.pointer) == (code, "/media/a~1b~0c/url")
    assert error.remedy


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (with_body(b"", status="500 Broken"), "media_status_500"),
        (with_body(b"", status="503 Busy"), "media_status_503"),
        (with_body(b"", status="429 Slow"), "media_status_429"),
        (b"", "media_unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut", "media_unreachable"),
    ],
)
async def test_what_may_get_better_is_tried_again(step: Step, answer: bytes, code: str):
    async with loopback(answer) as server:
        error = await step.failure(at(server))

    assert isinstance(error, Retry)
    assert (error.code, error.pointer) == (code, "/media/hero/url")
    assert step.progress == {}


@pytest.mark.parametrize("url", ["https://10.0.0.1/a.png", "https://[::1]/a", "http://8.8.8.8/a"])
async def test_an_address_that_is_not_public_is_rejected(step: Step, url: str):
    error = await step.failure(Media(url=url))

    assert isinstance(error, Reject)
    assert error.code == "media_address_refused"


async def test_an_asset_of_another_team_is_not_found(
    step: Step, pool: Pool, files: LocalAssetFiles
):
    row = await add(pool, files, None, HERO, "hero.png")

    errors = [await step.failure(Media(asset_id=i)) for i in (row.id, uuid4())]

    assert [(e.code, e.pointer) for e in errors] == [
        ("asset_not_found", "/media/hero/asset_id")
    ] * 2


async def test_an_asset_of_another_kind_is_rejected(step: Step, pool: Pool, files: LocalAssetFiles):
    row = await add(pool, files, step.team_id, HERO, "hero.png")

    error = await step.failure(Media(asset_id=row.id), "video")

    assert isinstance(error, Reject)
    assert (error.code, error.pointer) == ("media_not_a_video", "/media/hero/asset_id")


async def test_an_image_that_meta_knows_nothing_of_is_rejected_before_it_is_sent(
    step: Step, pool: Pool, files: LocalAssetFiles
):
    row = await add(pool, files, step.team_id, WEBP, "hero.webp")

    named = await step.failure(Media(asset_id=row.id))
    async with loopback(with_body(WEBP)) as server:
        fetched = await step.failure(at(server, "hero.webp"))

    assert isinstance(named, Reject)
    assert isinstance(fetched, Reject)
    assert [(e.code, e.pointer) for e in (named, fetched)] == [
        ("media_type_not_taken", "/media/hero/asset_id"),
        ("media_type_not_taken", "/media/hero/url"),
    ]


async def test_an_asset_whose_bytes_are_gone_is_rejected(
    step: Step, pool: Pool, files: LocalAssetFiles
):
    row = await add(pool, files, step.team_id, HERO, "hero.png")
    await files.delete(row.storage_key)

    error = await step.failure(Media(asset_id=row.id))

    assert isinstance(error, Reject)
    assert (error.code, error.retryable) == ("asset_bytes_missing", True)


async def test_an_image_above_metas_limit_is_rejected_whereever_it_comes_from(
    step: Step, pool: Pool, files: LocalAssetFiles
):
    padding = struct.pack(">I4s", LARGEST_FOR_META["image"], b"teXt") + bytes(
        LARGEST_FOR_META["image"]
    )
    checksum = bytes(4)
    row = await add(pool, files, step.team_id, HERO + padding + checksum, "huge.png")

    error = await step.failure(Media(asset_id=row.id))

    assert error.code == "media_too_large"


async def test_a_full_disk_is_a_matter_for_later(step: Step, tmp_path: Path):
    (tmp_path / "assets").write_text("a file where the folder should be")

    async with loopback(with_body(HERO)) as server:
        error = await step.failure(at(server))

    assert isinstance(error, Retry)
    assert error.code == "media_storage_failed"


async def test_generated_media_are_not_available_yet(step: Step):
    error = await step.failure(
        Media(generate=Generation(provider="gemini", kind="image", prompt="a glass"))
    )

    assert isinstance(error, Reject)
    assert (error.code, error.pointer) == ("generation_not_available", "/media/hero/generate")


@pytest.mark.parametrize("source", ["address", "asset"])
async def test_a_database_that_is_away_is_neither_a_full_disk_nor_an_attempt(
    step: Step, pool: Pool, source: str, monkeypatch: pytest.MonkeyPatch
):
    """Errors of the way to it are errors of the system, too, as those of a disk are."""
    monkeypatch.setattr(databases, "_LONGEST_ACQUIRE_SECONDS", 0.1)

    async with loopback(with_body(HERO)) as server, pool.acquire(), pool.acquire():
        media = at(server) if source == "address" else Media(asset_id=uuid4())
        error = await step.failure(media)

    assert isinstance(error, Wait)
    assert (error.code, error.reason) == ("database_away", "retry")

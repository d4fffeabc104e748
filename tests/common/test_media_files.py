"""Files of every kind that we know, broken ones, and such that only pretend."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from common.media_files import MediaFacts, NotMedia, examine

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIP = (EXAMPLES / "clip.mp4").read_bytes()
HERO = (EXAMPLES / "hero.png").read_bytes()


def picture(form: str, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize(size).save(file, form, **options)
    return file.getvalue()


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def movie(*, matrix: tuple[int, ...] = (65536, 0, 0, 0, 65536), duration: int = 4000) -> bytes:
    track = box(b"tkhd", bytes(40) + struct.pack(">5i", *matrix) + bytes(16) + size(640, 360))
    handler = box(b"mdia", box(b"hdlr", bytes(8) + b"vide"))
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, duration))
    return box(b"moov", header + box(b"trak", track + handler))


def size(width: int, height: int) -> bytes:
    return struct.pack(">II", width << 16, height << 16)


def look(folder: Path, content: bytes, name: str = "file") -> MediaFacts:
    path = folder / name
    path.write_bytes(content)
    return examine(path)


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
    ],
)
def test_an_image_tells_its_type_and_size(tmp_path: Path, form: str, content_type: str):
    facts = look(tmp_path, picture(form), name="lies.mp4")

    assert facts == MediaFacts(kind="image", content_type=content_type, width=40, height=30)


def test_a_video_tells_its_size_and_length():
    facts = examine(EXAMPLES / "clip.mp4")

    assert facts == MediaFacts(
        kind="video", content_type="video/mp4", width=720, height=720, duration_seconds=4.0
    )


def test_a_movie_without_file_type_is_quicktime(tmp_path: Path):
    facts = look(tmp_path, box(b"wide") + box(b"mdat", b"pictures") + movie())

    assert facts == MediaFacts(
        kind="video", content_type="video/quicktime", width=640, height=360, duration_seconds=4.0
    )


def test_a_quarter_turn_exchanges_width_and_height(tmp_path: Path):
    turned = movie(matrix=(0, 65536, 0, -65536, 0))

    facts = look(tmp_path, box(b"ftyp", b"isom") + turned)

    assert (facts.width, facts.height) == (360, 640)


def test_an_unknown_length_is_none(tmp_path: Path):
    facts = look(tmp_path, box(b"ftyp", b"isom") + movie(duration=0xFFFFFFFF))

    assert facts.duration_seconds is None


def test_a_movie_without_pictures_is_audio(tmp_path: Path):
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 2500))

    facts = look(tmp_path, box(b"ftyp", b"M4A ") + box(b"moov", header))

    assert facts == MediaFacts(kind="audio", content_type="audio/mp4", duration_seconds=2.5)


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"ID3\x04" + bytes(20), "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(20), "audio/mpeg"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), "audio/wav"),
    ],
)
def test_audio_is_recognised(tmp_path: Path, head: bytes, content_type: str):
    assert look(tmp_path, head) == MediaFacts(kind="audio", content_type=content_type)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><title>404</title>",
        b"%PDF-1.7\n" + bytes(100),
        b"RIFF\x24\0\0\0AVI " + bytes(40),
        b"\xff\xff\xff\xff" + bytes(40),
        box(b"ftyp", b"avif") + box(b"meta", bytes(40)),
        box(b"ftyp", b"heic") + box(b"meta", bytes(40)),
    ],
    ids=["empty", "one byte", "svg", "html", "pdf", "avi", "no mp3", "avif", "heic"],
)
def test_anything_else_is_not_media(tmp_path: Path, content: bytes):
    with pytest.raises(NotMedia) as caught:
        look(tmp_path, content)

    assert caught.value.code == "not_media"
    assert "MP3, WAV or M4A" in caught.value.message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty, no PNG, "),
        (b"\n<!DOCTYPE html><title>Hero</title>", "the bytes are a web page, no PNG, "),
        (b"<HTML>", "the bytes are a web page, no PNG, "),
        (b"hero.png", "the bytes are no PNG, "),
    ],
)
def test_what_is_often_sent_instead_is_told(tmp_path: Path, content: bytes, told: str):
    with pytest.raises(NotMedia) as caught:
        look(tmp_path, content)

    assert caught.value.message.startswith(told)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_that_is_cut_off_is_not_media(tmp_path: Path, form: str):
    whole = picture(form, size=(300, 200))

    with pytest.raises(NotMedia):
        look(tmp_path, whole[: len(whole) // 2])


def test_a_png_with_a_changed_byte_is_not_media(tmp_path: Path):
    middle = len(HERO) // 2
    changed = HERO[:middle] + bytes([HERO[middle] ^ 1]) + HERO[middle + 1 :]

    with pytest.raises(NotMedia):
        look(tmp_path, changed)


def test_a_video_that_is_cut_off_is_not_media(tmp_path: Path):
    with pytest.raises(NotMedia, match="cut off"):
        look(tmp_path, CLIP[:-1])


@pytest.mark.parametrize("dimensions", [(20_000, 20_000), (9_000, 9_000)])
def test_a_small_file_that_claims_endless_pixels_is_not_media(
    tmp_path: Path, dimensions: tuple[int, int]
):
    bomb = bytearray(HERO)
    bomb[16:24] = struct.pack(">II", *dimensions)

    with pytest.raises(NotMedia):
        look(tmp_path, bytes(bomb))


@pytest.mark.parametrize(
    "content",
    [
        box(b"moov", struct.pack(">I4s", 4, b"trak")),
        box(b"moov", struct.pack(">I4s", 99, b"trak")),
        box(b"moov", box(b"mvhd", b"short")),
        box(b"moov", box(b"trak", box(b"tkhd", b"short"))),
        box(b"moov", box(b"trak", box(b"mdia", box(b"hdlr", b"short")))),
        box(b"moov", box(b"tkhd", bytes(100))),
        box(b"free") * 10_001,
        box(b"free") * 100,
        struct.pack(">I4sQ", 1, b"free", 3),
    ],
    ids=[
        "box below its header",
        "box above its parent",
        "short movie header",
        "short track header",
        "short handler",
        "no track",
        "endless boxes",
        "no movie",
        "large size too small",
    ],
)
def test_boxes_that_make_no_sense_are_not_media(tmp_path: Path, content: bytes):
    with pytest.raises(NotMedia):
        look(tmp_path, content)


def test_boxes_nested_without_end_are_not_media(tmp_path: Path):
    nested = b""
    for _ in range(2000):
        nested = box(b"moov", nested)

    with pytest.raises(NotMedia, match="too deep"):
        look(tmp_path, nested)


def test_sizes_of_sixty_four_bits_and_to_the_end_are_read(tmp_path: Path):
    large = struct.pack(">I4sQ", 1, b"free", 16)
    last = struct.pack(">I4s", 0, b"mdat") + b"pictures"

    facts = look(tmp_path, box(b"ftyp", b"isom") + large + movie() + last)

    assert facts.width == 640


def test_a_movie_in_fragments_tells_its_length_apart(tmp_path: Path):
    header = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 0))
    extends = box(b"mvex", box(b"mehd", bytes(4) + struct.pack(">I", 7500)))

    facts = look(tmp_path, box(b"ftyp", b"isom") + box(b"moov", header + extends))

    assert facts.duration_seconds == 7.5

"""Size and length of MP4 and MOV files, from their boxes (ISO/IEC 14496-12); nothing is decoded."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

MOST_BOXES = 10_000
LARGEST_HEADER = 256
DEEPEST = 6
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"mvex"})
_FIXED_POINT = 1 << 16


class BrokenVideo(Exception):
    """The boxes do not fit into each other or into the file."""


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """What the movie box says. No width: there is no picture, it is sound alone."""

    is_quicktime: bool
    width: int | None
    height: int | None
    duration_seconds: float | None


class _Box(msgspec.Struct, frozen=True):
    kind: bytes
    start: int
    end: int


class _Track(msgspec.Struct):
    handler: bytes = b""
    width: int = 0
    height: int = 0


class _Movie(msgspec.Struct):
    brand: bytes = b"qt  "
    timescale: int = 0
    duration: int = 0
    fragments_duration: int = 0
    has_movie: bool = False
    tracks: list[_Track] = []
    seen: int = 0


def read_video(file: BinaryIO) -> Video:
    """Reads the boxes, skipping the pictures. Raises BrokenVideo."""
    movie = _Movie()
    end = file.seek(0, 2)
    try:
        _read(file, _Box(b"file", 0, end), movie, depth=0)
    except struct.error as error:
        raise BrokenVideo("a box is shorter than its kind") from error
    if not movie.has_movie:
        raise BrokenVideo("it has no moov box")
    return _video(movie)


def _video(movie: _Movie) -> Video:
    pictures = [t for t in movie.tracks if t.handler == b"vide" and t.width and t.height]
    largest = max(pictures, key=lambda track: track.width * track.height, default=None)
    length = movie.duration or movie.fragments_duration
    return Video(
        is_quicktime=movie.brand == b"qt  ",
        width=None if largest is None else largest.width,
        height=None if largest is None else largest.height,
        duration_seconds=round(length / movie.timescale, 3) if length and movie.timescale else None,
    )


def _read(file: BinaryIO, within: _Box, movie: _Movie, depth: int) -> None:
    if depth > DEEPEST:
        raise BrokenVideo("its boxes stand too deep in each other")
    for box in _boxes(file, within.start, within.end, movie):
        if box.kind == b"moov":
            movie.has_movie = True
        if box.kind == b"trak":
            movie.tracks.append(_Track())
        if box.kind in _CONTAINERS:
            _read(file, box, movie, depth + 1)
        elif box.kind in _READERS:
            file.seek(box.start)
            _READERS[box.kind](file.read(min(box.end - box.start, LARGEST_HEADER)), movie)


def _boxes(file: BinaryIO, start: int, end: int, movie: _Movie) -> Iterator[_Box]:
    while start + 8 <= end:
        movie.seen += 1
        if movie.seen > MOST_BOXES:
            raise BrokenVideo("it has too many boxes")
        box = _box_at(file, start, end)
        yield box
        start = box.end


def _box_at(file: BinaryIO, start: int, end: int) -> _Box:
    file.seek(start)
    size, kind = struct.unpack(">I4s", file.read(8))
    header = 8
    if size == 1:
        (size,) = struct.unpack(">Q", file.read(8))
        header = 16
    elif size == 0:
        size = end - start
    if size < header or start + size > end:
        raise BrokenVideo("it is cut off, or a box is larger than what holds it")
    return _Box(kind, start + header, start + size)


def _file_type(body: bytes, movie: _Movie) -> None:
    movie.brand = body[:4]


def _movie_header(body: bytes, movie: _Movie) -> None:
    layout = ">20xIQ" if body[:1] == b"\1" else ">12xII"
    movie.timescale, movie.duration = _unpack(layout, body)
    if movie.duration in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
        movie.duration = 0  # written where the length is not known


def _fragments_header(body: bytes, movie: _Movie) -> None:
    (movie.fragments_duration,) = _unpack(">4xQ" if body[:1] == b"\1" else ">4xI", body)


def _track_header(body: bytes, movie: _Movie) -> None:
    """Width and height as shown: a quarter turn in the matrix exchanges them."""
    matrix = 52 if body[:1] == b"\1" else 40
    a, _, _, _, d = _unpack(f">{matrix}xiiiii", body)
    width, height = (n // _FIXED_POINT for n in _unpack(f">{matrix + 36}xII", body))
    turned = a == 0 and d == 0
    track = _open_track(movie)
    track.width, track.height = (height, width) if turned else (width, height)


def _handler(body: bytes, movie: _Movie) -> None:
    if len(body) < 12:
        raise BrokenVideo("a handler box is too short")
    track = _open_track(movie)
    track.handler = track.handler or body[8:12]


def _open_track(movie: _Movie) -> _Track:
    if not movie.tracks:
        raise BrokenVideo("a track's box stands outside of a track")
    return movie.tracks[-1]


def _unpack(layout: str, body: bytes) -> tuple[int, ...]:
    return struct.unpack_from(layout, body)


_READERS = {
    b"ftyp": _file_type,
    b"mvhd": _movie_header,
    b"mehd": _fragments_header,
    b"tkhd": _track_header,
    b"hdlr": _handler,
}

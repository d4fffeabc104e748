"""Files in requests: read while they are sent, so that a piece of each is in memory and no more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from io import BufferedReader
from pathlib import Path

import httpx
import msgspec

PIECE = 256 * 1024


class Unread(Exception):
    """The file could not be read; whoever it was sent to has nothing to do with it."""


class SentFile(msgspec.Struct, frozen=True):
    """A field of a form: so many bytes of a local file."""

    field: str
    path: Path
    size: int
    name: str
    content_type: str
    start: int = 0


def form(
    url: httpx.URL, params: dict[str, str], file: SentFile, headers: dict[str, str]
) -> httpx.Request:
    """As httpx writes one, the file behind all other fields."""
    nothing = {file.field: (file.name, b"", file.content_type)}
    empty = httpx.Request("POST", url, data=params, files=nothing, headers=headers)
    kind = empty.headers["Content-Type"]
    tail = f"\r\n--{kind.partition('boundary=')[2]}--\r\n".encode()
    head = empty.read().removesuffix(tail)
    length = len(head) + file.size + len(tail)
    sent = {**headers, "Content-Type": kind, "Content-Length": str(length)}
    return httpx.Request("POST", url, content=_pieces(head, file, tail), headers=sent)


async def _pieces(head: bytes, file: SentFile, tail: bytes) -> AsyncIterator[bytes]:
    yield head
    with await _told(_opened, file) as opened:
        left = file.size
        while left:
            piece = await _told(opened.read, min(left, PIECE))
            if not piece:
                raise Unread("it is shorter than it was")
            left -= len(piece)
            yield piece
    yield tail


async def _told[**Given, Got](
    read: Callable[Given, Got], *given: Given.args, **named: Given.kwargs
) -> Got:
    try:
        return await asyncio.to_thread(read, *given, **named)
    except OSError as error:
        raise Unread(error.strerror or type(error).__name__) from error


def _opened(file: SentFile) -> BufferedReader:
    opened = file.path.open("rb")
    opened.seek(file.start)
    return opened

"""Files in requests: read while they are sent, so that a piece of each is in memory and no more."""

import asyncio
from collections.abc import AsyncIterator
from io import BufferedReader
from pathlib import Path

import httpx
import msgspec

PIECE = 256 * 1024


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
    with await asyncio.to_thread(_opened, file) as opened:
        left = file.size
        while left:
            piece = await asyncio.to_thread(opened.read, min(left, PIECE))
            if not piece:
                raise EOFError(f"the file of {file.field} is shorter than it was")
            left -= len(piece)
            yield piece
    yield tail


def _opened(file: SentFile) -> BufferedReader:
    opened = file.path.open("rb")
    opened.seek(file.start)
    return opened

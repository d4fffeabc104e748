"""Where the bytes of assets are kept: a small interface, and a folder of this machine behind it."""

import asyncio
import contextlib
import hashlib
import os
import re
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import uuid4

import msgspec

_KEY = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20
_ABANDONED_SECONDS = 24 * 3600.0


class KeptBytes(msgspec.Struct, frozen=True):
    """Bytes that are kept. Equal bytes have the same key and are kept once."""

    key: str
    sha256: bytes
    size_bytes: int


class AssetFiles(Protocol):
    """What a keeper of bytes does. Keys are its own; whoever asks for one that it never gave out
    is told that nothing is there (FileNotFoundError)."""

    async def put[T](
        self, chunks: AsyncIterable[bytes], examine: Callable[[Path], T]
    ) -> tuple[KeptBytes, T]:
        """Keeps the bytes once `examine` has seen them whole in a local file; when it or the
        chunks raise, nothing is kept. `examine` may block."""
        ...

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """The bytes in blocks."""
        ...

    async def path(self, key: str) -> Path:
        """A local file with the bytes, to be read only."""
        ...

    async def delete(self, key: str) -> None:
        """Forgets the bytes; it does not matter if they are gone already."""
        ...


class LocalAssetFiles:
    """Keeps bytes under their hash in a folder, readable by its owner alone. Processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._swept = False

    async def put[T](
        self, chunks: AsyncIterable[bytes], examine: Callable[[Path], T]
    ) -> tuple[KeptBytes, T]:
        """Written aside, then renamed: a file under its hash is always whole."""
        aside = await asyncio.to_thread(self._make_room)
        try:
            with await asyncio.to_thread(_create, aside) as file:
                digest, size = await _write(file, chunks)
                await asyncio.to_thread(_make_durable, file)
            seen = await asyncio.to_thread(examine, aside)
            await asyncio.to_thread(self._keep, aside, digest.hex())
        finally:
            # nothing is left to wait for when the request was cancelled, so this one call blocks
            aside.unlink(missing_ok=True)
        return KeptBytes(digest.hex(), digest, size), seen

    async def open(self, key: str) -> AsyncIterator[bytes]:
        """The file is open when this returns, so a missing one is noticed before the first block."""
        file = await asyncio.to_thread(self._path(key).open, "rb")
        return _blocks(file)

    async def path(self, key: str) -> Path:
        """The file itself."""
        path = self._path(key)
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(key)
        return path

    async def delete(self, key: str) -> None:
        """The caller knows that no other asset has the same bytes."""
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(self._path(key).unlink)

    def _path(self, key: str) -> Path:
        """Only a hash names a file, so that no key leads out of the folder."""
        if not _KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return self._folder / key[:2] / key

    def _make_room(self) -> Path:
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._swept:
            _sweep(self._incoming)
            self._swept = True
        return self._incoming / uuid4().hex

    def _keep(self, aside: Path, key: str) -> None:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        aside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


async def _write(file: BinaryIO, chunks: AsyncIterable[bytes]) -> tuple[bytes, int]:
    """Gathers small chunks, so that a block costs one change of thread."""
    digest, size, block = hashlib.sha256(), 0, bytearray()

    def flush() -> None:
        digest.update(block)
        file.write(block)

    async for chunk in chunks:
        block += chunk
        if len(block) >= _BLOCK:
            await asyncio.to_thread(flush)
            size += len(block)
            block.clear()
    await asyncio.to_thread(flush)
    return digest.digest(), size + len(block)


async def _blocks(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while block := await asyncio.to_thread(file.read, _BLOCK):
            yield block


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _make_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sweep(incoming: Path) -> None:
    """Removes what processes that died left behind."""
    for path in incoming.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                path.unlink()

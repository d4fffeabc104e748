"""Bytes kept in a folder: once, whole or not at all, and never outside of it."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from common.asset_files import KeptBytes, LocalAssetFiles

HELLO = hashlib.sha256(b"hello world").hexdigest()


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken_stream() -> AsyncIterator[bytes]:
    yield b"half"
    raise ConnectionResetError


def nothing(_: Path) -> None:
    pass


async def put(files: LocalAssetFiles, *chunks: bytes) -> KeptBytes:
    kept, _ = await files.put(stream(*chunks), nothing)
    return kept


async def read(files: LocalAssetFiles, key: str) -> bytes:
    return b"".join([block async for block in await files.open(key)])


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def modes(paths: Iterable[Path]) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in paths}


async def test_bytes_are_kept_under_their_hash(tmp_path: Path):
    files = LocalAssetFiles(tmp_path / "assets")

    kept = await put(files, b"hello ", b"world")

    assert kept == KeptBytes(HELLO, bytes.fromhex(HELLO), 11)
    assert await read(files, kept.key) == b"hello world"
    assert (await files.path(kept.key)).read_bytes() == b"hello world"


async def test_equal_bytes_are_kept_once(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)

    await asyncio.gather(*(put(files, b"hello world") for _ in range(8)))

    assert [path.name for path in files_under(tmp_path)] == [HELLO]


async def test_many_small_and_large_chunks_arrive_in_order(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)
    chunks = [bytes([n % 251]) * 7919 for n in range(400)]

    kept = await put(files, *chunks)

    assert await read(files, kept.key) == b"".join(chunks)
    assert kept.size_bytes == 400 * 7919


async def test_what_was_seen_before_keeping_is_answered(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)

    _, seen = await files.put(stream(b"hello"), lambda path: path.read_bytes().upper())

    assert seen == b"HELLO"


async def test_nothing_is_kept_of_a_stream_that_breaks(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)

    with pytest.raises(ConnectionResetError):
        await files.put(broken_stream(), nothing)

    assert files_under(tmp_path) == []


async def test_nothing_is_kept_of_what_is_not_wanted(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)

    def refuse(_: Path) -> None:
        raise ValueError("not this")

    with pytest.raises(ValueError, match="not this"):
        await files.put(stream(b"hello"), refuse)

    assert files_under(tmp_path) == []


async def test_only_the_owner_can_read_files_and_folders(tmp_path: Path):
    files = LocalAssetFiles(tmp_path / "assets")

    await put(files, b"hello")

    assert modes(files_under(tmp_path)) == {0o600}
    assert modes(p for p in (tmp_path / "assets").iterdir()) == {0o700}


@pytest.mark.parametrize(
    "key",
    ["../../etc/passwd", "/etc/passwd", "", ".", "incoming", "a" * 63, "A" * 64, HELLO + "\n"],
)
async def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str):
    files = LocalAssetFiles(tmp_path)

    for use in (files.open, files.path):
        with pytest.raises(FileNotFoundError):
            await use(key)


async def test_bytes_that_are_gone_are_noticed_before_the_first_block(tmp_path: Path):
    files = LocalAssetFiles(tmp_path)
    kept = await put(files, b"hello")

    await files.delete(kept.key)
    await files.delete(kept.key)

    with pytest.raises(FileNotFoundError):
        await files.open(kept.key)


async def test_leftovers_of_dead_processes_are_removed_after_a_day(tmp_path: Path):
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    old, young = incoming / "old", incoming / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))

    await put(LocalAssetFiles(tmp_path), b"hello")

    assert list(incoming.iterdir()) == [young]

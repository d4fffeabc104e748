"""A platform that answers every call as a function of ours says, and keeps what it was asked."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import parse_qs

from workers.platforms.meta import Meta


class Host:
    """`answers` gets method, last part of the path and fields; it gives JSON, or a status and a body."""

    def __init__(self, answers: Callable[[str, str, dict[str, str]], Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self.headers: dict[str, str] = {}
        self.body = b""
        """Of the call that is being answered."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = self.body = await reader.readexactly(int(length[1])) if length else b""
            method, path, *_ = head.split(" ")
            fields = {name: found[0] for name, found in parse_qs(body.decode("latin-1")).items()}
            call = method, path.split("?")[0].rsplit("/", 1)[1], fields
            self.calls.append(call)
            told = self.answers(*call)
            status, text = told if isinstance(told, tuple) else (200, json.dumps(told))
            content = text if isinstance(text, bytes) else text.encode()
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in self.headers.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + content)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def hosted(host: Host) -> AsyncGenerator[Meta]:
    """An adapter whose accounts all live there."""
    listening = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    meta = Meta(
        live_base_url=url, live_video_base_url=url, sandbox_base_url=url, api_version="v26.0"
    )
    try:
        yield meta
    finally:
        await meta.close()
        listening.close()

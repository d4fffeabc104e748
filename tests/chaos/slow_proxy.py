"""Stands between the product and PostgreSQL, and delays, swallows, resets or refuses what passes."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from tests.free_ports import free_port


class Passage:
    """One connection through the proxy. `name` is the application_name that it gave."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> None:
        self.task = task
        self.reader = reader
        self.writer = writer
        self.name = ""
        self.is_swallowed = False

    def swallow(self) -> None:
        """From now on nothing arrives, in neither direction, and nobody is told."""
        self.is_swallowed = True

    def reset(self) -> None:
        """Both sides learn at once that it is over."""
        self.writer.transport.abort()


class SlowProxy:
    """Forwards TCP connections to the unix socket of a server."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self.port = free_port()
        self.delay_seconds = 0.0
        """Every reply of the server comes so much later."""
        self.passages: list[Passage] = []
        self.unheard: set[str] = set()
        """Who gives itself such a name is swallowed from its first word on."""
        self.is_lost: Callable[[], Awaitable[bool]] | None = None
        """Asked before each reply of the server; the connection of one that is lost is reset instead."""

    async def open(self) -> None:
        """Takes connections, on the same port as before."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    def refuse(self) -> None:
        """Resets what is there and refuses what comes, until opened again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for passage in self.passages:
            passage.reset()

    def lead_to(self, upstream: Path, *names: str) -> None:
        """From now on to another server; of the open connections those of such names are reset, or all."""
        self._upstream = upstream
        for passage in list(self.passages):
            if not names or passage.name in names:
                passage.reset()

    async def emptied(self) -> None:
        """Returns when nothing is on its way any more."""
        for passage in list(self.passages):
            await asyncio.gather(passage.task, return_exceptions=True)

    def swallow(self) -> None:
        """Connections stay open and say nothing more; new ones are taken and never answered."""
        self.delay_seconds = 3600.0
        for passage in self.passages:
            passage.swallow()

    def named(self, name: str) -> list[Passage]:
        """The open connections that gave themselves that name."""
        return [passage for passage in self.passages if passage.name == name]

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        passage = Passage(reader, writer, task)
        self.passages.append(passage)
        try:
            with contextlib.suppress(OSError):
                if self._server is not None:  # else it was taken in the moment before the refusal
                    await self._forward(passage)
        finally:
            self.passages.remove(passage)
            writer.transport.abort()

    async def _forward(self, passage: Passage) -> None:
        answers, upstream = await asyncio.open_unix_connection(self._upstream)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._asking(passage, upstream))
                group.create_task(self._answering(passage, answers))
        except* (OSError, EOFError):
            pass
        finally:
            upstream.transport.abort()

    async def _asking(self, passage: Passage, upstream: asyncio.StreamWriter) -> None:
        while data := await passage.reader.read(65536):
            passage.name = passage.name or _application_name(data)
            passage.is_swallowed |= passage.name in self.unheard
            if not passage.is_swallowed:
                upstream.write(data)
                await upstream.drain()
        raise EOFError

    async def _answering(self, passage: Passage, answers: asyncio.StreamReader) -> None:
        while data := await answers.read(65536):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)  # the slowness that is imitated
            if self.is_lost is not None and await self.is_lost():
                passage.reset()
                raise EOFError
            if not passage.is_swallowed:
                passage.writer.write(data)
                await passage.writer.drain()
        raise EOFError


def _application_name(data: bytes) -> str:
    _, found, rest = data.partition(b"application_name\0")
    return rest.partition(b"\0")[0].decode() if found else ""


@contextlib.asynccontextmanager
async def opened_proxy(upstream: Path) -> AsyncGenerator[SlowProxy]:
    """A proxy that takes connections as long as the block lasts."""
    proxy = SlowProxy(upstream)
    await proxy.open()
    try:
        yield proxy
    finally:
        proxy.refuse()
        await proxy.emptied()

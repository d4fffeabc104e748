"""Wakes whoever listens after a commit: the first of a burst at once, then at most one in a while.

A notifying commit takes a lock of the whole server, so nobody notifies in the transaction that he tells
of. A lost wake-up costs a listener its next look, never a row.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from common.seldom import Seldom
from common.tasks import Company
from models.database import DATABASE_FAILURES, connect
from models.listener import CHANNEL

_RECONNECT_SECONDS = 0.5
_SETTINGS = {
    # a notification has nothing that could be lost with the server's memory
    "synchronous_commit": "off",
}


class Notifier:
    """One connection of its own; `async with` opens and closes it.

    Waits `pause_seconds` between two notifications, whatever was told meanwhile goes in one.
    """

    def __init__(
        self,
        database_url: str,
        *,
        pause_seconds: float = 0.001,
        name: str = "mojito notifier",
        company: Company | None = None,
    ) -> None:
        self._url = database_url
        self._name = name
        self._pause_seconds = pause_seconds
        self._wanted = asyncio.Event()
        self._channels: set[str] = set()
        self._company = company or Company()
        self._running: AbstractAsyncContextManager[None] | None = None
        self._seldom = Seldom()

    async def __aenter__(self) -> Self:
        self._running = self._company.beside(notifier=self._run())
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._running is not None:
            await self._running.__aexit__(kind, error, trace)

    def notify(self, channel: str = CHANNEL) -> None:
        """Something is committed: new work, or what another channel is for. Returns at once, never fails."""
        self._channels.add(channel)
        self._wanted.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except DATABASE_FAILURES as error:
                self._seldom.warning("notifier.disconnected", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _serve(self) -> None:
        """Until the connection is lost. What was wanted in between is told after reconnecting."""
        connection = await connect(self._url, name=self._name, settings=_SETTINGS)
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                channels, self._channels = self._channels, set()
                try:
                    await connection.execute("; ".join(f"notify {channel}" for channel in channels))
                except BaseException:
                    self._channels |= channels
                    self._wanted.set()
                    raise
                await asyncio.sleep(self._pause_seconds)
        finally:
            connection.terminate()

"""Wakes workers after a commit: the first of a burst at once, then at most one each millisecond.

A notifying commit takes a lock of the whole server, so requests never notify in their own
transaction. A lost wake-up costs a worker's next look, never a job.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import structlog

from models.database import DATABASE_FAILURES, connect
from models.listener import CHANNEL

_PAUSE_SECONDS = 0.001
_RECONNECT_SECONDS = 0.5

log = structlog.get_logger()


class Notifier:
    """One connection of its own; `async with` opens and closes it."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="notifier")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def notify(self) -> None:
        """New work is committed. Returns at once and never fails."""
        self._wanted.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except DATABASE_FAILURES as error:
                log.warning("notifier.disconnected", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _serve(self) -> None:
        """Until the connection is lost. What was wanted in between is told after reconnecting."""
        connection = await connect(self._url, name="mojito notifier")
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                try:
                    await connection.execute(f"notify {CHANNEL}")
                except BaseException:
                    self._wanted.set()
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            connection.terminate()

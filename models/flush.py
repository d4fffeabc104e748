"""Concurrent writes share statements: whatever gathered while the last flush ran goes in one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import asyncpg
import structlog

from common import clock
from common.seldom import Seldom
from models.database import (
    CONNECTION_FAILURES,
    HOT_SETTINGS,
    Connect,
    connect,
    wait_for_disk,
)

log = structlog.get_logger()

type Connection = asyncpg.Connection[asyncpg.Record]
AGAIN = (
    *CONNECTION_FAILURES,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
    # after a failover, from the server that was the primary until then
    asyncpg.ReadOnlySQLTransactionError,
)
_ELSEWHERE = (*CONNECTION_FAILURES, asyncpg.ReadOnlySQLTransactionError)
"""What another connection may do better."""


class Ear[Answer](Protocol):
    """Hears what became of an item; a future is one."""

    def done(self) -> bool:
        """Whether nobody waits for it any more: then it is not written, if it is not yet on its way."""
        ...

    def set_result(self, result: Answer, /) -> None:
        """It is written."""
        ...

    def set_exception(self, exception: Exception, /) -> None:
        """It is not, or nobody knows."""
        ...


class Flusher[Item, Answer]:
    """Collects items and writes them in batches over one connection of its own.

    `write` gets a batch and returns an answer for each item, in order. An item that PostgreSQL refuses
    fails alone, its neighbours are written. When the connection is lost nobody knows whether the
    statement was committed: a `write` that is safe to repeat is repeated after the failures named in
    `again`, else every caller of the batch hears of it. `flushed` is told of each batch that was written,
    `took` under which name and in how many seconds, repeats included. Should it die all the same, whoever
    waits, or comes, hears `unwritten`.
    """

    def __init__(
        self,
        url: str,
        write: Callable[[Connection, list[Item]], Awaitable[list[Answer]]],
        *,
        name: str,
        largest: int = 500,
        again: tuple[type[Exception], ...] = AGAIN,
        settings: dict[str, str] = HOT_SETTINGS,
        flushed: Callable[[list[Item], list[Answer]], None] | None = None,
        took: Callable[[str, float], None] | None = None,
        connect: Connect = connect,
        unwritten: Callable[[str], Exception] = ConnectionError,
    ) -> None:
        self._url = url
        self._write = write
        self._name = name
        self._largest = largest
        self._again = again
        self._settings = settings
        self._flushed = flushed
        self._took = took
        self._connect = connect
        self._unwritten = unwritten
        self._is_dead = False
        self._waiting: list[tuple[Item, Ear[Answer]]] = []
        self._something = asyncio.Event()
        self._connection: Connection | None = None
        self._seldom = Seldom()

    def submit(self, item: Item) -> asyncio.Future[Answer]:
        """Durable when it is done; without a coroutine of its own for each item."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.hand_over(item, future)
        return future

    def hand_over(self, item: Item, ear: Ear[Answer]) -> None:
        """Returns at once; `ear` hears later what became of it."""
        if self._is_dead:
            self._bury([(item, ear)])
            return
        self._waiting.append((item, ear))
        self._something.set()

    async def run(self) -> None:
        """Flushes until cancelled."""
        batch: list[tuple[Item, Ear[Answer]]] = []
        try:
            while True:
                await self._something.wait()
                batch = self._waiting[: self._largest]
                del self._waiting[: self._largest]
                if not self._waiting:
                    self._something.clear()
                await self._flush([pair for pair in batch if not pair[1].done()])
        except Exception:
            self._is_dead = True
            self._bury([*batch, *self._waiting])
            raise
        finally:
            if self._connection is not None:
                self._connection.terminate()

    def _bury(self, pairs: list[tuple[Item, Ear[Answer]]]) -> None:
        """Nobody waits for what will not come."""
        for _, ear in pairs:
            try:
                _fail(ear, self._unwritten(f"nothing more is written: {self._name} have died"))
            except Exception:
                log.exception("flush.not_told", flusher=self._name)

    async def _flush(self, batch: list[tuple[Item, Ear[Answer]]]) -> None:
        if not batch:
            return
        began_at = clock.seconds()
        try:
            answers = await self._write_durably([item for item, _ in batch])
        except _ELSEWHERE as error:
            for _, ear in batch:
                _fail(ear, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to one row's caller
            if len(batch) > 1:
                log.warning("flush.refused", flusher=self._name, rows=len(batch), error=str(error))
                for pair in batch:
                    await self._flush([pair])
            else:
                _fail(batch[0][1], error)
            return
        for (_, ear), answer in zip(batch, answers, strict=True):
            if not ear.done():
                ear.set_result(answer)
        if self._flushed is not None:
            self._flushed([item for item, _ in batch], answers)
        if self._took is not None:
            self._took(self._name, clock.seconds() - began_at)

    async def _write_durably(self, items: list[Item]) -> list[Answer]:
        delay = 0.05
        while True:
            try:
                return await self._write(await self._connected(), items)
            except (*_ELSEWHERE, *self._again) as error:
                if isinstance(error, _ELSEWHERE) and self._connection is not None:
                    self._connection.terminate()
                if not isinstance(error, self._again):
                    raise
                self._seldom.warning(
                    "flush.repeated", flusher=self._name, error=type(error).__name__
                )
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                connection = await self._connect(
                    self._url, name=f"mojito {self._name}", settings=self._settings
                )
                await wait_for_disk(connection)
                self._connection = connection
            except asyncpg.PostgresError as error:
                # whatever the reason, it is none of the items
                raise ConnectionError(f"the database lets nobody in: {error}") from error
        return self._connection


def _fail[Answer](ear: Ear[Answer], error: Exception) -> None:
    if not ear.done():
        ear.set_exception(error)

"""Writes into the audit log that this worker opened the credentials of accounts, beside the work itself.

A worker opens them for every job, so one entry stands for an hour of them, or until they are replaced.
Entries follow the reads within seconds; those of a worker that is killed in between are lost.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple
from uuid import UUID

from common import clock
from common.seldom import Seldom
from common.tasks import Company, at_once
from models.database import DATABASE_FAILURES, Pool
from models.gen import audit_log

type OpenSecret = Callable[[bytes, str, UUID, str], bytes]

_HOUR_SECONDS = 3600.0
_PAUSE_SECONDS = 1.0
_MOST_KNOWN = 10_000


class _Write(NamedTuple):
    """What is written together. Nobody knows whether it stands until an answer came; where it does, its
    entries have higher numbers than `after_number`."""

    after_number: int
    ids: list[UUID]


class CredentialReads:
    """`open` stands in for the keyring's."""

    def __init__(
        self,
        pool: Pool,
        worker_id: UUID,
        open_secret: OpenSecret,
        *,
        seconds: Callable[[], float] = clock.seconds,
        company: Company | None = None,
    ) -> None:
        self._pool = pool
        self._actor = f"worker:{worker_id}"
        self._open = open_secret
        self._seconds = seconds
        self._company = company or Company()
        self._told: OrderedDict[UUID, tuple[bytes, float]] = OrderedDict()
        self._untold: set[UUID] = set()
        self._begun: _Write | None = None
        self._something = asyncio.Event()
        self._turn = asyncio.Lock()

    def open(self, sealed: bytes, table: str, row_id: UUID, field: str) -> bytes:
        """The secret; that it was opened is noted."""
        plain = self._open(sealed, table, row_id, field)
        known, until = self._told.get(row_id, (b"", 0.0))
        if known != sealed or self._seconds() >= until:
            self._told[row_id] = (sealed, self._seconds() + _HOUR_SECONDS)
            self._untold.add(row_id)
            self._something.set()
            if len(self._told) > _MOST_KNOWN:
                self._told.popitem(last=False)
        return plain

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Writes as long as the block lasts, and what is left at its end."""
        try:
            async with self._company.beside(self._keep_writing()):
                yield
        finally:
            with contextlib.suppress(*DATABASE_FAILURES):
                await self.write()

    async def write(self) -> None:
        """One statement for all that is not written yet; what could not be written stays.

        Whoever is cancelled meanwhile gives up waiting, not writing: else nobody would know what stands.
        """
        await asyncio.shield(at_once(self._write_in_turn(), "credential reads"))

    async def _write_in_turn(self) -> None:
        async with self._turn:
            self._something.clear()
            try:
                while self._begun or self._untold:
                    await self._put_down(self._begun or await self._begin())
                    self._begun = None
            except BaseException:
                self._something.set()
                raise

    async def _begin(self) -> _Write:
        """What is opened from here on is an entry of its own, whatever becomes of this write."""
        last = await audit_log.get_last_audit_number(self._pool) or 0
        self._begun, self._untold = _Write(last, sorted(self._untold)), set()
        return self._begun

    async def _put_down(self, write: _Write) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await audit_log.lock_credential_reads(connection, actor=self._actor)
            await audit_log.create_credential_reads(
                connection, actor=self._actor, after_number=write.after_number, ids=write.ids
            )

    async def _keep_writing(self) -> None:
        seldom = Seldom()
        while True:
            await self._something.wait()
            try:
                await self.write()
            except DATABASE_FAILURES as error:
                seldom.warning("credential_reads.not_written", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

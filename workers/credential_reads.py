"""Writes into the audit log that this worker opened the credentials of accounts, beside the work itself.

A worker opens them for every job, so one entry stands for an hour of them, or until they are replaced.
Entries follow the reads within seconds; those of a worker that is killed in between are lost.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
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
            if self._untold:
                ids, self._untold = self._untold, set()
                self._something.clear()
                try:
                    await audit_log.create_credential_reads(
                        self._pool, actor=self._actor, ids=sorted(ids)
                    )
                except BaseException:
                    self._untold |= ids
                    self._something.set()
                    raise

    async def _keep_writing(self) -> None:
        seldom = Seldom()
        while True:
            await self._something.wait()
            try:
                await self.write()
            except DATABASE_FAILURES as error:
                seldom.warning("credential_reads.not_written", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)

"""Says that this worker lives, and knows when nobody may have heard it."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncGenerator, Callable
from uuid import UUID

import asyncpg
import structlog

from common import clock
from common.errors import ClaimLost
from common.tasks import Company
from models.database import DATABASE_FAILURES
from models.gen import workers
from models.identity import Home

_TOLD_SECONDS = 30.0

log = structlog.get_logger()


class Presence:
    """Renews one small row. After `trust_seconds` without success no further call may start."""

    def __init__(
        self,
        url: str,
        worker_id: UUID,
        *,
        renew_seconds: float,
        trust_seconds: float,
        home: Home | None = None,
        company: Company | None = None,
    ) -> None:
        self._url = url
        self._home = home or Home()
        self._company = company or Company()
        self._worker_id = worker_id
        self._renew_seconds = renew_seconds
        self._trust_seconds = trust_seconds
        self._renewed_at = -trust_seconds
        self._silences = 0
        self._is_leaving = False
        self._told_at = -_TOLD_SECONDS

    def guard(self) -> None:
        """Raises ClaimLost when other workers may have given this one up for dead, or when a connection has
        led to another database: those of this one are there, and do not hear of us for long."""
        if self._home.elsewhere is not None:
            raise ClaimLost(self._home.elsewhere.message, code="another_database")
        silent = clock.seconds() - self._renewed_at
        if silent > self._trust_seconds:
            raise ClaimLost(f"no sign of life was written for {silent:.0f} s", code="out_of_touch")

    def guard_from_now(self) -> Callable[[], None]:
        """A guard of what the database is asked from here on. It stays shut after a silence: a job may have
        been taken away in it, and cancelled, though this worker is heard again."""
        silences = self._silences

        def guard() -> None:
            self.guard()
            if silences != self._silences:
                raise ClaimLost("no sign of life was written for too long", code="out_of_touch")

        return guard

    def leave(self) -> None:
        """From here on our row is not made again: whoever deletes it says this before."""
        self._is_leaving = True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Registered when the block begins, renewed as long as it lasts, gone when it ends."""
        connection = await self._home.connect(self._url, name="mojito presence")
        try:
            await self._renew(connection)
        finally:
            connection.terminate()
        async with self._company.beside(presence=self._keep_renewing()):
            yield

    async def _keep_renewing(self) -> None:
        while True:
            with contextlib.suppress(*DATABASE_FAILURES):
                await self._renew_over_one_connection()
            self._tell_now_and_then()
            await asyncio.sleep(min(1.0, self._renew_seconds))

    def _tell_now_and_then(self) -> None:
        """An outage of an hour would be thousands of lines."""
        now = clock.seconds()
        if now - self._told_at >= _TOLD_SECONDS:
            self._told_at = now
            log.warning("presence.not_renewed")

    async def _renew_over_one_connection(self) -> None:
        """Until it breaks, or until we are cancelled."""
        connection = await self._home.connect(self._url, name="mojito presence")
        try:
            while True:
                await self._renew(connection)
                await asyncio.sleep(self._renew_seconds * random.uniform(0.8, 1.0))  # noqa: S311
        finally:
            connection.terminate()

    async def _renew(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        before = clock.seconds()
        is_known = await workers.renew_worker(connection, id=self._worker_id)
        if not is_known and not self._is_leaving:
            await workers.register_worker(
                connection, id=self._worker_id, host=socket.gethostname(), process_id=os.getpid()
            )
        # others have heard nothing for so long at most
        self._silences += clock.seconds() - self._renewed_at > self._trust_seconds
        self._renewed_at = before

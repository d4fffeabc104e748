"""The installation that the storm hits: PostgreSQL, a sandbox, API and worker processes, all of them real."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg

from common.embedded_postgres import EmbeddedPostgres
from models.database import DATABASE_FAILURES
from models.gen import workers
from tests.chaos.programs import START_SECONDS, Program
from tests.chaos.slow_proxy import SlowProxy
from tests.free_ports import free_port
from tests.house.conftest import Sandbox, until

SILENCE = {"worker_silence_seconds": "4", "worker_trust_seconds": "2.5", "grace_seconds": "5"}
"""Short enough that a dead worker is found within a storm; the machine may still be slow."""


class Town:
    """Two API processes and three workers; the last of each reaches PostgreSQL through a proxy."""

    def __init__(
        self, server: EmbeddedPostgres, sandbox: Sandbox, proxy: SlowProxy, folder: Path
    ) -> None:
        self.server = server
        self.sandbox = sandbox
        self.proxy = proxy
        self.folder = folder
        self.url = server.url("storm")
        self.proxied = f"postgresql://mojito@127.0.0.1:{proxy.port}/storm"
        self.ports = [free_port(), free_port()]
        self.apis: list[Program] = []
        self.workers: list[Program] = []
        self.programs: list[Program] = []
        """All that ever ran, the dead ones too: their logs are read in the end."""
        self.kills = 0

    async def open(self) -> None:
        """Everything runs when it returns."""
        self.apis = [self._api(place) for place in range(2)]
        self.workers = [self._worker(place) for place in range(3)]
        await until(self._is_whole, START_SECONDS)

    def close(self) -> None:
        for program in self.programs:
            program.kill()

    def address(self, attempt: int) -> str:
        """Callers go round."""
        return f"http://127.0.0.1:{self.ports[attempt % 2]}/api/v1"

    async def kill_api(self, place: int) -> None:
        self.apis[place].kill()
        self.kills += 1
        self.apis[place] = self._api(place)

    async def kill_worker(self, place: int, *, is_seen: bool) -> None:
        """`is_seen`: somebody frees what it held at once, as `mojito up` does; else its silence tells."""
        dead = self.workers[place]
        dead.kill()
        self.kills += 1
        self.workers[place] = self._worker(place)
        if is_seen:
            await self._free(UUID(dead.id))

    def up(self, programs: str) -> list[int]:
        """Places of those that have started; what ended by itself is started again.

        A program waits for PostgreSQL when it starts; one that waited in vain has ended.
        """
        found: list[int] = []
        for place in range(2 if programs == "apis" else 3):
            running = (self.apis if programs == "apis" else self.workers)[place]
            if not running.is_running:
                if programs == "apis":
                    self.apis[place] = self._api(place)
                else:
                    self.workers[place] = self._worker(place)
            elif ("api.started" if programs == "apis" else "worker.started") in running.log():
                found.append(place)
        return found

    async def stop_worker(self, place: int) -> int:
        """Asked to leave; its exit code."""
        leaving = self.workers[place]
        leaving.terminate()
        code = await leaving.exit_code(30)
        if self.workers[place] is leaving:  # else it was missed and replaced in the meantime
            self.workers[place] = self._worker(place)
        return code

    def strays(self) -> list[str]:
        """Programs that run though their place was given to another: nobody would ever hit them."""
        kept = {*self.apis, *self.workers}
        return [one.log_path.name for one in self.programs if one.is_running and one not in kept]

    async def restart_postgres(self, how: signal.Signals) -> None:
        pid, process = self.server.pid, self.server.process
        assert pid is not None
        os.kill(pid, how)
        await asyncio.to_thread(process.wait)
        await asyncio.to_thread(self.server.revive)

    async def ask(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows, as soon as PostgreSQL answers."""

        async def try_it() -> tuple[list[asyncpg.Record]] | None:
            with contextlib.suppress(*DATABASE_FAILURES):
                connection = await asyncpg.connect(self.url, timeout=5)
                try:
                    return (await connection.fetch(sql, *arguments),)
                finally:
                    await connection.close()
            return None

        found = await until(try_it)
        assert found is not None
        return found[0]

    async def _free(self, worker_id: UUID) -> None:
        connection = None
        with contextlib.suppress(*DATABASE_FAILURES):
            connection = await asyncpg.connect(self.url, timeout=5)
            await workers.release_worker_jobs(connection, worker_id=worker_id)
        if connection is not None:
            connection.terminate()

    def _api(self, place: int) -> Program:
        return self._start("serve", place == 1, port=str(self.ports[place]))

    def _worker(self, place: int) -> Program:
        return self._start("work", place == 2, worker_concurrency="12", **SILENCE)

    def _start(self, command: str, is_proxied: bool, **settings: str) -> Program:
        site: Any = SimpleNamespace(
            settings=SimpleNamespace(data_dir=self.folder), sandbox=self.sandbox
        )
        url = self.proxied if is_proxied else self.url
        program = Program(site, command, url, allowed_private_targets="127.0.0.0/8", **settings)
        self.programs.append(program)
        return program

    async def _is_whole(self) -> bool:
        return len(self.up("apis")) + len(self.up("workers")) == 5


@contextlib.asynccontextmanager
async def opened_town(
    server: EmbeddedPostgres, sandbox: Sandbox, proxy: SlowProxy, folder: Path
) -> AsyncGenerator[Town]:
    """A town whose processes end with the block, whatever happens."""
    town = Town(server, sandbox, proxy, folder)
    try:
        await town.open()
        yield town
    finally:
        town.close()

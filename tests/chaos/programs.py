"""The API and workers as processes of their own, and a caller who waits 15 s for an answer at most."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.slow_proxy import free_port
from tests.house.conftest import ENVIRONMENT, House, until

PATIENCE_SECONDS = 15.0


class Program:
    """A process of the product; what it logs lies beside the installation's files."""

    def __init__(self, house: House, command: str, url: str, **settings: str) -> None:
        self.id = str(uuid4())
        self.log_path = house.settings.data_dir / f"{command}-{self.id}.log"
        environment = {
            **ENVIRONMENT,
            "MOJITO_DATABASE_URL": url,
            "MOJITO_DATA_DIR": str(house.settings.data_dir),
            "MOJITO_SANDBOX_URL": house.sandbox.url,
            "MOJITO_LOG_FORMAT": "json",
            "MOJITO_POLL_SECONDS": "0.3",
            **({"MOJITO_WORKER_ID": self.id} if command == "work" else {}),
            **{f"MOJITO_{name.upper()}": value for name, value in settings.items()},
        }
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mojito", command],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        return self.log_path.read_text()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.is_running:
            self._process.kill()
        self._process.wait()

    async def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        return await asyncio.to_thread(self._process.wait, seconds)


@contextlib.asynccontextmanager
async def worker(house: House, url: str | None = None, **settings: str) -> AsyncGenerator[Program]:
    """A worker process that has started to claim."""
    program = Program(house, "work", url or str(house.settings.database_url), **settings)

    async def has_started() -> bool:
        assert program.is_running, program.log()
        return "worker.started" in program.log()

    try:
        await until(has_started)
        yield program
    finally:
        program.kill()


class Caller(httpx.AsyncClient):
    """Speaks to an API process; `program` is that process."""

    program: Program

    async def readiness(self) -> int:
        return (await self.get("/readyz")).status_code

    async def submit(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.post("/api/v1/ads/meta", json=body, headers=headers)


@contextlib.asynccontextmanager
async def api(house: House, url: str | None = None, **settings: str) -> AsyncGenerator[Caller]:
    """An API process that answers, and a caller with a key."""
    port = free_port()
    program = Program(
        house, "serve", url or str(house.settings.database_url), port=str(port), **settings
    )
    async with Caller(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": house.client.headers["Authorization"]},
        timeout=PATIENCE_SECONDS,
        trust_env=False,
    ) as caller:
        caller.program = program

        async def is_up() -> bool:
            assert program.is_running, program.log()
            with contextlib.suppress(httpx.TransportError):
                return await caller.readiness() == 200
            return False

        try:
            await until(is_up)
            yield caller
        finally:
            program.kill()

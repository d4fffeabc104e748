"""The API and workers as processes of their own, and a caller who waits 15 s for an answer at most."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.mortal import die_with_parent
from tests.clear import CLEAR
from tests.free_ports import free_port
from tests.house.conftest import ENVIRONMENT, House, until

PATIENCE_SECONDS = 15.0
START_SECONDS = 180.0
"""Several programs that start at a time on a busy machine take a minute; nobody is promised less."""


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
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls the kernel and nothing else
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        return self.log_path.read_text()

    def terminate(self) -> None:
        self.tell(signal.SIGTERM)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    @contextlib.contextmanager
    def paused(self) -> Generator[None]:
        """It does nothing as long as the block lasts, however long that is."""
        self.tell(signal.SIGSTOP)
        try:
            yield
        finally:
            self.tell(signal.SIGCONT)

    def kill(self) -> None:
        if self.is_running:
            self._process.kill()
        self._process.wait()

    async def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        return await asyncio.to_thread(self._process.wait, seconds)

    async def has_started(self) -> bool:
        """Whether a worker claims."""
        assert self.is_running, self.log()
        return "worker.started" in self.log()


class Caller(httpx.AsyncClient):
    """Speaks to an API process; `program` is that process."""

    program: Program

    async def readiness(self) -> int:
        return (await self.get("/readyz")).status_code

    async def is_answered(self) -> bool:
        """Whether the API is there and ready."""
        assert self.program.is_running, self.program.log()
        with contextlib.suppress(httpx.TransportError):
            return await self.readiness() == 200
        return False

    async def submit(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.post("/api/v1/ads/meta", json=body, headers=headers)


@contextlib.asynccontextmanager
async def worker(house: House, url: str | None = None, **settings: str) -> AsyncGenerator[Program]:
    """A worker process that has started to claim."""
    with _started(house, "work", url, **settings) as program:
        await until(program.has_started, START_SECONDS)
        yield program


@contextlib.asynccontextmanager
async def api(house: House, url: str | None = None, **settings: str) -> AsyncGenerator[Caller]:
    """An API process that answers, and a caller with a key."""
    port = str(free_port())
    with _started(house, "serve", url, port=port, **settings) as program:
        async with _calling(house, port, program) as caller:
            await until(caller.is_answered, START_SECONDS)
            yield caller


@contextlib.asynccontextmanager
async def both(
    house: House, url: str | None = None, **settings: str
) -> AsyncGenerator[tuple[Caller, Program]]:
    """An API that answers and a worker that claims, started side by side."""
    with _started(house, "work", url, **settings) as program:
        async with api(house, url, **settings) as caller:
            await until(program.has_started, START_SECONDS)
            yield caller, program


@contextlib.contextmanager
def _started(house: House, command: str, url: str | None, **settings: str) -> Generator[Program]:
    program = Program(house, command, url or str(house.settings.database_url), **settings)
    try:
        yield program
    finally:
        program.kill()


@contextlib.asynccontextmanager
async def _calling(house: House, port: str, program: Program) -> AsyncGenerator[Caller]:
    async with Caller(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": house.client.headers["Authorization"]},
        timeout=PATIENCE_SECONDS,
        trust_env=False,
        verify=CLEAR,
    ) as caller:
        caller.program = program
        yield caller

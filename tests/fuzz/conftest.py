"""A served API on the real wire, with keys, an account, an asset and a job, and its log in a file."""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from common.keyring import new_key_line
from models.api_keys import create_key, revoke_key
from models.database import Pool, open_pool
from tests.free_ports import free_port
from tests.fuzz.history import live_through
from tests.fuzz.target import IMAGE, ROOT, Keys, Target
from tests.house.conftest import until
from tests.sandbox.running import Running


class Files(BaseHTTPRequestHandler):
    """Serves the one image whatever it is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(IMAGE)))
        self.end_headers()
        self.wfile.write(IMAGE)

    def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # says nothing
        pass


@pytest.fixture
def files_url() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    opened = await open_pool(database, size=2, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def keys(pool: Pool) -> Keys:
    good = await create_key(pool, team="fuzz", name="good")
    scopeless = await create_key(pool, team="fuzz", name="scopeless", scopes=["accounts:read"])
    foreign = await create_key(pool, team="foreign", name="foreign")
    revoked = await create_key(pool, team="fuzz", name="revoked")
    await revoke_key(pool, revoked.id)
    return Keys(good=good.key, scopeless=scopeless.key, revoked=revoked.key, foreign=foreign.key)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the server writes."""
    return tmp_path / "server.log"


@pytest.fixture
def sandbox() -> Generator[Running]:
    """Where the server asks what credentials are worth."""
    running = Running()
    yield running
    running.stop()


@pytest.fixture
async def url(database: str, log: Path, tmp_path: Path, sandbox: Running) -> AsyncGenerator[str]:
    """A server process."""
    (tmp_path / "encryption-keys").write_text(new_key_line("test-1"))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MOJITO_")},
        "PYTHONPATH": f"{ROOT / 'cmd'}:{ROOT}",
        "MOJITO_DATABASE_URL": database,
        "MOJITO_DATA_DIR": str(tmp_path),
        "MOJITO_PORT": str(port),
        "MOJITO_SANDBOX_URL": sandbox.base,
        "MOJITO_LOG_LEVEL": "debug",
        "MOJITO_ALLOWED_PRIVATE_TARGETS": "127.0.0.0/8",
        "MOJITO_MAX_UPLOAD_BYTES": "2000000",
    }
    command = [sys.executable, "-m", "mojito", "serve"]
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=written, stderr=written
        )
    try:
        yield await _ready(f"http://127.0.0.1:{port}", process)
    finally:
        process.send_signal(signal.SIGTERM)
        code = await process.wait()
    assert code == 0


@pytest.fixture
async def target(url: str, keys: Keys, files_url: str, pool: Pool) -> AsyncGenerator[Target]:
    # the token looks like no token, so that nothing masks it by its form
    made = await asyncio.to_thread(Target, url, keys, f"thing{uuid4().hex}", files_url)
    await live_through(pool, made.jobs[1:])
    yield made
    made.close()


async def _ready(url: str, process: Process) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def ask() -> bool:
            assert process.returncode is None, "the server ended while starting"
            try:
                return (await client.get(f"{url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(ask)
    return url

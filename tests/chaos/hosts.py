"""An installation spread over hosts: database, platform, API and two workers, each with its own network."""

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import msgspec

from common.embedded_postgres import EmbeddedPostgres
from common.keyring import new_key_line
from config.settings import Settings
from models.api_keys import create_key
from models.database import Pool
from models.migrate import migrate
from mojito.pools import opened_pool
from tests.chaos.mortal import die_with_parent
from tests.chaos.namespaces import NETWORK, Network
from tests.chaos.programs import START_SECONDS
from tests.house.conftest import ENVIRONMENT, House, Sandbox, until

HOSTS = ["database", "platform", "api", "first", "second", "caller"]
SILENCE_SECONDS = 2.0
_PORT = 8000
_SANDBOX_PORT = 8100


class Host:
    """A process of the product on a host of its own."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], log: Path
    ) -> None:
        self.name = name
        self.worker_id = environment["MOJITO_WORKER_ID"]
        self._log = log
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdout=written,
                stderr=written,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls the kernel and nothing else
            )

    def said(self, event: str, **fields: str) -> list[dict[str, Any]]:
        """Its log lines of one event."""
        wanted = {"event": event, **fields}.items()
        lines = self._log.read_bytes().splitlines(keepends=True)
        found = [msgspec.json.decode(line) for line in lines if line[:1] + line[-1:] == b"{\n"]
        return [line for line in found if wanted <= line.items()]

    async def has_started(self) -> bool:
        """Whether a worker claims."""
        assert self.process.poll() is None, self._log.read_text()
        return bool(self.said("worker.started"))

    async def has_said(self, event: str, **fields: str) -> dict[str, Any]:
        """The first line of an event, as soon as there is one."""

        async def ask() -> list[dict[str, Any]]:
            assert self.process.poll() is None, self._log.read_text()
            return self.said(event, **fields)

        return (await until(ask))[0]

    @contextlib.contextmanager
    def paused(self) -> Generator[None]:
        """It does nothing as long as the block lasts: what its calls have met meanwhile it learns later."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        """It drains."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Drains it; whatever does not end is killed."""
        self.ask_to_stop()
        if self.process.poll() is None:
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Installation(House):
    """A house whose parts meet over a network that can be cut."""

    def __init__(
        self,
        network: Network,
        settings: Settings,
        pool: Pool,
        sandbox: Sandbox,
        client: httpx.AsyncClient,
    ) -> None:
        super().__init__(settings, pool, sandbox, client)
        self.network = network
        self._running: list[Host] = []

    async def settle(self) -> None:
        """Starts what does not run, and moves in with an account of its own."""
        running = [host.name for host in self._running]
        for name, command in (("api", "serve"), ("first", "work"), ("second", "work")):
            if name not in running:
                self._start(name, command)
        for worker in ("first", "second"):
            await until(self.host(worker).has_started, START_SECONDS)
        await until(self.is_ready, START_SECONDS)
        await self.move_in()

    def host(self, name: str) -> Host:
        """What runs on a host."""
        return next(host for host in self._running if host.name == name)

    def other(self, worker: Host) -> Host:
        """The worker that this one is not."""
        return self.host("second" if worker.name == "first" else "first")

    def stop(self, *hosts: Host) -> None:
        """Ends these, or all."""
        ending = hosts or tuple(self._running)
        for host in ending:
            host.ask_to_stop()
        for host in ending:
            self._running.remove(host)
            host.stop()

    async def holder(self, job_id: str) -> Host | None:
        """The worker that has the job now."""
        sql = "select worker_id from campaign_jobs where id = $1"
        worker_id = await self.pool.fetchval(sql, job_id)
        return next((host for host in self._running if host.worker_id == str(worker_id)), None)

    async def are_silent(self, *workers: str) -> bool:
        """Whether none of these has been heard for as long as a worker may be silent."""
        sql = (
            "select count(*) from workers "
            "where id = any ($2::uuid[]) and last_seen_at < now() - make_interval(secs => $1)"
        )
        ids = [self.host(worker).worker_id for worker in workers]
        return await self.pool.fetchval(sql, SILENCE_SECONDS, ids) == len(workers)

    async def is_parked(self, job_id: str) -> bool:
        """Whether a job waits for a better time."""
        return (await self.job(job_id))["waiting"] is not None

    async def ready(self) -> httpx.Response:
        """What the API says of itself, sooner than the database would be given up."""
        url = httpx.URL(self.client.base_url).join("/readyz")
        return await self.client.get(url, timeout=5.5)

    async def is_ready(self) -> bool:
        """Whether it says that all is well."""
        with contextlib.suppress(httpx.TransportError):
            return (await self.ready()).status_code == 200
        return False

    async def used_up_faults(self) -> bool:
        """Whether every failure on order has been met by a call."""
        return not await self.sandbox.faults()

    async def kinds(self) -> dict[str, int]:
        """How many objects of each paid kind are on the account; equal creatives are one anyway."""
        found = await self.sandbox.objects(self.account["id"])
        kinds = [one["kind"] for one in found]
        return {kind: kinds.count(kind) for kind in ("campaign", "ad_set", "ad")}

    def _start(self, name: str, command: str) -> None:
        environment = {
            **ENVIRONMENT,
            "MOJITO_DATABASE_URL": self._database_url(),
            "MOJITO_DATA_DIR": str(self.settings.data_dir),
            "MOJITO_SANDBOX_URL": self.sandbox.url,
            "MOJITO_HOST": self.network.address(name),
            "MOJITO_PORT": str(_PORT),
            "MOJITO_WORKER_ID": str(uuid4()),
            "MOJITO_WORKER_SILENCE_SECONDS": str(SILENCE_SECONDS),
            "MOJITO_WORKER_TRUST_SECONDS": str(SILENCE_SECONDS * 2 / 3),
            "MOJITO_POLL_SECONDS": "0.2",
            "MOJITO_LOG_FORMAT": "json",
        }
        program = self.network.command(name, sys.executable, "-m", "mojito", command)
        host = Host(name, program, environment, self.settings.data_dir / f"{name}.log")
        self._running.append(host)

    def _database_url(self) -> str:
        name = urlsplit(str(self.settings.database_url)).path
        return f"postgresql://mojito@{self.network.address('database')}:5432{name}"


@contextlib.contextmanager
def database_host(network: Network) -> Generator[EmbeddedPostgres]:
    """PostgreSQL that listens on its host's address; tests reach it by its socket, cut or not."""
    home = Path(tempfile.mkdtemp(prefix="mojito-hosts-"))
    home.chmod(0o755)
    (home / "hba").write_text(f"local all all trust\nhost all all {NETWORK}.0/24 trust\n")
    listen = {"listen_addresses": network.address("database"), "hba_file": str(home / "hba")}
    server = EmbeddedPostgres(home / "postgres", durable=False, settings=listen)
    try:
        with network.inside("database"):
            server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.asynccontextmanager
async def platform_host(network: Network, folder: Path) -> AsyncGenerator[Sandbox]:
    """A sandbox that listens on its host's address."""
    address = network.address("platform")
    options = ["--host", address, "--port", str(_SANDBOX_PORT)]
    command = network.command("platform", sys.executable, "-m", "sandbox", *options)
    environment = {**ENVIRONMENT, "MOJITO_WORKER_ID": ""}
    host = Host("platform", command, environment, folder / "platform.log")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            url = f"http://{address}:{_SANDBOX_PORT}"
            await until(lambda: _answers(client, f"{url}/livez"), START_SECONDS)
            yield Sandbox(url, client)
    finally:
        host.stop()


@contextlib.asynccontextmanager
async def installation(
    network: Network, sandbox: Sandbox, server: EmbeddedPostgres, folder: Path
) -> AsyncGenerator[Installation]:
    """A database and a key for an API and two workers on hosts of their own."""
    name = f"hosts_{uuid4().hex[:12]}"
    server.create_database(name)
    (folder / "encryption-keys").write_text(new_key_line("test-1"))
    settings = Settings(database_url=server.url(name), data_dir=folder, sandbox_url=sandbox.url)
    await migrate(server.url(name))
    async with opened_pool(settings, "test") as pool:
        key = (await create_key(pool, team="house", name="test")).key
        base_url = f"http://{network.address('api')}:{_PORT}"
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=f"{base_url}/api/v1", headers=headers, trust_env=False, timeout=15
        ) as client:
            found = Installation(network, settings, pool, sandbox, client)
            try:
                yield found
            finally:
                found.stop()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return (await client.get(url)).status_code == 200
    return False

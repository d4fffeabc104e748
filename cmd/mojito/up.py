"""Starts, watches and restarts the processes of an installation on one machine."""

import argparse
import asyncio
import contextlib
import sys
import time
from uuid import UUID, uuid4

import httpx
import msgspec

from common.embedded_postgres import EmbeddedPostgres
from common.errors import ConfigurationError
from common.plain_words import counted
from common.version import program_version
from config.settings import PREFIX, SECRETS, Settings, database_url
from models.database import DATABASE_FAILURES, connect
from models.gen import workers
from models.listener import CHANNEL
from models.migrate import migrate
from mojito.children import Child, stop_all
from mojito.installation import Installation, Processes, api_address, write_json
from mojito.listening import bound
from mojito.pools import explained, opened_pool, usable_url
from mojito.printing import configure_log
from mojito.provision import ensure_key, ensure_samples, example_request
from mojito.signals import on_signals

LOOK_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many workers."""
    parser.add_argument(
        "--workers", type=_number, default=1, metavar="N", help="worker processes (1)"
    )
    parser.epilog = (
        "Ctrl-C stops all of it. The data stays in MOJITO_DATA_DIR (.mojito). Two installations side by "
        "side need different MOJITO_DATA_DIR, MOJITO_PORT and MOJITO_SANDBOX_PORT."
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Until told to stop."""
    configure_log(settings)
    installation = Installation(settings.data_dir)
    installation.take()
    installation.forget_processes()
    _refuse_taken_ports(settings)
    return asyncio.run(Up(settings, installation, arguments.workers).run())


class Up:
    """One installation, from the first process to the last."""

    def __init__(self, settings: Settings, installation: Installation, worker_count: int) -> None:
        self._settings = settings
        self._installation = installation
        self._environment: dict[str, str] = {}
        self._postgres: EmbeddedPostgres | None = None
        self._stopping = asyncio.Event()
        self._worker_ids: dict[Child, UUID] = {}
        self._api = Child("API", ["serve"], self._api_environment)
        self._sandbox = Child("sandbox", ["sandbox"], self._sandbox_environment)
        self._workers = [self._worker(number + 1) for number in range(worker_count)]

    async def run(self) -> int:
        """Everything in order, and in reverse at the end."""
        on_signals(self._stopping.set)
        try:
            if await self._started():
                await self._watch()
        finally:
            await self._stop()
        return 0

    async def _started(self) -> bool:
        """Starts everything; False when somebody stopped it meanwhile."""
        starting = asyncio.create_task(self._start())
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if starting.done():
            starting.result()
            return True
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False

    async def _start(self) -> None:
        self._sandbox.start()  # needs no database, so it starts while that does
        url = self._start_postgres()
        keys = self._installation.ensure_encryption_keys(self._settings.encryption_keys_file)
        self._environment = self._installation.environment(self._settings, url, keys)
        with explained():
            migrated = await migrate(url)
        for line in migrated:
            _say(f"migration: {line}")
        self._settings = msgspec.structs.replace(self._settings, database_url=url)
        async with opened_pool(self._settings, "mojito up", writes=True) as pool:
            key = await ensure_key(pool, self._installation)
        write_json(self._installation.environment_file, self._environment)
        self._api.start()
        for child in self._workers:
            child.start()
        await self._answers(self._sandbox, f"{self._settings.sandbox_address}/livez")
        await self._answers(self._api, f"{self._address}/livez")
        written = await ensure_samples(self._settings, self._installation, key)
        self._write_processes()
        await self._answers(self._api, f"{self._address}/readyz")
        self._greet(key, written)

    def _start_postgres(self) -> str:
        if self._settings.database_url is not None:
            return usable_url(self._settings)
        self._postgres = EmbeddedPostgres(
            self._installation.folder / "postgres",
            binaries=self._settings.pg_bin,
            account=self._settings.pg_user,
            settings={"max_connections": "200"},
        ).start()
        self._postgres.create_database("mojito")
        _say(f"PostgreSQL {self._postgres.binaries.version} from {self._postgres.binaries.source}")
        return self._postgres.url("mojito")

    async def _answers(self, child: Child, url: str) -> None:
        """Waits until it does; a child that dies meanwhile has said why."""
        until = time.monotonic() + 60
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(url)).status_code == 200:
                        return
                if (death := child.death()) is not None:
                    raise ConfigurationError(f"the {child.name} ended while starting ({death})")
                if time.monotonic() > until:
                    raise ConfigurationError(f"the {child.name} did not answer {url} in time")
                await asyncio.sleep(0.03)

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            changed = self._revive_postgres()
            for child in self._children:
                changed |= await self._revive(child)
            if changed:
                self._write_processes()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)

    def _revive_postgres(self) -> bool:
        if self._postgres is None or not self._postgres.revive():
            return False
        _say("PostgreSQL had died; started again")
        return True

    async def _revive(self, child: Child) -> bool:
        death = child.death()
        if death is None or not child.may_restart:
            return False
        pid = child.pid
        if child in self._worker_ids:
            await self._free_claims(self._worker_ids[child])
        child.plan_restart()
        try:
            child.start()
        except OSError as error:
            _say(f"{child.name} died: {death}; it cannot be started yet ({error.strerror})")
            return False
        _say(f"{child.name} (process {pid}) died: {death}; started again as process {child.pid}")
        return True

    async def _free_claims(self, worker_id: UUID) -> None:
        """We have seen the worker die, so nobody need wait for its silence."""
        try:
            connection = await connect(database_url(self._settings), name="mojito up")
            try:
                freed = await workers.release_worker_jobs(connection, worker_id=worker_id)
                await connection.execute(f"notify {CHANNEL}")
            finally:
                await connection.close()
        except DATABASE_FAILURES as error:
            _say(
                f"its jobs are freed after {self._settings.worker_silence_seconds:.0f} s ({error})"
            )
            return
        if freed:
            words = "job freed, to go on where it", "jobs freed, to go on where they"
            _say(f"{counted(len(freed), *words)} stopped")

    async def _stop(self) -> None:
        _say("stopping")
        self._installation.forget_processes()
        await stop_all([*self._workers, self._api], self._settings.grace_seconds + 5)
        await stop_all([self._sandbox], 5)
        if self._postgres is not None:
            self._postgres.stop()
        _say("stopped")

    @property
    def _children(self) -> list[Child]:
        return [self._sandbox, self._api, *self._workers]

    @property
    def _address(self) -> str:
        return api_address(self._settings.host, self._settings.port)

    def _sandbox_environment(self) -> dict[str, str]:
        """It imitates others, and needs none of our secrets."""
        return dict.fromkeys((PREFIX + name.upper() for name in SECRETS), "") | {
            "MOJITO_DATA_DIR": str(self._installation.folder),
            "MOJITO_SANDBOX_PORT": str(self._settings.sandbox_port),
        }

    def _api_environment(self) -> dict[str, str]:
        return {**self._environment, "MOJITO_INSTALLATION_DIR": str(self._installation.folder)}

    def _worker(self, number: int) -> Child:
        child = Child(f"worker {number}", ["work"], lambda: self._worker_environment(child))
        return child

    def _worker_environment(self, child: Child) -> dict[str, str]:
        """A fresh id for each life, so that the dead one's claims can be told apart."""
        self._worker_ids[child] = uuid4()
        own = {
            "MOJITO_WORKER_METRICS_PORT": "",  # several workers of one machine cannot share a port
            "MOJITO_METRICS_TOKEN": "",  # which only the API asks for
            "MOJITO_WORKER_ID": str(self._worker_ids[child]),
        }
        return {**self._environment, **own}

    def _write_processes(self) -> None:
        processes = Processes(
            api=self._api.pid,
            sandbox=self._sandbox.pid,
            workers=[child.pid for child in self._workers],
            postgres=None if self._postgres is None else self._postgres.pid,
        )
        write_json(self._installation.processes_file, processes)

    def _greet(self, key: str, written: dict[str, dict[str, str]]) -> None:
        meta, assets = written["META"], written["assets"]
        body = example_request(written).decode().replace("'", "'\\''")
        _say(
            f"""
Mojito {program_version()} is up.
  API            {self._address}/api/v1   (documentation: {self._address}/docs)
  sandbox        {self._settings.sandbox_address}   (what it holds: /_sandbox/objects)
  data           {self._installation.folder}
  test key       {key}
  ad account     {meta["ad_account_id"]}
                 ({meta["platform_account_id"]} on the sandbox, page {meta["page_id"]})
  sample assets  image {assets["image"]}, video {assets["video"]}

Send a campaign:
  curl -sS {self._address}/api/v1/ads/meta -H 'Authorization: Bearer {key}' \\
    -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s)" -d '{body}'

Or watch one being built, in a second terminal:
  ./mojito submit examples/meta_link_ad.json --watch

Ctrl-C stops everything; the data stays.
"""
        )


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one works")
    return number


def _refuse_taken_ports(settings: Settings) -> None:
    if settings.port == settings.sandbox_port:
        raise ConfigurationError(
            f"MOJITO_PORT and MOJITO_SANDBOX_PORT are both {settings.port}; choose different ones"
        )
    for name, host, port in (
        ("MOJITO_PORT", settings.host, settings.port),
        ("MOJITO_SANDBOX_PORT", "127.0.0.1", settings.sandbox_port),
    ):
        bound(host, port, name).close()


def _say(text: str) -> None:
    """To whoever listens: an output that takes nothing more stops no installation."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

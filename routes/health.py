"""Tells machines whether the process lives, and whether it can do its work."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import msgspec
from asyncpg import TargetServerAttributeNotMatched
from litestar import Response
from litestar.di import NamedDependency
from msgspec import Meta

from models.database import DATABASE_FAILURES, Pool
from models.migrate import pending
from routes.readable import readable

_PATIENCE_SECONDS = 3.0
_SILENT = "the database does not answer"
_READ_ONLY = "the database takes no writes"


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether all is well."""

    status: Annotated[str, Meta(description="ok, or not_ready.")]
    missing: Annotated[list[str], Meta(description="What is not ready, in words.")] = []


@runtime_checkable
class Readiness(Protocol):
    """Whatever can say what is missing."""

    async def missing(self) -> list[str]:
        """What is not ready; nothing when all is."""
        ...


class Processes(msgspec.Struct, frozen=True):
    """`processes.json` of an installation on one machine."""

    api: int
    sandbox: int
    workers: list[int]
    postgres: int | None = None


class ServerReadiness:
    """Database reachable, writable and migrated; and, of an installation on one machine, its other parts.

    `installation` is the data folder of `mojito up`, None where the parts run elsewhere. Nobody needs a
    key to ask, so all who ask at a time share one look at the database.
    """

    def __init__(self, pool: Pool, installation: Path | None = None) -> None:
        self._pool = pool
        self._installation = installation
        self._look: asyncio.Task[list[str]] | None = None

    async def missing(self) -> list[str]:
        """What is not ready, in words."""
        missing = await self._database()
        if self._installation is not None:
            missing += await asyncio.to_thread(missing_parts, self._installation)
        return missing

    async def _database(self) -> list[str]:
        look = self._look
        if look is None or look.done():
            look = self._look = asyncio.create_task(self._lacking())
        await asyncio.wait({look}, timeout=_PATIENCE_SECONDS)
        if look.done() and not look.cancelled():
            return look.result()
        # a query that is given up holds its connection for seconds more: nobody waits for that
        look.cancel()
        if self._look is look:
            self._look = None
        return [_SILENT]

    async def _lacking(self) -> list[str]:
        try:
            lacking = [f"migration {name} is not applied" for name in await pending(self._pool)]
            # a standby, or one that its provider has closed to writes
            is_read_only = await self._pool.fetchval("show transaction_read_only") == "on"
        except TargetServerAttributeNotMatched:
            return [_READ_ONLY]
        except DATABASE_FAILURES:
            return [_SILENT]
        return [*lacking, _READ_ONLY] if is_read_only else lacking


def missing_parts(folder: Path) -> list[str]:
    """What the data folder does not show as running or complete."""
    missing = [
        f"{name} is not complete"
        for name, is_complete in (
            ("dev-key", _is_key(folder / "dev-key")),
            ("dev-accounts.json", _is_json(folder / "dev-accounts.json")),
        )
        if not is_complete
    ]
    return missing + _missing_processes(folder / "processes.json")


def _missing_processes(path: Path) -> list[str]:
    try:
        processes = msgspec.json.decode(path.read_bytes(), type=Processes)
    except (OSError, msgspec.MsgspecError):
        return ["processes.json is not complete"]
    missing: list[str] = []
    if not _runs(processes.sandbox):
        missing.append("the sandbox does not run")
    if not any(_runs(worker) for worker in processes.workers):
        missing.append("no worker runs")
    return missing


def _runs(pid: int) -> bool:
    """Whether the process is there; a signal that may not be sent proves it too."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_key(path: Path) -> bool:
    try:
        return path.read_text("ascii").startswith("mj_")
    except (OSError, UnicodeDecodeError):
        return False


def _is_json(path: Path) -> bool:
    try:
        document: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return isinstance(document, dict) and "META" in document and "assets" in document


@readable("/livez", opt={"open": True}, sync_to_thread=False)
def live() -> Health:
    """Answers as long as the process does."""
    return Health("ok")


@readable("/readyz", opt={"open": True, "answers": {200: Health, 503: Health}})
async def ready(readiness: NamedDependency[Readiness]) -> Response[Health]:
    """Answers 200 when requests can be accepted and carried out, 503 with what is missing if not."""
    missing = await readiness.missing()
    if missing:
        return Response(Health("not_ready", missing), status_code=503, headers={"Retry-After": "1"})
    return Response(Health("ok"))


routes = [live, ready]

"""The HTTP process: uvicorn inside our own event loop and our own order of stopping."""

import argparse
import asyncio
import contextlib
import socket
from collections.abc import Generator

import structlog
import uvicorn
import uvloop
from litestar import Litestar

from common.garbage import collect_seldom
from common.tasks import Company
from common.version import program_version
from config.settings import Settings
from mojito.api_wiring import open_app
from mojito.listening import bound, cannot_listen
from mojito.one_protocol import OneProtocol
from mojito.open_files import open_many_files
from mojito.pools import opened_patiently
from mojito.printing import configure_log
from mojito.signals import on_signals

_ANOTHER_PORT = "choose another port with MOJITO_PORT"

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again before our parts are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Captures nothing."""
        yield


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: settings say everything."""
    parser.epilog = "Needs MOJITO_DATABASE_URL and MOJITO_ENCRYPTION_KEYS_FILE. SIGTERM drains."


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serves until told to stop."""
    del arguments
    configure_log(settings)
    collect_seldom()
    open_many_files()
    uvloop.run(serve(settings))
    return 0


async def serve(settings: Settings) -> None:
    """The order of stopping: no new connections, open answers end, parts close in reverse.

    Raises PartDied when that was why it stopped.
    """
    listening = bound(settings.host, settings.port)
    stopping, company = asyncio.Event(), Company()
    on_signals(stopping.set)
    async with contextlib.AsyncExitStack() as opened:
        app = await opened_patiently(
            opened, lambda: open_app(settings, stopping, company), stopping
        )
        if app is not None:
            await _serve(settings, app, listening, stopping, company)
    log.info("api.stopped")
    company.require_all()


async def _serve(
    settings: Settings,
    app: Litestar,
    listening: socket.socket,
    stopping: asyncio.Event,
    company: Company,
) -> None:
    config = uvicorn.Config(
        app,
        loop="none",
        http=OneProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        proxy_headers=False,  # nothing here asks for the address or the scheme of a caller
        timeout_graceful_shutdown=int(settings.grace_seconds),
        timeout_keep_alive=30,
    )
    server = Server(config)

    def stop() -> None:
        server.should_exit = True
        stopping.set()  # those who watch would never end by themselves

    def hear_signal() -> None:
        # a second one does not wait
        server.force_exit = server.should_exit and company.death is None
        stop()

    on_signals(hear_signal)
    server.should_exit = stopping.is_set()
    company.when_one_dies(stop)
    try:
        listening.listen(config.backlog)
    except OSError as error:  # another one that waited for the database, too, was quicker
        raise cannot_listen(settings.host, settings.port, error, _ANOTHER_PORT) from None
    log.info("api.started", host=settings.host, port=settings.port, version=program_version())
    await server.serve(sockets=[listening])

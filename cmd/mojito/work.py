"""The worker process with its signals."""

import argparse
import asyncio
import contextlib

import uvloop

from common.garbage import collect_seldom
from config.settings import Settings
from mojito.open_files import open_many_files
from mojito.pools import opened_patiently
from mojito.printing import configure_log
from mojito.signals import on_signals
from mojito.wiring import open_worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: settings say everything."""
    parser.epilog = (
        "Needs MOJITO_DATABASE_URL and MOJITO_ENCRYPTION_KEYS_FILE. SIGTERM: claims nothing more, lets "
        "running calls end within MOJITO_GRACE_SECONDS, gives the rest back."
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Works until told to stop."""
    del arguments
    configure_log(settings)
    collect_seldom()
    open_many_files()
    uvloop.run(work(settings))
    return 0


async def work(settings: Settings) -> None:
    """One worker; a second signal changes nothing, the grace time is bounded."""
    stopping = asyncio.Event()
    on_signals(stopping.set)
    async with contextlib.AsyncExitStack() as opened:
        worker = await opened_patiently(opened, lambda: open_worker(settings), stopping)
        if worker is not None:
            on_signals(worker.stop)
            if stopping.is_set():
                worker.stop()
            await worker.run()

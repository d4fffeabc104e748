"""The worker process with its signals."""

import argparse
import asyncio
import signal

import uvloop

from common.garbage import collect_seldom
from common.log import configure
from config.settings import Settings
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
    configure(settings.log_format, settings.log_level)
    collect_seldom()
    uvloop.run(work(settings))
    return 0


async def work(settings: Settings) -> None:
    """One worker; a second signal changes nothing, the grace time is bounded."""
    async with open_worker(settings) as worker:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        await worker.run()

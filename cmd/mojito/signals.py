"""What a program does when it is asked to stop."""

import asyncio
import signal
from collections.abc import Callable


def on_signals(stop: Callable[[], None], *others: signal.Signals) -> None:
    """Calls it at SIGINT, SIGTERM and the others, instead of whatever was called before."""
    for number in (signal.SIGINT, signal.SIGTERM, *others):
        asyncio.get_running_loop().add_signal_handler(number, stop)

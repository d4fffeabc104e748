"""What a program does when it is asked to stop."""

import asyncio
import signal
from collections.abc import Callable


def on_signals(stop: Callable[[], None]) -> None:
    """Calls it at SIGINT, SIGTERM and SIGHUP, instead of whatever was called before.

    A hangup that the program was started to survive (`nohup`) stays without effect.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, stop)

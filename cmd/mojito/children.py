"""The processes of an installation: started, watched, started again, stopped, never left behind."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

SHORT_LIFE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 5.0


class Child:
    """One program that shall run. `restart` after each death, ever later if it dies at once."""

    def __init__(
        self, name: str, arguments: list[str], environment: Callable[[], Mapping[str, str]]
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = 0.0
        self._not_before = 0.0

    @property
    def pid(self) -> int:
        """0 before the first start."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Its own session, so that Ctrl-C reaches only us; the kernel ends it when we are killed.

        Raises OSError where the machine has no room for another process.
        """
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mojito", *self._arguments],
            env={**os.environ, **self._environment()},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509 - two system calls
        )

    def death(self) -> str | None:
        """How it ended, None while it runs."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return None
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def plan_restart(self) -> None:
        """At once after a long life, with growing pauses after short ones."""
        lived = time.monotonic() - self._started_at
        self._pause = (
            0.0 if lived > SHORT_LIFE_SECONDS else min(self._pause + 0.5, LONGEST_PAUSE_SECONDS)
        )
        self._not_before = time.monotonic() + self._pause

    @property
    def may_restart(self) -> bool:
        """Whether the pause is over."""
        return time.monotonic() >= self._not_before

    def signal(self, number: signal.Signals) -> None:
        """Sent unless it has ended."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def ended(self, within_seconds: float) -> bool:
        """Waits for its end; False when it still runs."""
        until = time.monotonic() + within_seconds
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.02)
        return True


async def stop_all(children: list[Child], grace_seconds: float) -> None:
    """Asks all at once, then insists."""
    for child in children:
        child.signal(signal.SIGTERM)
    until = time.monotonic() + grace_seconds
    for child in children:
        if not await child.ended(max(until - time.monotonic(), 0.0)):
            child.signal(signal.SIGKILL)
            await child.ended(5)


def _end_with(parent: int) -> Callable[[], None]:
    def end_with_parent() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return end_with_parent

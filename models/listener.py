"""One connection that listens for the whole process. A notification is a hint: rows carry the truth."""

import asyncio
import contextlib
import random
from collections.abc import Callable

from models.database import DATABASE_FAILURES, connect

CHANNEL = "campaign_jobs"
"""There is work to claim."""
CHANGES = "campaign_job_changes"
"""Something happened to jobs: whoever watches them looks."""
_PROBE_SECONDS = 10.0


class Listener:
    """Calls `wake` for each notification, and `back`, or else that, too, after every gap in which some may
    have been missed."""

    def __init__(
        self,
        url: str,
        wake: Callable[[], None],
        *,
        channel: str = CHANNEL,
        back: Callable[[], None] | None = None,
    ) -> None:
        self._url = url
        self._wake = wake
        self._back = back or wake
        self._channel = channel
        self.is_connected = False

    async def run(self) -> None:
        """Listens until cancelled; a lost connection is made again, first at once, then ever slower."""
        delay = 0.1
        while True:
            with contextlib.suppress(*DATABASE_FAILURES):
                await self._listen()
                delay = 0.1
            self.is_connected = False
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load
            delay = min(delay * 2, 5.0)

    async def _listen(self) -> None:
        connection = await connect(self._url, name="mojito listener")
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._heard)
            self.is_connected = True
            self._back()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _PROBE_SECONDS)
                    return
                # a half-open connection shows itself only when something is asked of it
                await connection.execute("select 1", timeout=5)
        finally:
            connection.terminate()

    def _heard(self, *_: object) -> None:
        self._wake()

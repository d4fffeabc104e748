"""The sandbox's own time: real time plus an offset that can be moved, so that nobody waits for a video."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from sandbox.store import Store

_OFFSET = "clock_offset_seconds"


class Clock:
    """Only ever moved forward, until everything is forgotten."""

    def __init__(self, store: Store, real: Callable[[], float] = time.time) -> None:
        self._store = store
        self.real = real
        self.offset_seconds = float(store.setting(_OFFSET) or 0)

    def now(self) -> float:
        """Unix seconds."""
        return self.real() + self.offset_seconds

    def advance(self, seconds: float) -> None:
        """Survives a restart."""
        self._set(self.offset_seconds + seconds)

    def reset(self) -> None:
        """Real time again."""
        self._set(0.0)

    def _set(self, offset: float) -> None:
        self._store.put_setting(_OFFSET, str(offset))
        self.offset_seconds = offset


def rfc3339(seconds: float) -> str:
    """How the control plane writes times.

    >>> rfc3339(1_790_000_000.25)
    '2026-09-21T14:13:20.250Z'
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""A clock that never jumps and keeps running while the machine sleeps; for deadlines, never for dates."""

import time

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def seconds() -> float:
    """Seconds since some moment in the past, including time spent suspended where the system tells."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)

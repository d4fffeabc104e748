"""Tells of what happens again and again: a few times at once, then now and then, however long it lasts."""

import structlog

from common import clock

log = structlog.get_logger()

_AT_ONCE = 5
_SECONDS = 30.0
"""An outage of an hour is a hundred lines, not thousands."""


class Seldom:
    """The warnings of one loop. What was left out is counted by the next line, as `untold_lines`."""

    def __init__(self) -> None:
        self._left = float(_AT_ONCE)
        self._counted_at = clock.seconds()
        self._untold_lines = 0

    def warning(self, event: str, **facts: object) -> None:
        """One line, unless there were enough of them."""
        now = clock.seconds()
        self._left = min(self._left + (now - self._counted_at) / _SECONDS, _AT_ONCE)
        self._counted_at = now
        if self._left < 1:
            self._untold_lines += 1
            return
        self._left -= 1
        if self._untold_lines:
            facts["untold_lines"] = self._untold_lines
            self._untold_lines = 0
        log.warning(event, **facts)

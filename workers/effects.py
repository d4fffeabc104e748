"""What a step does outside, what it may use of the ledger meanwhile, and how long things may take."""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from common.errors import MojitoError
from workers.platforms.base import Done


class Stopping(MojitoError):
    """The worker stops, or the caller asked to: no further step is begun."""


class NotSent(Stopping):
    """The same, in a step that had begun: this try of it has sent nothing."""


class Pace(msgspec.Struct, frozen=True):
    """How long things take for one account: live ones as the platform needs, sandbox ones briefly."""

    call_seconds: float
    """The longest one call may take."""
    lag_seconds: float
    """How long lists of the platform may lag behind its writes."""
    longest_wait_seconds: float | None = None
    """No wait, backoff or pause is longer; None is no limit."""
    outage_seconds: float = 0.0
    """How long a step bears with a platform that is down before its tries are counted."""

    @property
    def told_call_seconds(self) -> int:
        """As the row of a step tells others how long its call may take: never less."""
        return math.ceil(self.call_seconds)

    def wait(self, seconds: float) -> float:
        """The wait, cut to what the account allows."""
        longest = self.longest_wait_seconds
        return seconds if longest is None else min(seconds, longest)


class Try(msgspec.Struct, frozen=True, gc=False):
    """What the effect of a step may use of the ledger."""

    progress: Mapping[str, Any]
    run: UUID
    earlier_run: UUID | None
    write_deadline: float
    save: Callable[[dict[str, Any]], Awaitable[None]]
    go_on: Callable[[], Awaitable[None]]
    """Raises Stopping when somebody has asked the job to stop since, or the worker stops."""
    guard: Callable[[], None]
    """Raises ClaimLost when the job may have been taken away since the database was last asked for it."""


class Effect(msgspec.Struct, frozen=True, gc=False):
    """How a step is done. `find` is None where sending again is safe."""

    perform: Callable[[Try], Awaitable[Done]]
    find: Callable[[Try], Awaitable[Done | None]] | None = None

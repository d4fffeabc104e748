"""Which trace the present work belongs to (W3C Trace Context), and who hears of finished spans."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Literal

import msgspec

type SpanKind = Literal["internal", "server", "client", "consumer"]
type Attributes = dict[str, str | int | bool]

_FORMAT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST = 512


class Trace(msgspec.Struct, frozen=True):
    """One span of one trace, as it is handed on."""

    trace_id: str
    span_id: str
    is_sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The header.

        >>> Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331").traceparent
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
        """
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"

    def child(self) -> "Trace":
        """A new span below this one."""
        return Trace(self.trace_id, os.urandom(8).hex(), self.is_sampled)


class FinishedSpan(msgspec.Struct, frozen=True):
    """Something that was done, from when to when (nanoseconds since 1970)."""

    name: str
    kind: SpanKind
    trace: Trace
    parent_span_id: str | None
    began_at: int
    ended_at: int
    attributes: Attributes
    is_error: bool = False


type Sink = Callable[[FinishedSpan], None]
_current: ContextVar[tuple[Trace, Sink | None] | None] = ContextVar("current trace", default=None)


def new_trace() -> Trace:
    """The first span of a trace that nobody has begun."""
    drawn = os.urandom(24).hex()
    return Trace(drawn[:32], drawn[32:])


def parse(traceparent: str | None) -> Trace | None:
    """The caller's span; None for a header that the standard tells to ignore.

    >>> parse("00-00000000000000000000000000000000-b7ad6b7169203331-01") is None
    True
    """
    found = _FORMAT.fullmatch(traceparent) if traceparent and len(traceparent) < _LONGEST else None
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    if (
        version == "ff"
        or (version == "00" and rest)
        or not (int(trace_id, 16) and int(span_id, 16))
    ):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def current() -> Trace | None:
    """The span of the present task."""
    active = _current.get()
    return None if active is None else active[0]


def enter(trace: Trace, sink: Sink | None) -> None:
    """The present task, and those that it starts, work for this trace from now on."""
    _current.set((trace, sink))


@contextlib.contextmanager
def span(name: str, kind: SpanKind = "internal", **attributes: str | int | bool) -> Generator[None]:
    """A span around the block; nothing at all where no trace was entered."""
    active = _current.get()
    if active is None:
        yield
        return
    parent, sink = active
    trace, began_at, is_error = parent.child(), time.time_ns(), True
    _current.set((trace, sink))
    try:
        yield
        is_error = False
    finally:
        _current.set(active)
        if sink is not None and trace.is_sampled:
            ended_at = time.time_ns()
            told: Attributes = {f"mojito.{key}": value for key, value in attributes.items()}
            sink(
                FinishedSpan(name, kind, trace, parent.span_id, began_at, ended_at, told, is_error)
            )

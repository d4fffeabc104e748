"""What is known of an event, as callers read it: SQL writes moments as the session's time zone has them."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import msgspec

_MOMENTS = ("until",)


def facts_of(text: str) -> dict[str, Any]:
    """The facts of a row, their moments in the form that all others have.

    >>> facts_of('{"reason": "throttled", "until": "2026-03-01T11:30:00.5+01:00"}')
    {'reason': 'throttled', 'until': '2026-03-01T10:30:00.500000Z'}
    """
    facts: dict[str, Any] = msgspec.json.decode(text)
    for name in _MOMENTS:
        # what is no moment stays as it is: one row never ends the streams of all
        with contextlib.suppress(msgspec.ValidationError):
            moment = msgspec.convert(facts.get(name), datetime)
            facts[name] = msgspec.to_builtins(moment.astimezone(UTC))
    return facts

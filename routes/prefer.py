"""What a caller would like (RFC 7240): how long an answer may be held. What cannot be read is ignored."""

import re
from collections.abc import Iterable

from litestar.types import Scope

LONGEST_WAIT_SECONDS = 30

_BETWEEN_COMMAS = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')


def preferred_wait(values: Iterable[str]) -> int | None:
    """The seconds of the first `wait` in the lines of the header, at most 30.

    >>> preferred_wait(["respond-async, wait=10"]), preferred_wait(['Wait = "90"; x', "wait=1"])
    (10, 30)
    >>> preferred_wait(["wait=soon, wait=5"]), preferred_wait(['x=", wait=5,"']), preferred_wait([])
    (None, None, None)
    """
    for value in values:
        for preference in _BETWEEN_COMMAS.findall(value):
            name, _, seconds = preference.partition(";")[0].partition("=")
            if name.strip().lower() == "wait":
                return _seconds(seconds.strip())
    return None


def wait_of(scope: Scope) -> int | None:
    """The same of a request that nobody has read yet."""
    return preferred_wait(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"prefer"
    )


def _seconds(text: str) -> int | None:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return LONGEST_WAIT_SECONDS if len(digits) > 2 else min(int(digits), LONGEST_WAIT_SECONDS)

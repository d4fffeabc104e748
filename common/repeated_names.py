"""Names that one object of a JSON document bears twice: of two values nobody knows which one is meant."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from common.json_pointer import escaped


def is_clearly_free(body: bytes, anew: bytes) -> bool:
    """Whether counting shows that every name in the body stands once. `anew` is what the body says as it was
    read, with the last value of each name, and written again. False: `repeated_names` knows.

    Each member has a colon, and so may texts have, in the body and anew alike unless it is spelled
    otherwise. Whatever was dropped had a colon of its own, so where there are as many, nothing was.

    >>> is_clearly_free(b'{"a": ":b", "c" : {"a": 2}}', b'{"a":":b","c":{"a":2}}')
    True
    >>> is_clearly_free(b'{"a" : 1, "a": 2}', b'{"a":2}')
    False
    """
    is_spelled = b"\\" in body and b"\\u003" in body
    return not is_spelled and body.count(b":") == anew.count(b":")


def repeated_names(body: bytes) -> Iterator[str]:
    r"""A JSON pointer to every name that stands twice or more in one object, of a body that is JSON.

    >>> list(repeated_names(b'{"a": [{"b": 1, "\\u0062": "\\":"}], "c/d": {"a": 1}, "c/d": 2}'))
    ['/c~1d', '/a/0/b']
    """
    read = json.loads(
        body.decode(), object_pairs_hook=_Members, parse_int=_unread, parse_float=_unread
    )
    return _pointers(read, "")


class _Members(dict[str, Any]):
    """An object with the last value of each name."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(pairs) > len(self) else {}
        self.repeated = [name for name, count in times.items() if count > 1]


def _unread(_: str) -> None:
    """Numbers do not matter here, however long they are."""


def _pointers(value: Any, pointer: str) -> Iterator[str]:
    match value:
        case _Members():
            yield from (f"{pointer}/{escaped(name)}" for name in value.repeated)
            for name, inner in value.items():
                yield from _pointers(inner, f"{pointer}/{escaped(name)}")
        case list():
            for index, inner in enumerate(value):
                yield from _pointers(inner, f"{pointer}/{index}")
        case _:
            pass

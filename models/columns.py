"""Columns of text for statements about many rows: asyncpg asks each element of an array twice what it is."""

from collections.abc import Iterable, Sequence

import msgspec

_encode = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")


def words(values: Iterable[str]) -> str:
    """Words of our own, for `string_to_array(…, ',')`.

    >>> words(["DONE", "FAILED"])
    'DONE,FAILED'
    """
    return ",".join(values)


def texts(values: Sequence[str | None]) -> str:
    """Any text, for `jsonb_array_elements_text`.

    >>> texts(["media[hero]", None])
    '["media[hero]",null]'
    """
    return _encode(values).decode()


def documents(values: Sequence[str | None]) -> str:
    """JSON that is text already, for `jsonb_array_elements`; a missing one is JSON's null.

    >>> documents(['{"id": 1}', None])
    '[{"id": 1},null]'
    """
    return _encode([_NULL if text is None else msgspec.Raw(text) for text in values]).decode()

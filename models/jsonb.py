"""Structs to jsonb text and back; what PostgreSQL cannot hold is taken out of foreign text."""

from typing import Any

import msgspec

LONGEST_FOREIGN_TEXT = 4096
_encode = msgspec.json.Encoder().encode


def to_jsonb(value: Any) -> str:
    """The JSON text of a struct or of plain values."""
    return _encode(value).decode()


def foreign_jsonb(value: Any) -> str:
    r"""The same for values that hold text of strangers; most of it needs no cleaning.

    >>> foreign_jsonb({"m": "a\x00b"})
    '{"m":"ab"}'
    """
    try:
        text = _encode(value)
    except UnicodeEncodeError:
        text = b""
    if 0 < len(text) <= LONGEST_FOREIGN_TEXT and b"\\u0000" not in text:
        return text.decode()
    return to_jsonb(clean(msgspec.to_builtins(value)))


def clean_text(text: str, longest: int = LONGEST_FOREIGN_TEXT) -> str:
    r"""Foreign text as PostgreSQL can hold it: no NUL, no lone surrogate, not endless.

    >>> clean_text("a\x00b\ud800c")
    'ab?c'
    """
    whole = text.replace("\x00", "").encode("utf-8", "replace")[:longest]
    return whole.decode("utf-8", "ignore")


def clean(value: Any) -> Any:
    r"""The same for every text inside plain JSON values.

    >>> clean({"m": ["x\x00"]})
    {'m': ['x']}
    """
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(str(k)): clean(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON of a stranger
        case list():
            return [clean(v) for v in value]  # pyright: ignore[reportUnknownVariableType]  # likewise
        case _:
            return value

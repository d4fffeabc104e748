"""Reads what Meta sends as from a stranger: nothing in it has to be what it should be."""

import re
from typing import Any

import msgspec

from common.errors import Retry

_NAME = re.compile("[!-~]{1,500}")


def parsed(content: bytes | str) -> Any:
    r"""JSON; None for what is none, in whatever way.

    >>> parsed('{"id": 1}'), parsed(b'"\xff"'), parsed("[" * 100_000), parsed("")
    ({'id': 1}, None, None, None)
    """
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> dict[str, Any]:
    """An object; an empty one for what is none."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger


def mappings(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none for what is no list."""
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]  # pyright: ignore[reportUnknownVariableType]  # likewise


def text(value: object) -> str | None:
    """Text; None for what is none."""
    return value if isinstance(value, str) else None


def named(answer: dict[str, Any], name: str) -> str:
    """What Meta calls something; a null would be used like a name from here on."""
    value = answer.get(name)
    told = "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value)
    if not _NAME.fullmatch(told):
        raise Retry(f"Meta told no {name}", code="unreadable_answer")
    return told

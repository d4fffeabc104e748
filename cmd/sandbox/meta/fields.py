"""Reads the `fields` parameter: names, with the fields of what they name in braces."""

import re

import msgspec

from sandbox.meta.errors import parameter
from sandbox.meta.wire import names

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[a-z_]+\([^)]*\))*)|\s*([{},])")
_LIMIT = re.compile(r"\.limit\((\d+)\)")


class Field(msgspec.Struct, frozen=True):
    """One asked field; `fields` are those asked of what it leads to."""

    name: str
    fields: list["Field"] = []
    limit: int | None = None


def asked_fields(value: object) -> list[Field]:
    """What was asked for, in order.

    >>> [f.name for f in asked_fields("id,name,creative{id,name}")]
    ['id', 'name', 'creative']
    >>> asked_fields('["id"]')[0].name, asked_fields("ads.limit(5){id}")[0].limit
    ('id', 5)
    """
    text = ",".join(names(value)) if isinstance(value, list) else str(value or "")
    if text.startswith("["):
        text = ",".join(names(text))
    tokens = _tokens(text)
    found = _list(tokens)
    if tokens:
        raise parameter("fields", f"Syntax error in fields near {tokens[0]}")
    return found


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise parameter("fields", f"Syntax error in fields at character {position}")
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


def _list(tokens: list[str]) -> list[Field]:
    found: list[Field] = []
    while tokens and tokens[0] != "}":
        piece = tokens.pop(0)
        if piece != ",":
            found.append(_field(piece, tokens))
    return found


def _field(piece: str, tokens: list[str]) -> Field:
    inner: list[Field] = []
    if piece == "{":
        raise parameter("fields", "Syntax error in fields: nothing stands before {")
    if tokens and tokens[0] == "{":
        tokens.pop(0)
        inner = _list(tokens)
        if not tokens:
            raise parameter("fields", "Syntax error in fields: a } is missing")
        tokens.pop(0)
    limit = _LIMIT.search(piece)
    return Field(piece.partition(".")[0], inner, int(limit.group(1)) if limit else None)

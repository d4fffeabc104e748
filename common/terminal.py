"""Text of others on a terminal: what a terminal would obey is written out."""

import re

COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys or turns around; line feeds and tabs are not among it."""


def printable(text: str) -> str:
    """The text with whatever a terminal would obey written out; lines and tabs stay.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return COMMANDS.sub(lambda found: repr(found[0])[1:-1], text)

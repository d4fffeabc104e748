"""How commands print: JSON for programs, lines for people; no terminal obeys what others have written."""

import json
import os
import sys
from collections.abc import Iterable

import msgspec

from common.log import configure
from common.terminal import COMMANDS, printable
from config.settings import Settings


def configure_log(settings: Settings) -> None:
    """The log of a program that runs for long."""
    configure(settings.log_format, settings.log_level, colours=wants_colours())


def wants_colours() -> bool:
    """Unless somebody said that he does not (no-color.org)."""
    return not os.environ.get("NO_COLOR")


def print_json(value: object) -> None:
    """Readable JSON on standard output."""
    sys.stdout.write(f"{json_text(_json(value))}\n")


def print_lines(lines: Iterable[str]) -> None:
    """Each on its own line of standard output, whatever it holds."""
    sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))


def json_text(text: str) -> str:
    r"""The same JSON with what a terminal would obey written as JSON writes it.

    >>> json_text('{"name": "a\x9b2J"}')
    '{"name": "a\\u009b2J"}'
    """
    return COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain(text: str) -> str:
    r"""Foreign text as one line, with what a terminal would obey written out.

    >>> plain("a\x1b[2Jb\nc")
    'a\\x1b[2Jb\\nc'
    """
    return printable(text).replace("\n", "\\n")


def _json(value: object) -> str:
    """Of anything: names of files may be bytes that are no text."""
    try:
        return msgspec.json.format(msgspec.json.encode(value)).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), indent=2)

"""How commands print for programs."""

import sys

import msgspec


def print_json(value: object) -> None:
    """Readable JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")

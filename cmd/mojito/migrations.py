"""Brings the database's tables up to date, or back."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from common.errors import Invalid
from config.settings import Settings
from models.migrate import migrate
from mojito.pools import explained, usable_url

EXAMPLES = """examples:
  mojito migrate --dry-run
  mojito migrate
  mojito migrate --to 0012 --yes

Going down drops what the newer migrations hold. It asks first; where nobody can answer it wants --yes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to go, and whether to go at all."""
    parser.epilog = EXAMPLES
    parser.add_argument("--to", metavar="NNNN", help="go up or down to this version (0000 is none)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--yes", action="store_true", help="go down without being asked")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Says what was done, a line each."""
    url = usable_url(settings)
    with explained():
        if arguments.to is not None and not (arguments.dry_run or arguments.yes):
            planned = asyncio.run(migrate(url, to=arguments.to, dry_run=True))
            _confirm([line for line in planned if line.startswith("down ")])
        done = asyncio.run(migrate(url, to=arguments.to, dry_run=arguments.dry_run))
    sys.stdout.write("".join(f"{line}\n" for line in done) or "nothing to do\n")
    return 0


def _confirm(planned: Sequence[str]) -> None:
    """Raises Invalid unless somebody says yes; going up needs nobody's leave."""
    if not planned:
        return
    told = f"this drops what these migrations hold: {', '.join(planned)}"
    if sys.stdin is None or not sys.stdin.isatty():  # pyright: ignore[reportUnnecessaryComparison]  # it may be closed
        raise Invalid(f"{told}; say --yes to do it")
    sys.stderr.write(f"{told}\nType yes to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise Invalid("nothing was done")

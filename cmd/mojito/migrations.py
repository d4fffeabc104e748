"""Brings the database's tables up to date, or back."""

import argparse
import asyncio
import sys

from config.settings import Settings, database_url
from models.migrate import migrate
from mojito.pools import explained


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to go, and whether to go at all."""
    parser.add_argument("--to", metavar="NNNN", help="go up or down to this version (0000 is none)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Says what was done, a line each."""
    url = database_url(settings)
    with explained():
        done = asyncio.run(migrate(url, to=arguments.to, dry_run=arguments.dry_run))
    sys.stdout.write("".join(f"{line}\n" for line in done) or "nothing to do\n")
    return 0

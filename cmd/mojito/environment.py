"""Prints the settings of an installation as export lines, for a second terminal."""

import argparse
import shlex
import sys

from common.errors import ConfigurationError
from config.settings import Settings
from mojito.installation import Installation
from mojito.printing import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For a shell, or for a program."""
    parser.epilog = 'example:\n  eval "$(./mojito env)" && ./mojito work'
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Reads what `up` wrote in the data folder."""
    installation = Installation(settings.data_dir)
    found = installation.read_json(installation.environment_file)
    if not (installation.is_running and isinstance(found, dict)):
        raise ConfigurationError(
            f"no installation runs in {installation.folder}; start one with ./mojito up, or name its "
            "folder with MOJITO_DATA_DIR"
        )
    if arguments.json:
        print_json(found)
    else:
        lines = (f"export {name}={shlex.quote(str(value))}\n" for name, value in found.items())
        sys.stdout.write("".join(lines))
    return 0

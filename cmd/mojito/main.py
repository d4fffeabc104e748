"""Arguments in, one short function for each subcommand, exit code out."""

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from common.errors import CallerError, ConfigurationError, PartDied
from common.terminal import printable
from common.version import program_version
from config.settings import read_settings
from mojito.core_files import leave_no_core

EXIT_CODES = """exit codes:
  0  done          1  failed, the message says why       2  wrong usage or a request that is refused
  3  PARTIAL_SUCCESS (submit), the platform cannot be asked (accounts verify)
  4  CANCELLED (submit)       130  interrupted"""

COMMANDS = {
    "up": "run everything on this machine: PostgreSQL, sandbox, API and workers",
    "submit": "send a request file and watch its campaign being built",
    "env": "print the settings of the running installation as export lines",
    "serve": "run the HTTP API",
    "work": "run one worker",
    "sandbox": "run the sandbox that imitates the platforms",
    "migrate": "bring the database's tables up to date",
    "keys": "make, list and revoke API keys",
    "doctor": "examine the installation: what is wrong, how bad it is, what to do",
    "config": "check the settings, or show them with where each comes from",
    "encryption": "show which keys stored secrets need, and bring them all under the first one",
    "accounts": "list, add and verify ad accounts",
    "audit": "export who did what, for archives and auditors",
    "retention": "delete what is older than it is to be kept, or say what that would be",
    "restored": "after a restore from a backup: have open jobs look before they make anything",
    "test": "run every test: pytest, then the Hurl suites against a started installation",
    "lint": "run every check of the sources",
}
MODULES = {
    "config": "configuration",
    "env": "environment",
    "test": "suites",
    "sandbox": "imitate",
    "migrate": "migrations",
}
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}
RAW = {"config", "doctor"}
"""Get the environment as it is, since they say what is wrong with it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. Each subcommand's module offers `add_arguments(parser)` and `run(arguments, settings)`."""
    _prepare_outputs()
    leave_no_core()
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(given[0] if given else None)
    parsed, rest = parser.parse_known_args(given)
    if rest and parsed.command != "test":
        parser.error(f"unrecognised arguments: {' '.join(rest)}")
    parsed.rest = rest
    try:
        if parsed.version:
            sys.stdout.write(f"mojito {program_version()}\n")
            return 0
        if parsed.command is None:
            parser.print_help()
            return 2
        return _carry_out(parsed)
    except (ConfigurationError, CallerError, PartDied) as error:
        sys.stderr.write(f"mojito: {printable(error.message)}\n")
        return 2 if isinstance(error, CallerError) else 1
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        return _unusable(error)


def _carry_out(parsed: argparse.Namespace) -> int:
    if parsed.command in RAW:
        return _module(parsed.command).run(parsed, os.environ)
    return _module(parsed.command).run(parsed, read_settings(os.environ))


def _unusable(error: OSError) -> int:
    """The exit code where nobody reads on, or the machine refuses; what names no file is raised."""
    if isinstance(error, BrokenPipeError):
        return 0
    if error.errno in _UNWRITABLE:
        sys.stderr.write(f"mojito: cannot write: {error.strerror}\n")
    elif error.filename is not None:
        sys.stderr.write(f"mojito: {printable(str(error.filename))}: {error.strerror}\n")
    else:
        raise error
    return 1


def _prepare_outputs() -> None:
    """Whoever closed an output wants none of it; what its encoding lacks is written out."""
    nowhere = os.devnull
    sys.stdout = sys.stdout or open(nowhere, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for as long as the program runs
    sys.stderr = sys.stderr or open(nowhere, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - likewise
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _parser(wanted: str | None) -> argparse.ArgumentParser:
    """Only the wanted subcommand's module is loaded, so that help is quick."""
    parser = argparse.ArgumentParser(
        prog="mojito",
        description="One JSON request becomes a live ad campaign, exactly once.",
        epilog=EXIT_CODES + "\n\nSettings are MOJITO_* variables; config/example.env lists them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    subparsers = parser.add_subparsers(dest="command", metavar="command")
    for name, about in COMMANDS.items():
        sub = subparsers.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == wanted:
            _module(name).add_arguments(sub)
    return parser


def _module(command: str) -> "Command":
    return importlib.import_module(f"mojito.{MODULES.get(command, command)}")  # pyright: ignore[reportReturnType]  # a module is one


class Command:
    """What a subcommand's module offers; never made, only described."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Its arguments."""

    @staticmethod
    def run(arguments: argparse.Namespace, settings: object) -> int:
        """Does it; the exit code."""
        raise AssertionError(arguments, settings)

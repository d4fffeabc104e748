"""Runs the sandbox."""

import argparse

from config.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What differs from the settings."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--memory", action="store_true", help="forget everything at the end")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serves until told to stop."""
    from sandbox.__main__ import main  # noqa: PLC0415 - only this command needs it

    given = ["--host", arguments.host, "--port", str(settings.sandbox_port)]
    if not arguments.memory:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        given += ["--database", str(settings.data_dir / "sandbox.sqlite3")]
    return main(given) or 0

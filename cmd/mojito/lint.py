"""Runs every check of the sources."""

import argparse
import subprocess
import sys
from pathlib import Path

from config.settings import Settings
from mojito import ROOT

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("pyright",),
    ("lint-imports",),
    ("sqlc", "diff"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    parser.epilog = "Runs " + ", ".join(" ".join(check) for check in CHECKS) + "."


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """All of them, also after one has failed."""
    del arguments, settings
    programs = Path(sys.executable).parent
    failed = [
        " ".join(check)
        for check in CHECKS
        if subprocess.run([programs / check[0], *check[1:]], cwd=ROOT, check=False).returncode
    ]
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all checks passed\n")
    return 1 if failed else 0

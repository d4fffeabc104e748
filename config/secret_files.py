"""Secrets that stand in files, whose names are settings."""

from collections.abc import Mapping
from pathlib import Path

_WHY: dict[type[Exception], str] = {
    UnicodeDecodeError: "it is not text",
    RuntimeError: "there is no such user",
}


def read_files(named: Mapping[str, str]) -> tuple[dict[str, object], list[str]]:
    """What stands in files by the name of its setting, and what is wrong with the others."""
    found: dict[str, object] = {}
    faults: list[str] = []
    for name, path in named.items():
        try:
            text = Path(path).expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError, RuntimeError) as error:
            why = error.strerror if isinstance(error, OSError) else _WHY[type(error)]
            faults.append(f"MOJITO_{name.upper()}: cannot read {path}: {why}")
            continue
        if text:
            found[name.removesuffix("_file")] = text
        else:
            faults.append(f"MOJITO_{name.upper()}: {path} is empty")
    return found, faults

"""Which Mojito this is, as pyproject.toml says it: read there, or from what the wheel made of it."""

from functools import cache
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"  # of a checkout; a wheel has none


@cache
def program_version() -> str:
    """Such as 1.2.3. A checkout's own file wins over a Mojito that is installed beside it."""
    if _PROJECT.is_file():
        import tomllib  # noqa: PLC0415 - every command would load it, few need it

        return tomllib.loads(_PROJECT.read_text())["project"]["version"]
    from importlib.metadata import version  # noqa: PLC0415 - likewise

    return version("mojito")

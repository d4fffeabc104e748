"""Starts what is measured as processes of their own, and speaks with them by lines."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, Self

from common.keyring import new_key_line

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'cmd'}:{ROOT}"}
_KEY = new_key_line("bench")


@contextlib.contextmanager
def installation() -> Generator[str]:
    """A data folder with the key that all of one run seal with: they share a database."""
    with tempfile.TemporaryDirectory(prefix="mojito-bench-") as folder:
        Path(folder, "encryption-keys").write_text(_KEY)
        yield folder


class Process:
    """One that said "ready"."""

    def __init__(self, *command: str, python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, *command],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout

    @property
    def process_id(self) -> int:
        """As the system has it."""
        return self._process.pid

    async def line(self) -> str:
        """What it says next. Raises RuntimeError when it has ended."""
        found = (await asyncio.to_thread(self._out.readline)).strip()
        if not found:
            raise RuntimeError(f"{self._process.args} ended early")
        return found

    async def ready(self) -> Self:
        """As soon as it is."""
        while await self.line() != "ready":
            pass
        return self

    def go(self) -> None:
        """Lets it begin, or end what waits for a line."""
        self._in.write("go\n")
        self._in.flush()

    def terminate(self) -> None:
        """Asks it to leave."""
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> Any:
        """Its last line, read as JSON."""
        found = json.loads(await self.line())
        await asyncio.to_thread(self._process.wait)
        return found

    def kill(self) -> None:
        """Whatever it does."""
        self._process.kill()
        self._process.wait()
        self._in.close()
        self._out.close()

    def resident_megabytes(self) -> float:
        """What it holds in memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

"""A file system of its own, small enough to be filled by a test."""

import contextlib
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

_BALLAST = "ballast"


class SmallDisk:
    """A mounted folder of few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leaves not one byte free."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while ballast.write(b"\0" * size) == size:
                        pass

    def clear(self) -> None:
        """Takes away what `fill` has put there."""
        (self.folder / _BALLAST).unlink()


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Generator[SmallDisk]:
    """Raises PermissionError where this account may not mount."""
    if os.geteuid() != 0:
        raise PermissionError("only root can mount a small file system to fill")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)

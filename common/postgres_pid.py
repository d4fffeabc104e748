"""Which process is the server of a data folder: the number in its file may be another process's by now."""

import os
import subprocess
from pathlib import Path


def running_server(data: Path) -> int | None:
    """The number of the server that runs over this folder."""
    pid = _told_pid(data)
    return pid if pid is not None and _is_server_of(data, pid) else None


def disown_pid(data: Path) -> None:
    """Before a start: a killed server's number that another process has now would keep PostgreSQL from it.

    PostgreSQL passes over the number of its parent, which we are, and looks at the rest of the file all
    the same: whether a backend of the killed server still lives.
    """
    pid = _told_pid(data)
    if pid is not None and not _is_server_of(data, pid):
        file = data / "postmaster.pid"
        rest = file.read_text().partition("\n")[2]
        file.write_text(f"{os.getpid()}\n{rest}")


def _told_pid(data: Path) -> int | None:
    """What the server wrote when it started, as long as there is such a process."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _is_server_of(data: Path, pid: int) -> bool:
    if not Path("/proc/self").exists():
        return _has_name(pid)
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()  # where a server works
    except PermissionError:
        return _has_name(pid)
    except FileNotFoundError:
        return False


def _has_name(pid: int) -> bool:
    """The most that may be known everywhere of a process of another account."""
    told = Path(f"/proc/{pid}/comm")
    if told.exists():
        return told.read_text().strip() == "postgres"
    command = ["ps", "-o", "comm=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(done.stdout.strip()).name == "postgres"

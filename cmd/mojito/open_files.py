"""Lets a program have as many files and connections open as the system allows it."""

import contextlib
import resource

_ENOUGH = 65_536


def open_many_files() -> None:
    """Shells give 1,024 unless a program asks for more: fewer than a team may hold streams."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some systems allow less than they say
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

"""Keeps what programs have in memory out of files: keys, and credentials while they are used."""

import contextlib
import resource


def leave_no_core() -> None:
    """A program that crashes is written to disk by systems that allow it, with all that it has opened.

    Only the soft limit is lowered: who needs the file raises it again with `prlimit`.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with contextlib.suppress(OSError, ValueError):  # a container may forbid every change
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))

"""Tasks that do not wait for their turn."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def at_once[Result](
    work: Coroutine[Any, Any, Result], name: str | None = None
) -> asyncio.Task[Result]:
    """A task that runs right now, as far as it can without waiting."""
    return asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, eager_start=True)

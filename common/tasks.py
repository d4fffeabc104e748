"""Tasks that do not wait for their turn, and tasks that last as long as a block."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from typing import Any


def at_once[Result](
    work: Coroutine[Any, Any, Result], name: str | None = None
) -> asyncio.Task[Result]:
    """A task that runs right now, as far as it can without waiting."""
    return asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, eager_start=True)


@contextlib.asynccontextmanager
async def beside(
    *work: Coroutine[Any, Any, None], **named: Coroutine[Any, Any, None]
) -> AsyncGenerator[None]:
    """What goes on as long as the block lasts, each in a task that bears its own name or the one given."""
    names = [*(one.__qualname__ for one in work), *named]
    tasks = [
        asyncio.create_task(one, name=name)
        for name, one in zip(names, (*work, *named.values()), strict=True)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

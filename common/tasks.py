"""Tasks that do not wait for their turn, and tasks that last as long as a block."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


def at_once[Result](
    work: Coroutine[Any, Any, Result], name: str | None = None
) -> asyncio.Task[Result]:
    """A task that runs right now, as far as it can without waiting."""
    return asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, eager_start=True)


async def watched[Result](
    work: Coroutine[Any, Any, Result], look: Callable[[], Awaitable[None]], seconds: float
) -> Result:
    """What the work brings. Every so many seconds it is looked at; what a look raises ends it."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=seconds))[0]:
            await look()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()


@contextlib.asynccontextmanager
async def beside(
    *work: Coroutine[Any, Any, None], **named: Coroutine[Any, Any, None]
) -> AsyncGenerator[None]:
    """What goes on as long as the block lasts, each in a task that bears its own name or the one given.

    One that dies of an error is told at once: the block goes on without it.
    """
    names = [*(one.__qualname__ for one in work), *named]
    tasks = [
        asyncio.create_task(one, name=name)
        for name, one in zip(names, (*work, *named.values()), strict=True)
    ]
    for task in tasks:
        task.add_done_callback(_tell_of_death)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_of_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("task.died", task=task.get_name(), exc_info=error)

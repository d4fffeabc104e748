"""Tasks that do not wait for their turn, and tasks that last as long as a block."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

import structlog

from common.errors import PartDied

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


class Company:
    """The tasks beside a program's work, none of which it can do without.

    One that dies of an error is told at once, and the block goes on without it; but the program is only
    half alive then: it is asked to stop, and raises PartDied when it has.
    """

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self.death: PartDied | None = None
        """The first one."""

    def when_one_dies(self, stop: Callable[[], None]) -> None:
        """Called when the first of them dies; at once when that has happened."""
        self._stop = stop
        if self.death is not None:
            stop()

    def require_all(self) -> None:
        """Raises PartDied when one has died."""
        if self.death is not None:
            raise self.death

    @contextlib.asynccontextmanager
    async def beside(
        self, *work: Coroutine[Any, Any, None], **named: Coroutine[Any, Any, None]
    ) -> AsyncGenerator[None]:
        """What goes on as long as the block lasts, each in a task that bears its own name or a given one."""
        names = [*(one.__qualname__ for one in work), *named]
        tasks = [
            asyncio.create_task(one, name=name)
            for name, one in zip(names, (*work, *named.values()), strict=True)
        ]
        for task in tasks:
            task.add_done_callback(self._look)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception()
        elif task.cancelling():
            return  # by us, or by whoever ends the program
        else:
            error = asyncio.CancelledError("nobody asked it to end")
        if error is not None:
            self.mourn(task.get_name(), error)

    def mourn(self, name: str, error: BaseException) -> None:
        """A part of the program, these tasks or another, has died of that."""
        log.critical("task.died", task=name, exc_info=error)
        if self.death is None:
            self.death = PartDied(
                f"stopped, to be started again: the task {name!r} died of {type(error).__name__}, "
                "as the log tells",
                code="part_died",
            )
            if self._stop is not None:
                self._stop()


def beside(
    *work: Coroutine[Any, Any, None], **named: Coroutine[Any, Any, None]
) -> contextlib.AbstractAsyncContextManager[None]:
    """The same where nobody asks who has died."""
    return Company().beside(*work, **named)

"""Head and body of an answer leave in one piece."""

import asyncio
from collections.abc import Callable
from typing import Any


class OneWrite:
    """A transport that holds what is written until the loop's next turn, or until more is written in this
    one: a system call less for each answer, and its reader wakes once instead of twice."""

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        close: Callable[[], None] | None = None,
    ) -> None:
        """`close` is asked to close the transport, where that is more than closing it."""
        self._transport = transport
        self._loop = loop
        self._close = close or transport.close
        self._is_closed = False
        self._held = b""

    def write(self, data: bytes) -> None:
        """In order, at the latest in the next turn."""
        is_second = bool(self._held)
        self._held += data
        if is_second:
            self._flush()
        elif data:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """After what was written."""
        self._flush()
        self._is_closed = True
        self._close()

    def let_go(self) -> None:
        """Nobody is asked any more: whoever holds this may be held by it no longer."""
        self._close = self._transport.close

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._is_closed or self._transport.is_closing()

    def abort(self) -> None:
        """Nothing more is sent."""
        self._held = b""
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        """With what is held."""
        return self._transport.get_write_buffer_size() + len(self._held)

    def _flush(self) -> None:
        # whoever writes may not know yet that the caller has gone
        if self._held and not self.is_closing():
            self._transport.write(self._held)
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

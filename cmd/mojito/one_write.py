"""Head and body of an answer leave in one piece."""

import asyncio
from typing import Any


class OneWrite:
    """A transport that holds what is written until the loop's next turn, or until more is written in this
    one: a system call less for each answer, and its reader wakes once instead of twice."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """In order, at the latest in the next turn."""
        if self._held:
            self._transport.write(self._held + data)
            self._held = b""
        elif data:
            self._held = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """After what was written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Nothing more is sent."""
        self._held = b""
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        """With what is held."""
        return self._transport.get_write_buffer_size() + len(self._held)

    def _flush(self) -> None:
        if self._held:
            self._transport.write(self._held)
            self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

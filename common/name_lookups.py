"""Looks up names that strangers chose, in threads of its own.

The loop has very few threads for names, and whoever waits for the database or a platform needs them: a
name whose server never answers would hold one for as long as the system is patient, half a minute and more.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable

MOST_AT_ONCE = 32

type LookUp = Callable[[str, int], list[str]]


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class NameLookups:
    """A lookup keeps its place until it is over, also when nobody waits for it any more.

    The threads do not hold up the end of the program.
    """

    def __init__(self, *, most_at_once: int = MOST_AT_ONCE, look_up: LookUp = addresses_of) -> None:
        self._places = asyncio.Semaphore(most_at_once)
        self._look_up = look_up

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses. Raises OSError or UnicodeError for a name that has none."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str] | Exception) -> None:
            self._places.release()
            if found.done():
                return
            if isinstance(addresses, Exception):
                found.set_exception(addresses)
            else:
                found.set_result(addresses)

        def run() -> None:
            told = self._attempt(host, port)
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, told)

        threading.Thread(target=run, name="name lookup", daemon=True).start()
        return await found

    def _attempt(self, host: str, port: int) -> list[str] | Exception:
        try:
            return self._look_up(host, port)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the one who asked
            return error

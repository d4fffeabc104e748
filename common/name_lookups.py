"""Looks up names that strangers chose, in threads of its own.

The loop has very few threads for names, and whoever waits for the database or a platform needs them: a
name whose server never answers would hold one for as long as the system is patient, half a minute and more.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Generator, Hashable
from contextvars import ContextVar
from weakref import WeakValueDictionary

MOST_AT_ONCE = 128
MOST_OF_A_DOMAIN = 8
"""So that whoever makes up names below one that never answers holds up nobody else's."""

MOST_OF_AN_ASKER = 32
"""So that whoever owns many domains that never answer holds up nobody else either."""

_asker: ContextVar[Hashable | None] = ContextVar("asker", default=None)
_OF_REGISTRIES = frozenset(
    {
        *(
            "ac",
            "co",
            "com",
            "edu",
            "gen",
            "go",
            "gob",
            "gouv",
            "gov",
            "id",
            "ind",
            "info",
            "ltd",
            "me",
        ),
        *("mil", "ne", "net", "nom", "or", "org", "plc", "sch", "web"),
    }
)
"""Below such a name of a country stand names of strangers, as below `co.uk`."""

type LookUp = Callable[[str, int], list[str]]


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def domain_of(host: str) -> str:
    """What names of one owner mostly have in common; an address has a domain of its own.

    >>> domain_of("a1.Media.example.com."), domain_of("localhost"), domain_of("::1")
    ('example.com', 'localhost', '::1')
    >>> domain_of("a1.media.example.co.uk"), domain_of("a.example.co"), domain_of("com.au")
    ('example.co.uk', 'example.co', 'com.au')
    """
    labels = host.lower().rstrip(".").split(".")
    is_shared = len(labels) > 2 and len(labels[-1]) == len("uk") and labels[-2] in _OF_REGISTRIES
    return ".".join(labels[-3:] if is_shared else labels[-2:])


@contextlib.contextmanager
def looking_up_for(asker: Hashable | None) -> Generator[None]:
    """Lookups within are this one's; those of None are nobody's."""
    token = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(token)


class NameLookups:
    """A lookup keeps its place until it is over, also when nobody waits for it any more.

    The threads do not hold up the end of the program.
    """

    def __init__(
        self,
        *,
        most_at_once: int = MOST_AT_ONCE,
        most_of_a_domain: int = MOST_OF_A_DOMAIN,
        most_of_an_asker: int = MOST_OF_AN_ASKER,
        look_up: LookUp = addresses_of,
    ) -> None:
        self._places = asyncio.Semaphore(most_at_once)
        self._most_of_a_domain = most_of_a_domain
        self._most_of_an_asker = most_of_an_asker
        # kept as long as somebody looks something up there, or waits to
        self._kept: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()
        self._look_up = look_up

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses. Raises OSError or UnicodeError for a name that has none."""
        places = await self._take_places(domain_of(host))
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def tell(addresses: list[str] | Exception) -> None:
            _release(places)
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

        try:
            threading.Thread(target=run, name="name lookup", daemon=True).start()
        except RuntimeError as error:
            _release(places)
            raise OSError("no thread can be had for it") from error
        return await found

    async def _take_places(self, domain: str) -> list[asyncio.Semaphore]:
        """The asker's own first, then those that others want, too: whoever waits takes nobody's place."""
        limits: list[tuple[Hashable, int]] = [(domain, self._most_of_a_domain)]
        if (asker := _asker.get()) is not None:
            own = (((asker, domain), self._most_of_a_domain), ((asker,), self._most_of_an_asker))
            limits = [*own, *limits]
        wanted = [self._kept.setdefault(key, asyncio.Semaphore(most)) for key, most in limits]
        taken: list[asyncio.Semaphore] = []
        try:
            for place in (*wanted, self._places):
                await place.acquire()
                taken.append(place)
        except BaseException:
            _release(taken)
            raise
        return taken

    def _attempt(self, host: str, port: int) -> list[str] | Exception:
        try:
            return self._look_up(host, port)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the one who asked
            return error


def _release(places: list[asyncio.Semaphore]) -> None:
    for place in places:
        place.release()

"""Up to which number the events of jobs are settled: whatever bears a lower one can be seen or never will.

Numbers are taken before the rows can be seen, so a later number may be seen first, and a reader that
simply goes on from the highest would skip what is committed behind it. Who takes a number holds a lock
on the table until its rows can be seen. So: read the last number given, then who holds the lock; when
all of those are gone, everything up to that number is settled. A long transaction that writes no events
delays nothing.

A crash of the server takes back numbers that are not on the disk yet, also those of rows that could be
seen: claims do not wait for the disk. Given to other events they would be passed over. So numbers are kept
before anybody relies on them.
"""

from models.gen import job_events
from models.gen.rows import Connection


class Horizon:
    """Moves forward only. Rows must be read after `look`, in a statement of their own."""

    def __init__(self) -> None:
        self.settled = 0
        self.last = 0
        self._kept = 0
        """Up to which number no crash gives any again."""
        self._awaited: tuple[int, frozenset[str]] | None = None

    @property
    def is_reached(self) -> bool:
        """Whether every number given so far is settled."""
        return self.settled == self.last

    async def look(self, connection: Connection) -> int:
        """Reads how things stand, and answers the highest settled number."""
        last = await job_events.get_last_event_number(connection) or 0
        if last == self.settled:
            self.last = last
            return self.settled
        await self._keep(connection, last)
        # after the number, or a writer might take one unseen
        writers = await job_events.list_event_writers(connection)
        return self.advance(last, frozenset(writers or ()))

    def advance(self, last: int, writers: frozenset[str]) -> int:
        """The same with what was read: first the last number, then the writers.

        >>> horizon = Horizon()
        >>> horizon.advance(7, frozenset({"3/1"})), horizon.advance(9, frozenset({"3/1", "4/5"}))
        (0, 0)
        >>> horizon.advance(12, frozenset({"4/5"})), horizon.advance(12, frozenset())
        (7, 12)
        """
        self.last = last
        if self._awaited is not None and self._awaited[0] > last:
            self._awaited = None  # the database was set back
        if self._awaited is not None and not self._awaited[1] & writers:
            self.settled = max(self.settled, self._awaited[0])
            self._awaited = None
        if not writers:
            self.settled = last
        elif self._awaited is None:
            self._awaited = (last, writers)
        return self.settled

    async def _keep(self, connection: Connection, last: int) -> None:
        """Once for each number that is the last of a look."""
        if last < self.settled:
            self._kept = 0  # the database was set back
        if last > self._kept:
            await job_events.keep_event_numbers(connection)
            self._kept = last

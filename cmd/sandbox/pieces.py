"""Bytes that were uploaded, in the pieces in which they came."""

from sandbox.store import Store


class Pieces:
    """Kept under the name of whatever they belong to."""

    def __init__(self, store: Store) -> None:
        self._sql = store.connection

    def add(self, owner: str, start: int, content: bytes) -> None:
        """Replaces a piece with the same start."""
        self._sql.execute("insert or replace into pieces values (?, ?, ?)", (owner, start, content))

    def read(self, owner: str) -> bytes:
        """All of them as one."""
        rows = self._sql.execute(
            "select content from pieces where owner = ? order by start", (owner,)
        )
        return b"".join(row["content"] for row in rows)

    def remove(self, owner: str) -> None:
        """All of them."""
        self._sql.execute("delete from pieces where owner = ?", (owner,))

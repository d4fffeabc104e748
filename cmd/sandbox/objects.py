"""What exists on the imitated platforms, whichever of them it belongs to."""

import sqlite3
from typing import Any

import msgspec

from sandbox.store import Store


class Record(msgspec.Struct, kw_only=True):
    """One object: what was sent stands in `fields`, what every platform has stands beside it."""

    platform: str
    account: str
    kind: str
    id: str
    name: str | None
    parent_id: str | None
    status: str
    created_at: float
    updated_at: float
    fields: dict[str, Any]
    serial: int = 0
    digest: str | None = None


class Objects:
    """Finds, adds and changes records."""

    def __init__(self, store: Store) -> None:
        self._sql = store.connection

    def add(self, record: Record) -> None:
        """The pair of account and id is unique."""
        columns = _columns(record)
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._sql.execute(
            f"insert into objects ({names}) values ({marks})",  # noqa: S608 - names of a struct
            tuple(columns.values()),
        )

    def save(self, record: Record) -> None:
        """Writes what may change in the life of an object."""
        self._sql.execute(
            """update objects set name = ?, status = ?, digest = ?, updated_at = ?, fields = ?
               where platform = ? and account = ? and kind = ? and id = ?""",
            (
                record.name,
                record.status,
                record.digest,
                record.updated_at,
                msgspec.json.encode(record.fields).decode(),
                record.platform,
                record.account,
                record.kind,
                record.id,
            ),
        )

    def get(self, platform: str, object_id: str, account: str | None = None) -> Record | None:
        """By its id, of one account or of any."""
        found = self.find(platform=platform, id=object_id, account=account)
        return found[0] if found else None

    def with_digest(self, account: str, kind: str, digest: str) -> Record | None:
        """What was made of the same content before."""
        found = self.find(account=account, kind=kind, digest=digest)
        return found[0] if found else None

    def find(self, **filters: str | None) -> list[Record]:
        """In the order of their making; a filter that is None is none."""
        given = {name: value for name, value in filters.items() if value is not None}
        where = " and ".join(f"{name} = ?" for name in given) or "true"
        rows = self._sql.execute(
            f"select * from objects where {where} order by serial",  # noqa: S608 - names of arguments
            tuple(given.values()),
        )
        return [_record(row) for row in rows]

    def count_active(self, account: str, kind: str) -> int:
        """How many of an account's objects of one kind run."""
        row = self._sql.execute(
            "select count(*) from objects where account = ? and kind = ? and status = 'ACTIVE'",
            (account, kind),
        ).fetchone()
        return int(row[0])


def _columns(record: Record) -> dict[str, Any]:
    columns = msgspec.structs.asdict(record)
    columns.pop("serial")
    columns["fields"] = msgspec.json.encode(record.fields).decode()
    return columns


def _record(row: sqlite3.Row) -> Record:
    columns: dict[str, Any] = dict(row)
    columns["fields"] = msgspec.json.decode(columns["fields"])
    return Record(**columns)

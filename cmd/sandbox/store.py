"""The SQLite file behind the sandbox: its tables, its transactions, and numbers that never come twice."""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
create table if not exists settings (name text primary key, value text not null) without rowid;
create table if not exists accounts (
    platform text not null, id text not null, is_ready_made integer not null, facts text not null,
    primary key (platform, id)
) without rowid;
create table if not exists tokens (
    serial integer primary key, token text not null unique, platform text not null,
    account text not null, expires_at real, revoked_at real
);
create table if not exists objects (
    serial integer primary key, platform text not null, account text not null, kind text not null,
    id text not null, parent_id text, name text, status text not null, digest text,
    created_at real not null, updated_at real not null, fields text not null,
    unique (platform, account, kind, id)
);
create index if not exists objects_by_id on objects (platform, id);
create index if not exists objects_by_parent on objects (parent_id, kind);
create index if not exists objects_by_digest on objects (account, kind, digest);
create table if not exists calls (
    seq integer primary key autoincrement, at real not null, platform text not null,
    method text not null, path text not null, status integer, code integer,
    effect text not null, object_id text, fault text
);
create table if not exists faults (
    id integer primary key autoincrement, rule text not null, times integer, skip integer not null
);
create table if not exists uploads (
    id text primary key, account text not null, video_id text not null, size integer not null,
    received integer not null, state text not null, started_at real not null
) without rowid;
create table if not exists pieces (
    owner text not null, start integer not null, content blob not null,
    primary key (owner, start)
);
create table if not exists usage (
    account text primary key, score real not null, scored_at real not null,
    blocked_until real not null, hour_started_at real not null, hour_calls integer not null
) without rowid;
create table if not exists budget_changes (object_id text not null, at real not null);
"""
_FORGOTTEN = ("objects", "calls", "faults", "uploads", "pieces", "usage", "budget_changes")


class Store:
    """One connection, used from one thread at a time. A commit reaches the system, not the platter."""

    def __init__(self, database: Path | None) -> None:
        if database is not None:
            database.touch(
                mode=0o600
            )  # it holds tokens; SQLite's own files beside it become like it
        self.connection = sqlite3.connect(
            database or ":memory:", isolation_level=None, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = wal", "synchronous = normal", "busy_timeout = 2000"):
            self.connection.execute(f"pragma {pragma}")
        self.connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Everything is committed already."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All of it or nothing; one within another belongs to the outer one."""
        if self.connection.in_transaction:
            with self.attempt():
                yield
            return
        self.connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    @contextmanager
    def attempt(self) -> Generator[None]:
        """A part of a transaction that is taken back alone when it fails."""
        self.connection.execute("savepoint attempt")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback to attempt")
            raise
        finally:
            self.connection.execute("release attempt")

    def setting(self, name: str) -> str | None:
        """None where nothing was kept under the name."""
        row = self.connection.execute(
            "select value from settings where name = ?", (name,)
        ).fetchone()
        return None if row is None else str(row["value"])

    def put_setting(self, name: str, value: str) -> None:
        """Replaces what was there."""
        self.connection.execute(
            "insert into settings values (?, ?) on conflict do update set value = excluded.value",
            (name, value),
        )

    def new_id(self) -> str:
        """Sixteen digits, always more than before: in this file, and after it in the next one."""
        last = self.setting("last_id")
        number = int(time.time() * 1_000_000) if last is None else int(last) + 1
        self.put_setting("last_id", str(number))
        return str(number)

    def forget(self) -> None:
        """Drops all but settings, the ready-made accounts and their tokens."""
        for table in _FORGOTTEN:
            self.connection.execute(f"delete from {table}")  # noqa: S608 - names from above
        self.connection.execute("delete from accounts where not is_ready_made")
        self.connection.execute(
            "delete from tokens where (platform, account) not in (select platform, id from accounts)"
        )

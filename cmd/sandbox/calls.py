"""The list of calls that the imitated platforms received, without secrets."""

import re
from typing import Any, Literal

import msgspec

from sandbox.clock import rfc3339
from sandbox.store import Store

type Effect = Literal["created", "changed", "none"]

_TOKEN = re.compile(r"EAA[0-9A-Za-z]{8,}")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call and what came of it. No status: it was never answered."""

    at: float
    platform: str
    method: str
    path: str
    status: int | None = None
    code: int | None = None
    effect: Effect = "none"
    object_id: str | None = None
    fault: str | None = None


class Calls:
    """Numbered in the order in which they took effect; numbers go on after a reset."""

    def __init__(self, store: Store) -> None:
        self._sql = store.connection

    def add(self, call: Call) -> None:
        """The path is kept without its query, and nothing in it that looks like a token."""
        columns = msgspec.structs.asdict(call) | {"path": _TOKEN.sub("***", call.path)}
        self._sql.execute(
            """insert into calls
               (at, platform, method, path, status, code, effect, object_id, fault) values
               (:at, :platform, :method, :path, :status, :code, :effect, :object_id, :fault)""",
            columns,
        )

    def after(self, seq: int = 0) -> list[dict[str, Any]]:
        """Newest last."""
        rows = self._sql.execute("select * from calls where seq > ? order by seq", (seq,))
        return [{**dict(row), "at": rfc3339(row["at"])} for row in rows]
